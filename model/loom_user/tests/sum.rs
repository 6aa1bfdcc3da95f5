//! A user's loom test: what holds in every schedule, and the races that it finds.
#![cfg(loom)]

use loom::cell::UnsafeCell;
use loom::future::block_on;
use loom::model;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use loom::thread;
use std::sync::mpsc;
use whendone::{Inline, Outcome, Task};
use whendone_loom_user::{racy_sum, sum};

/// A place that is read and written without any order of its own.
#[derive(Default)]
struct Watched(UnsafeCell<()>);

// SAFETY: nothing is stored. loom watches the accesses, and fails the model if two of them race.
unsafe impl Sync for Watched {}

impl Watched {
    fn read(&self) {
        self.0.with(|_| ());
    }

    fn write(&self) {
        self.0.with_mut(|_| ());
    }
}

/// Completes two tasks on two threads, and returns the sum that is known once both threads have ended.
fn completed_by_two_threads(sum: fn(&[&Task<u32>]) -> Task<u32>) -> Option<Outcome<u32>> {
    let ((one, first), (two, second)) = (whendone::task(Inline), whendone::task(Inline));
    let all = sum(&[&first, &second]);
    let other = thread::spawn(move || two.complete(2).unwrap());
    one.complete(1).unwrap();
    other.join().unwrap();
    all.outcome().cloned()
}

#[test]
fn the_sum_is_there_once_all_threads_have_completed() {
    model(|| assert_eq!(completed_by_two_threads(sum), Some(Outcome::Finished(3))));
}

#[test]
#[should_panic(expected = "left: Some(Finished(3))")]
fn a_planted_race_of_the_users_own_is_found() {
    model(|| assert_eq!(Some(Outcome::Finished(3)), completed_by_two_threads(racy_sum)));
}

/// Each thread has a trampoline of its own: a drain of the other thread defers nothing here.
#[test]
fn inline_callbacks_have_run_when_complete_returns() {
    model(|| {
        let at_once = Arc::new(AtomicUsize::new(0));
        let complete = |at_once: Arc<AtomicUsize>| {
            let (completer, task) = whendone::task(Inline);
            let (sender, has_run) = mpsc::channel();
            // What both touch makes loom switch between them, inside the callbacks.
            task.add_done_callback(move |_| sender.send(at_once.fetch_add(1, SeqCst)));
            completer.complete(1).unwrap();
            assert!(has_run.try_recv().is_ok());
        };
        let shared = at_once.clone();
        let other = thread::spawn(move || complete(shared));
        complete(at_once);
        other.join().unwrap();
    });
}

#[test]
fn an_await_is_woken_by_the_thread_that_completes() {
    model(|| {
        let (completer, task) = whendone::task(Inline);
        let other = thread::spawn(move || completer.complete(1).unwrap());
        assert_eq!(block_on(async { (&task).await.value().copied() }), Some(1));
        other.join().unwrap();
    });
}

/// A value that one thread reads from the outcome is dropped by the other, which has the last handle.
#[test]
fn the_last_handle_is_dropped_after_all_reads() {
    struct Value(Watched);
    impl Drop for Value {
        fn drop(&mut self) {
            self.0.write();
        }
    }
    model(|| {
        let (completer, task) = whendone::task(Inline);
        completer.complete(Value(Watched::default())).ok().unwrap();
        let (own, gone) = (task.clone(), Arc::new(AtomicBool::new(false)));
        let tells = gone.clone();
        let other = thread::spawn(move || {
            own.outcome().unwrap().value().unwrap().0.read();
            drop(own);
            tells.store(true, Relaxed);
        });
        if gone.load(Relaxed) {
            drop(task);
        }
        other.join().unwrap();
    });
}

/// The relaxed flag orders nothing. The callback is where loom finds the race.
#[test]
#[should_panic(expected = "Causality violation")]
fn a_race_inside_a_callback_is_found() {
    model(|| {
        let (completer, task) = whendone::task(Inline);
        let (place, has_read) = (Arc::new(Watched::default()), Arc::new(AtomicBool::new(false)));
        let (read_here, tells) = (place.clone(), has_read.clone());
        task.add_done_callback(move |_| place.write());
        let reader = thread::spawn(move || {
            read_here.read();
            tells.store(true, Relaxed);
        });
        if has_read.load(Relaxed) {
            completer.complete(()).unwrap();
        }
        reader.join().unwrap();
    });
}

#[test]
#[should_panic(expected = "no hook took: whendone: exception in callback")]
fn an_assertion_that_fails_in_a_callback_fails_the_model() {
    model(|| {
        let (completer, task) = whendone::task(Inline);
        task.add_done_callback(|task| assert!(task.is_cancelled()));
        completer.complete(()).unwrap();
    });
}
