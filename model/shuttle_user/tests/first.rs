//! A user's shuttle test: a sample of schedules of more threads than loom explores.
#![cfg(shuttle)]

use shuttle::{check_random_with_seed, thread};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, mpsc};
use whendone::{Inline, Task};
use whendone_shuttle_user::{first, racy_first};

const THREADS: u32 = 6;
/// The seed of the sample: each run explores the same schedules.
const SEED: u64 = 1;
const SCHEDULES: usize = 500;

/// Completes tasks, each on a thread of its own, and returns the value that the first of them gave.
fn completed_by_threads(first: fn(&[Task<u32>]) -> Task<u32>) -> u32 {
    let (completers, tasks): (Vec<_>, Vec<_>) = (0..THREADS).map(|_| whendone::task(Inline)).unzip();
    let first = first(&tasks);
    let threads: Vec<_> = completers
        .into_iter()
        .zip(0..)
        .map(|(completer, value)| thread::spawn(move || completer.complete(value).unwrap()))
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    *first.outcome().unwrap().value().unwrap()
}

#[test]
fn every_task_is_the_first_one_in_some_schedule() {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let values = seen.clone();
    check_random_with_seed(move || _ = values.lock().unwrap().insert(completed_by_threads(first)), SEED, SCHEDULES);
    assert!(seen.lock().unwrap().iter().copied().eq(0..THREADS));
}

#[test]
#[should_panic(expected = "no hook took: whendone: exception in callback")]
fn a_planted_race_of_the_users_own_is_found() {
    check_random_with_seed(|| _ = completed_by_threads(racy_first), SEED, SCHEDULES);
}

/// Each thread has a trampoline of its own: a drain of another thread defers nothing here.
#[test]
fn inline_callbacks_have_run_when_complete_returns() {
    let complete = || {
        let (completer, task) = whendone::task(Inline);
        let (sender, has_run) = mpsc::channel();
        task.add_done_callback(move |_| {
            thread::yield_now();
            sender.send(())
        });
        completer.complete(1).unwrap();
        assert!(has_run.try_recv().is_ok());
    };
    let at_once = move || {
        let threads: Vec<_> = (0..THREADS).map(|_| thread::spawn(complete)).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    };
    check_random_with_seed(at_once, SEED, SCHEDULES);
}
