//! S6 and S7: two real threads.

use super::check::{Log, VALUE};
use super::meter::Meter;
use super::peers::Threads;
use super::registry::Play;
use super::rows::Scenario;
use std::hint::spin_loop;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::*};
use std::thread;
use std::time::{Duration, Instant};

/// What two threads can do.
pub fn threads<P: Threads>(scenario: Scenario) -> Option<Play> {
    match scenario {
        Scenario::S6 => Some(race::<P>),
        Scenario::S7 => Some(add::<P>),
        _ => None,
    }
}

fn log_for<P: Threads>() -> &'static Log {
    if P::ORDERED_AMONG_THREADS { Log::leak() } else { Log::leak_unordered() }
}

const STREAM: u64 = 4096;

/// S6: this thread adds, the other completes, each as fast as it can; ends when all have run.
fn race<P: Threads>(meter: &mut Meter, _: u64) {
    let (log, mut peer) = (log_for::<P>(), P::new());
    meter.batches(STREAM, || {
        let (completers, mut tasks): (Vec<_>, Vec<_>) = (0..STREAM).map(|_| peer.task()).unzip();
        let (completers, gate): (Vec<_>, _) = (completers.into_iter().zip(tasks.clone()).collect(), Gate::default());
        thread::scope(|scope| {
            let completing = scope.spawn(|| {
                gate.pass();
                let complete = |(completer, mut task): (_, P::Task)| {
                    P::complete(completer, &mut task, VALUE);
                    task
                };
                completers.into_iter().map(complete).collect::<Vec<_>>()
            });
            gate.pass();
            let start = Instant::now();
            for (sequence, task) in (0..).zip(&mut tasks) {
                P::keep(peer.add(task, log.check(sequence)));
            }
            run_all(&mut peer, log, STREAM);
            let time = start.elapsed();
            completing.join().expect("it completes");
            log.settle(STREAM);
            time
        })
    });
}

/// S7: both threads add, then this one completes. Measures the adds of the slower thread and the run of the callbacks,
/// but not the waits of the threads for each other, which depend on the operating system.
fn add<P: Threads>(meter: &mut Meter, n: u64) {
    let (logs, mut peer) = ([log_for::<P>(), log_for::<P>()], P::new());
    let (passed, gate, other): (Mutex<Option<P::Task>>, _, _) = (Mutex::default(), Gate::default(), AtomicU64::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut peer = P::new();
            loop {
                gate.pass();
                let Some(mut task) = passed.lock().unwrap().clone() else { break };
                let time = add_all(&mut peer, &mut task, logs[1], &gate, n);
                other.store(time.as_nanos() as u64, Relaxed);
                gate.pass();
                run_all(&mut peer, logs[1], n);
                gate.pass();
            }
        });
        meter.batches(2 * n, || {
            let (completer, mut task) = peer.task();
            *passed.lock().unwrap() = Some(task.clone());
            gate.pass();
            let adding = add_all(&mut peer, &mut task, logs[0], &gate, n);
            gate.pass();
            let start = Instant::now();
            P::complete(completer, &mut task, VALUE);
            run_all(&mut peer, logs[0], n);
            let running = start.elapsed();
            // A loop of the other thread has callbacks of its own.
            run_all(&mut peer, logs[1], n);
            gate.pass();
            logs.iter().for_each(|log| log.settle(n));
            adding.max(Duration::from_nanos(other.load(Relaxed))) + running
        });
        passed.lock().unwrap().take();
        gate.pass();
    });
}

/// Adds at the same time as the other thread, and returns the time that it takes.
fn add_all<P: Threads>(peer: &mut P, task: &mut P::Task, log: &'static Log, gate: &Gate, n: u64) -> Duration {
    gate.pass();
    let start = Instant::now();
    (0..n).for_each(|sequence| P::keep(peer.add(task, log.check(sequence))));
    peer.settle();
    let time = start.elapsed();
    gate.pass();
    time
}

fn run_all<P: Threads>(peer: &mut P, log: &Log, n: u64) {
    while log.ran() < n {
        peer.turn();
        spin_loop();
    }
}

/// A barrier of two that spins, so that both start at once.
#[derive(Default)]
struct Gate(AtomicUsize);

impl Gate {
    fn pass(&self) {
        let even = (self.0.fetch_add(1, AcqRel) + 2) & !1;
        for spins in 1_u32.. {
            if self.0.load(Acquire) >= even {
                break;
            }
            // The other may have no processor to run on.
            if spins.is_multiple_of(10_000) { thread::yield_now() } else { spin_loop() }
        }
    }
}
