//! The measured scenarios of one thread, and the rows of the tables.

use super::allocations::live;
use super::check::{Log, VALUE};
use super::meter::Meter;
use super::peers::{Peer, Reads, Removes};
use Scenario::*;
use serde::{Deserialize, Serialize};
use std::array::from_fn;
use std::cell::RefCell;
use std::fmt;
use std::hint::black_box;
use std::ops::Range;

/// A scenario by its number in `performance.md`, or an addition to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scenario {
    /// Add n, complete, run all; for one callback.
    S1,
    /// Add n to a task that is done; for one callback.
    S2,
    /// Add and remove, on a pending task beside n others; for one pair.
    S3,
    /// Add n and remove them in random order; for one pair.
    S4,
    /// The removals of S4 alone; for one removal.
    S4Remove,
    /// The first quarter of them, before any gap is closed; for one removal.
    S4First,
    /// As S4Remove, after 3 n others have gone; for one removal.
    S4Compact,
    /// Make, complete and drop a task without callbacks; for one task.
    S5,
    /// Add n to a pending task; for one add.
    Add,
    /// Complete a task with n callbacks, which run; for one task.
    Complete,
    /// Read the outcome of a task that is done; for one read.
    Read,
    /// One thread completes a stream of tasks, another adds to each; for one task.
    S6,
    /// Two threads add n each to one task, which is then completed; for one callback.
    S7,
}

/// One row: a scenario and its n.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Row {
    pub scenario: Scenario,
    pub n: u64,
}

/// Every row of the tables.
#[rustfmt::skip]
pub const ROWS: [Row; 27] = [
    row(S1, 1), row(S1, 8), row(S1, 64), row(S1, 65), row(S1, 1024), row(S1, 100_000),
    row(S2, 1), row(S2, 64),
    row(S3, 0), row(S3, 64),
    row(S4, 64), row(S4, 8192), row(S4, 16384),
    row(S4Remove, 64), row(S4Remove, 8192),
    row(S4First, 64), row(S4First, 8192), row(S4Compact, 64), row(S4Compact, 8192),
    row(S5, 0),
    row(Add, 64), row(Complete, 0), row(Complete, 64), row(Read, 0),
    row(S6, 1),
    row(S7, 64), row(S7, 1024),
];

const fn row(scenario: Scenario, n: u64) -> Row {
    Row { scenario, n }
}

impl Row {
    /// One thread, so that instructions and allocations repeat.
    pub fn repeats(self) -> bool {
        self.scenario < Scenario::S6
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} n={}", self.scenario, self.n)
    }
}

/// The number of operations in a batch, about: enough to hide the reading of the clock.
const BATCH: u64 = 2048;

/// S1 and, without callbacks, S5. A loop's turn takes several tasks, unless they are large.
pub fn lives<P: Peer>(meter: &mut Meter, n: u64) {
    if P::HAS_LOOP && n <= 1024 { some_lives::<P, 16>(meter, n) } else { some_lives::<P, 1>(meter, n) }
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
pub fn late<P: Peer>(meter: &mut Meter, n: u64) {
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
                    P::keep(peer.add(black_box(&mut task), log.check(sequence)));
                }
                peer.turn();
                log.settle(n);
            }
        },
    );
}

/// S3 and S4.
pub struct Removals {
    pub(super) pairs: fn(&mut Meter, u64),
    pub(super) shuffled: fn(&mut Meter, u64),
    pub(super) alone: fn(&mut Meter, u64),
    pub(super) first: fn(&mut Meter, u64),
    pub(super) compacted: fn(&mut Meter, u64),
}

impl Removals {
    pub(super) const fn of<P: Removes>() -> Self {
        Removals {
            pairs: pairs::<P>,
            shuffled: shuffled::<P>,
            alone: |meter, n| some_removals::<P>(meter, n, 0..n),
            first: |meter, n| some_removals::<P>(meter, n, 0..n / 4),
            compacted: |meter, n| some_removals::<P>(meter, 4 * n, 3 * n..4 * n),
        }
    }
}

