//! The scenarios of loops, each batch within one run of the loop, so that hand-overs are measured and not runs; and the
//! scenarios of a run and of a spawned future.

use super::allocations::live;
use super::check::{Log, VALUE};
use super::meter::Meter;
use super::peers::{Executor, Loop, Value};
use super::registry::Play;
use super::rows::Scenario::{self, *};
use super::scenarios::{BATCH, Pair};
use std::array::from_fn;
use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::mem;
use std::task::Poll;

/// The scenarios of a loop, within a run.
pub fn within<P: Loop>(scenario: Scenario) -> Option<Play> {
    match scenario {
        S1 | S5 => Some(|meter, n| if n <= BATCH / 16 { lives::<P, 16>(meter, n) } else { lives::<P, 1>(meter, n) }),
        S2 => Some(late::<P>),
        Complete => Some(completes::<P>),
        _ => None,
    }
}

/// Lets the loop run the entries that are queued.
pub(super) fn turn() -> impl Future<Output = ()> + Send {
    let mut over = false;
    poll_fn(move |context| {
        if mem::replace(&mut over, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

/// S1 and, without callbacks, S5.
fn lives<P: Loop, const TASKS: usize>(meter: &mut Meter, n: u64) {
    let (log, tasks, mut peer) = (Log::leak(), TASKS as u64, P::new());
    let rounds = (BATCH / (tasks * n.max(1))).max(1);
    let body = |peer: &mut P, ()| {
        let maker = peer.maker();
        peer.run(async move {
            for _ in 0..rounds {
                life::<P, TASKS>(&maker, log, n, || ()).await;
            }
        });
    };
    meter.repeat(&mut peer, rounds * tasks * n.max(1), |_| (), body);
    let (before, maker) = (live(), peer.maker());
    let added = peer.run(async move {
        let mut added = 0;
        life::<P, TASKS>(&maker, log, n, || added = live()).await;
        added
    });
    meter.weigh((added - before) / TASKS as i64 + size_of::<Pair<P>>() as i64);
}

async fn life<P: Loop, const TASKS: usize>(maker: &P::Maker, log: &'static Log, n: u64, when_added: impl FnOnce()) {
    let mut added: [_; TASKS] = from_fn(|at| {
        let (completer, mut task) = P::make(maker);
        for sequence in 0..n {
            P::keep(P::add_within(&mut task, log.check(at as u64 * n + sequence)));
        }
        (completer, task)
    });
    when_added();
    black_box(&mut added);
    let done = added.map(|(completer, mut task)| {
        P::complete(completer, &mut task, VALUE);
        task
    });
    turn().await;
    log.settle(TASKS as u64 * n);
    drop(done);
}

/// S2.
fn late<P: Loop>(meter: &mut Meter, n: u64) {
    let (log, mut peer, rounds) = (Log::leak(), P::new(), BATCH / n);
    let prepare = |peer: &mut P| {
        let (completer, mut task) = peer.task();
        P::complete(completer, &mut task, VALUE);
        peer.turn();
        task
    };
    let body = |peer: &mut P, mut task: P::Task| {
        peer.run(async move {
            for _ in 0..rounds {
                (0..n).for_each(|sequence| P::keep(P::add_within(black_box(&mut task), log.check(sequence))));
                turn().await;
                log.settle(n);
            }
            task
        })
    };
    meter.repeat(&mut peer, rounds * n, prepare, body);
}

/// Completing alone, and running the waiting callbacks.
fn completes<P: Loop>(meter: &mut Meter, n: u64) {
    let (log, tasks) = (Log::leak(), (BATCH / n.max(1)).max(1));
    let prepare = |peer: &mut P| {
        let tasks = (0..tasks).map(|at| {
            let (completer, mut task) = peer.task();
            (0..n).for_each(|sequence| P::keep(peer.add(&mut task, log.check(at * n + sequence))));
            (completer, task)
        });
        tasks.collect::<Vec<_>>()
    };
    let body = |peer: &mut P, prepared: Vec<Pair<P>>| {
        peer.run(async move {
            let complete = |(completer, mut task): (_, P::Task)| {
                P::complete(completer, &mut task, VALUE);
                task
            };
            let done = prepared.into_iter().map(complete).collect::<Vec<_>>();
            turn().await;
            log.settle(tasks * n);
            done
        })
    };
    meter.repeat(&mut P::new(), tasks, prepare, body);
}

/// The scenarios of an executor.
pub fn executing<E: Executor>(scenario: Scenario) -> Option<Play> {
    match scenario {
        Run => Some(runs::<E>),
        Spawn => Some(|meter, kib| match kib {
            0 => spawns::<E, 0>(meter, BATCH),
            1 => spawns::<E, 1024>(meter, 64),
            16 => spawns::<E, { 16 * 1024 }>(meter, 64),
            _ => spawns::<E, { 64 * 1024 }>(meter, 64),
        }),
        _ => None,
    }
}

fn runs<E: Executor>(meter: &mut Meter, _: u64) {
    const RUNS: u64 = BATCH / 16;
    meter.repeat(&mut E::new(), RUNS, |_| (), |executor, ()| (0..RUNS).for_each(|_| executor.run()));
}

/// The future holds this number of bytes from its spawn to its end. One run of the loop takes all futures of a batch.
fn spawns<E: Executor, const BYTES: usize>(meter: &mut Meter, batch: u64) {
    let (log, mut executor) = (Log::leak(), E::new());
    let make = move |sequence| {
        let (check, bytes) = (log.check(sequence), [sequence as u8; BYTES]);
        async move {
            black_box(&bytes);
            check.run(VALUE);
            Value(VALUE)
        }
    };
    let body = |executor: &mut E, spawned| {
        let spawned = executor.play(batch, make, spawned);
        log.settle(batch);
        spawned
    };
    meter.repeat(&mut executor, batch, |_| Vec::with_capacity(batch as usize), body);
    let before = live();
    let spawned = executor.spawn(make(0));
    meter.weigh(live() - before + size_of::<E::Spawned>() as i64);
    executor.turn();
    log.settle(1);
    drop(spawned);
}
