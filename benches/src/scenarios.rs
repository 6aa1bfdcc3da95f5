//! The scenarios of one thread that only call the peer; the loops of libraries take their turns between the calls.

use super::allocations::live;
use super::check::{Log, VALUE};
use super::meter::Meter;
use super::peers::{Peer, Prints, Reads};
use super::registry::Play;
use super::rows::Scenario::{self, *};
use std::array::from_fn;
use std::cell::RefCell;
use std::fmt::{self, Write};
use std::hint::black_box;

/// The scenarios of every peer.
pub fn callbacks<P: Peer>(scenario: Scenario) -> Option<Play> {
    match scenario {
        S1 | S5 => Some(lives::<P>),
        S2 => Some(late::<P>),
        Add => Some(adds::<P>),
        Complete => Some(completes::<P>),
        _ => None,
    }
}

/// Reading.
pub fn reading<P: Reads>(scenario: Scenario) -> Option<Play> {
    (scenario == Read).then_some(reads::<P> as Play)
}

/// Printing.
pub fn printing<P: Prints>(scenario: Scenario) -> Option<Play> {
    (scenario == Debug).then_some(prints::<P> as Play)
}

/// The number of operations in a batch, about: enough to hide the reading of the clock, and few enough for the allocator's
/// cache to keep what a batch frees.
pub(super) const BATCH: u64 = 1024;

/// S1 and, without callbacks, S5. A loop's turn takes several tasks, unless they are large.
fn lives<P: Peer>(meter: &mut Meter, n: u64) {
    if P::HAS_LOOP && n <= BATCH / 16 { some_lives::<P, 16>(meter, n) } else { some_lives::<P, 1>(meter, n) }
}

fn some_lives<P: Peer, const TASKS: usize>(meter: &mut Meter, n: u64) {
    let (log, tasks, mut peer) = (Log::leak(), TASKS as u64, P::new());
    let rounds = (BATCH / (tasks * n.max(1))).max(1);
    let body = |peer: &mut P, ()| (0..rounds).for_each(|_| life::<P, TASKS>(peer, log, n, || ()));
    meter.repeat(&mut peer, rounds * tasks * n.max(1), |_| (), body);
    let (before, handles) = (live(), size_of::<Pair<P>>() as i64);
    life::<P, TASKS>(&mut peer, log, n, || meter.weigh((live() - before) / TASKS as i64 + handles));
}

fn life<P: Peer, const TASKS: usize>(peer: &mut P, log: &'static Log, n: u64, when_added: impl FnOnce()) {
    let mut added: [_; TASKS] = from_fn(|at| {
        let (completer, mut task) = peer.task();
        for sequence in 0..n {
            P::keep(peer.add(&mut task, log.check(at as u64 * n + sequence)));
        }
        (completer, task)
    });
    peer.settle();
    when_added();
    black_box(&mut added);
    let done = added.map(|(completer, mut task)| {
        P::complete(completer, &mut task, VALUE);
        task
    });
    peer.turn();
    log.settle(TASKS as u64 * n);
    drop(done);
}

/// S2.
fn late<P: Peer>(meter: &mut Meter, n: u64) {
    let (log, mut peer) = (Log::leak(), P::new());
    let (completer, mut task) = peer.task();
    P::complete(completer, &mut task, VALUE);
    peer.turn();
    let rounds = BATCH / n;
    meter.repeat(
        &mut peer,
        rounds * n,
        |_| (),
        |peer, ()| {
            for _ in 0..rounds {
                for sequence in 0..n {
                    P::keep(peer.add_late(black_box(&mut task), log.check(sequence)));
                }
                peer.turn();
                log.settle(n);
            }
        },
    );
}

pub(super) type Pair<P> = (<P as Peer>::Completer, <P as Peer>::Task);

/// Completes the tasks that a body left, outside the figures. This number of callbacks waits on each, and must run.
pub(super) fn finish<P: Peer>(peer: &mut P, left: &mut Vec<Pair<P>>, log: &Log, each: u64) {
    let expected = left.len() as u64 * each;
    left.drain(..).for_each(|(completer, mut task)| P::complete(completer, &mut task, VALUE));
    peer.turn();
    log.settle(expected);
}

/// Adding alone.
fn adds<P: Peer>(meter: &mut Meter, n: u64) {
    let (log, tasks, left) = (Log::leak(), (BATCH / n).max(1), RefCell::new(Vec::new()));
    let prepare = |peer: &mut P| {
        finish(peer, &mut left.borrow_mut(), log, n);
        (0..tasks).map(|_| peer.task()).collect::<Vec<_>>()
    };
    let body = |peer: &mut P, mut prepared: Vec<Pair<P>>| {
        for (at, (_, task)) in (0..).zip(&mut prepared) {
            (at * n..(at + 1) * n).for_each(|sequence| P::keep(peer.add(task, log.check(sequence))));
        }
        left.replace(prepared)
    };
    let mut peer = P::new();
    meter.repeat(&mut peer, tasks * n, prepare, body);
    finish(&mut peer, &mut left.borrow_mut(), log, n);
}

/// Completing alone, and running the waiting callbacks.
fn completes<P: Peer>(meter: &mut Meter, n: u64) {
    let (log, tasks) = (Log::leak(), (BATCH / n.max(1)).max(1));
    let prepare = |peer: &mut P| {
        let tasks = (0..tasks).map(|at| {
            let (completer, mut task) = peer.task();
            (0..n).for_each(|sequence| P::keep(peer.add(&mut task, log.check(at * n + sequence))));
            peer.settle();
            (completer, task)
        });
        tasks.collect::<Vec<_>>()
    };
    let body = |peer: &mut P, prepared: Vec<Pair<P>>| {
        let complete = |(completer, mut task): (_, P::Task)| {
            P::complete(completer, &mut task, VALUE);
            task
        };
        let done = prepared.into_iter().map(complete).collect::<Vec<_>>();
        peer.turn();
        log.settle(tasks * n);
        done
    };
    meter.repeat(&mut P::new(), tasks, prepare, body);
}

/// Reading alone.
fn reads<P: Reads>(meter: &mut Meter, _: u64) {
    let mut peer = P::new();
    let (completer, mut task) = peer.task();
    P::complete(completer, &mut task, VALUE);
    peer.turn();
    let body = |_: &mut P, ()| {
        for _ in 0..BATCH {
            assert_eq!(P::read(black_box(&task)), VALUE);
        }
    };
    meter.repeat(&mut peer, BATCH, |_| (), body);
}

/// Printing alone.
fn prints<P: Prints>(meter: &mut Meter, n: u64) {
    let (log, mut peer) = (Log::leak(), P::new());
    let (completer, mut task) = peer.task();
    (0..n).for_each(|sequence| P::keep(peer.add(&mut task, log.check(sequence))));
    let body = |_: &mut P, ()| {
        let mut printed = Length(0);
        for _ in 0..BATCH / 16 {
            write!(printed, "{:?}", black_box(&task)).expect("a length takes everything");
        }
        assert!(printed.0 > 0, "nothing was printed");
    };
    meter.repeat(&mut peer, BATCH / 16, |_| (), body);
    P::complete(completer, &mut task, VALUE);
    peer.turn();
    log.settle(n);
}

/// Counts bytes that are written, and stores none.
struct Length(usize);

impl Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}