/// S3. Weighs what the pairs leave behind; the others must run in the end.
fn pairs<P: Removes>(meter: &mut Meter, others: u64) {
    let (log, mut peer) = (Log::leak(), P::new());
    let (completer, mut task) = peer.task();
    for sequence in 0..others {
        P::keep(peer.add(&mut task, log.check(sequence)));
    }
    let pair = |peer: &mut P, task: &mut P::Task| {
        let id = peer.add(task, log.check(others));
        peer.settle();
        peer.remove(black_box(&mut *task), id);
        peer.settle();
    };
    pair(&mut peer, &mut task);
    let before = live();
    let mut in_batch = |peer: &mut P, ()| (0..BATCH).for_each(|_| pair(peer, &mut task));
    meter.repeat(&mut peer, BATCH, |_| (), &mut in_batch);
    meter.weigh(live() - before);
    P::complete(completer, &mut task, VALUE);
    peer.turn();
    log.settle(others);
}

/// S4.
fn shuffled<P: Removes>(meter: &mut Meter, n: u64) {
    let (log, mut peer) = (Log::leak(), P::new());
    let (completer, mut task) = peer.task();
    let (order, rounds) = (random_order(n), (BATCH / n).max(1));
    let mut ids = Vec::with_capacity(n as usize);
    meter.repeat(
        &mut peer,
        rounds * n,
        |_| (),
        |peer, ()| {
            for _ in 0..rounds {
                ids.extend((0..n).map(|sequence| Some(peer.add(&mut task, log.check(sequence)))));
                peer.settle();
                for &at in &order {
                    ids[at].take().into_iter().for_each(|id| peer.remove(black_box(&mut task), id));
                }
                peer.settle();
                ids.clear();
            }
        },
    );
    P::complete(completer, &mut task, VALUE);
    peer.turn();
    log.settle(0);
}

/// Adds `all`, removes them in random order, and measures a part of the removals.
fn some_removals<P: Removes>(meter: &mut Meter, all: u64, measured: Range<u64>) {
    let (log, order) = (Log::leak(), random_order(all));
    let (begin, count) = (measured.start as usize, (measured.end - measured.start) as usize);
    let (tasks, stay) = ((BATCH / count as u64).max(1), all - measured.end);
    let mut stays: Vec<_> = order[begin + count..].to_vec();
    stays.sort_unstable();
    let left = RefCell::new(Vec::new());
    let prepare = |peer: &mut P| {
        finish(peer, &mut left.borrow_mut(), log, stay);
        let prepared = (0..tasks).map(|nth| {
            let (completer, mut task) = peer.task();
            let check = |at| stays.binary_search(&at).map_or(log.never(), |turn| log.check(nth * stay + turn as u64));
            let mut ids: Vec<_> = (0..all as usize).map(|at| Some(peer.add(&mut task, check(at)))).collect();
            peer.settle();
            let mut removed: Vec<_> = order[..begin + count].iter().filter_map(|&at| ids[at].take()).collect();
            ids.into_iter().flatten().for_each(P::keep);
            let measured = removed.split_off(begin);
            removed.into_iter().for_each(|id| peer.remove(&mut task, id));
            peer.settle();
            ((completer, task), measured)
        });
        prepared.unzip()
    };
    let body = |peer: &mut P, (mut tasks, measured): (Vec<Pair<P>>, Vec<Vec<P::Id>>)| {
        for ((_, task), ids) in tasks.iter_mut().zip(measured) {
            for id in ids {
                peer.remove(black_box(task), id);
            }
            peer.settle();
        }
        left.replace(tasks)
    };
    let mut peer = P::new();
    meter.repeat(&mut peer, tasks * count as u64, prepare, body);
    finish(&mut peer, &mut left.borrow_mut(), log, stay);
}

type Pair<P> = (<P as Peer>::Completer, <P as Peer>::Task);

/// Completes the tasks that a body left, outside the figures. This number of callbacks waits on each, and must run.
fn finish<P: Peer>(peer: &mut P, left: &mut Vec<Pair<P>>, log: &Log, each: u64) {
    let expected = left.len() as u64 * each;
    left.drain(..).for_each(|(completer, mut task)| P::complete(completer, &mut task, VALUE));
    peer.turn();
    log.settle(expected);
}

/// Adding alone.
pub fn adds<P: Peer>(meter: &mut Meter, n: u64) {
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

/// Completing alone, and running what waits.
pub fn completes<P: Peer>(meter: &mut Meter, n: u64) {
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
pub fn reads<P: Reads>(meter: &mut Meter, _: u64) {
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

/// A random order, the same on every call. Another one costs other instructions (S4Compact), so a generator from a library
/// would move the budget with its version.
fn random_order(n: u64) -> Vec<usize> {
    let (mut order, mut random): (Vec<_>, _) = ((0..n as usize).collect(), 1_u64);
    for at in (1..order.len()).rev() {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(at, (random >> 33) as usize % (at + 1));
    }
    order
}
