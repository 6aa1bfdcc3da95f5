//! The documented promises of Go's `context.AfterFunc`, as tests of our own.

use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use whendone_adapters::after_func::Context;

#[test]
fn a_function_runs_after_the_cancel_on_a_thread_of_its_own() {
    let (context, cancel) = Context::with_cancel();
    let (log, runs) = mpsc::channel();
    context.after_func(move |context| log.send((thread::current().id(), context.cause().copied())).unwrap());
    assert!(runs.try_recv().is_err());
    assert!(cancel.cancel("why"));
    let (thread, cause) = runs.recv().unwrap();
    assert_ne!(thread, thread::current().id());
    assert_eq!(cause, Some("why"));
}

#[test]
fn only_the_first_cancel_sets_the_cause() {
    let (context, cancel) = Context::with_cancel();
    assert!(cancel.clone().cancel(1) && !cancel.cancel(2));
    assert_eq!(context.cause(), Some(&1));
}

#[test]
fn a_function_for_a_cancelled_context_runs_at_once_on_its_own_thread() {
    let (context, cancel) = Context::with_cancel();
    cancel.cancel(());
    let (log, runs) = mpsc::channel();
    let stop = context.after_func(move |_| log.send(thread::current().id()).unwrap());
    assert_ne!(runs.recv().unwrap(), thread::current().id());
    assert!(!stop.stop());
}

#[test]
fn functions_of_one_context_are_independent() {
    let (context, cancel) = Context::with_cancel();
    let (log, runs) = mpsc::channel();
    let stops: Vec<_> = (0..3)
        .map(|at| {
            let log = log.clone();
            context.after_func(move |_| log.send(at).unwrap())
        })
        .collect();
    drop(log);
    assert!(stops[1].stop());
    cancel.cancel(());
    let mut ran: Vec<_> = runs.iter().collect();
    ran.sort_unstable();
    assert_eq!(ran, [0, 2]);
}

#[test]
fn stop_is_true_once_and_drops_the_function() {
    let (context, cancel) = Context::with_cancel();
    let held = Arc::new(());
    let within = held.clone();
    let stop = context.after_func(move |_| drop(within));
    assert!(stop.stop() && !stop.stop());
    assert_eq!(Arc::strong_count(&held), 1);
    cancel.cancel(());
}

#[test]
fn stop_is_false_once_started_and_waits_for_nothing() {
    let (context, cancel) = Context::with_cancel();
    let both = Arc::new(Barrier::new(2));
    let within = both.clone();
    let stop = context.after_func(move |_| {
        within.wait();
    });
    cancel.cancel(());
    assert!(!stop.stop(), "the function still runs");
    both.wait();
}

#[test]
fn a_function_that_panics_stays_on_its_thread() {
    let (context, cancel) = Context::with_cancel();
    let (log, runs) = mpsc::channel();
    context.after_func(|_| panic!("no luck"));
    context.after_func(move |_| log.send(()).unwrap());
    assert!(cancel.cancel(()));
    assert_eq!(runs.recv(), Ok(()));
}

/// P9: true means that it never runs, and false that it does.
#[test]
fn a_stop_that_races_with_the_cancel_says_the_truth() {
    for _ in 0..500 {
        let (context, cancel) = Context::with_cancel();
        let ((log, runs), start) = (mpsc::channel(), Barrier::new(2));
        let stop = context.after_func(move |_| log.send(()).unwrap());
        let stopped = thread::scope(|scope| {
            let stopping = scope.spawn(|| {
                start.wait();
                stop.stop()
            });
            start.wait();
            cancel.cancel(());
            stopping.join().unwrap()
        });
        assert_eq!(runs.recv().is_err(), stopped);
    }
}
