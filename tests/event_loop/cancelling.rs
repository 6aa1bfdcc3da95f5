//! Cancelling: at once for a plain task, a request for a task of the loop.

use super::support::{Log, failures, noted, noted_by_turn, on_drop, turns, watched};
use std::future::{pending, poll_fn};
use std::sync::{Arc, Barrier, OnceLock};
use std::task::Poll;
use std::thread;
use whendone::{Outcome, Task, run, spawn};

/// R50, D10
#[test]
fn a_plain_task_is_cancelled_at_once_and_its_callbacks_are_queued() {
    let noted = noted_by_turn(|log, handle| async move {
        let (_completer, task) = whendone::task::<()>(handle.clone());
        task.add_done_callback(log.callback("callback"));
        log.note(task.cancel() && task.is_cancelled());
        log.queue(&handle, "after");
        log.note(task.cancel());
        turns(1).await;
    });
    assert_eq!(noted, "1: true false 2: callback after");
}

/// R51, D10
#[test]
fn cancelling_a_task_of_the_loop_is_a_request() {
    let noted = noted_by_turn(|log, _| async move {
        let guard = log.on_drop("dropped");
        let task = spawn(async move {
            pending::<()>().await;
            drop(guard);
        });
        task.add_done_callback(log.callback("callback"));
        turns(1).await;
        log.note(task.cancel());
        log.note(task.is_done());
        turns(3).await;
        assert!(task.is_cancelled());
    });
    assert_eq!(noted, "1: 2: true false 3: dropped 4: callback 5:");
}

/// R59: this holds before and after its first step.
#[test]
fn a_task_of_a_loop_that_was_cancelled_is_dropped_without_a_report() {
    let (mut event_loop, reports) = watched();
    let begun = event_loop.handle().spawn(pending::<()>());
    event_loop.run_until_complete(turns(1));
    let fresh = event_loop.handle().spawn(pending::<()>());
    assert!(begun.cancel() && fresh.cancel());
    event_loop.run_until_complete(turns(2));
    assert!(begun.is_cancelled() && fresh.is_cancelled());
    drop((begun, fresh, event_loop));
    assert_eq!(failures(&reports.take()), []);
}

/// R52
#[test]
fn a_task_that_is_cancelled_before_its_first_step_never_runs() {
    let noted = noted_by_turn(|log, _| async move {
        let (body, guard) = (log.clone(), log.on_drop("dropped"));
        let task = spawn(async move {
            body.note("body");
            drop(guard);
        });
        task.add_done_callback(log.callback("callback"));
        assert!(task.cancel() && !task.is_cancelled());
        turns(1).await;
        assert!(task.is_cancelled());
        turns(2).await;
    });
    assert_eq!(noted, "1: 2: dropped 3: callback 4:");
}

/// R51, D10
#[test]
fn a_cancelled_future_is_dropped_on_the_loops_thread_before_callbacks() {
    let noted = noted(|log, _| async move {
        let (home, last) = (thread::current().id(), log.clone());
        let guard = on_drop(move || last.note(thread::current().id() == home));
        let task = spawn(async move {
            pending::<()>().await;
            drop(guard);
        });
        task.add_done_callback(log.callback("callback"));
        turns(1).await;
        let cancelled = task.clone();
        assert!(thread::spawn(move || cancelled.cancel()).join().unwrap());
        (&task).await;
    });
    assert_eq!(noted, "true callback");
}

/// R54, D10
#[test]
fn a_cancel_after_the_wake_wins_and_the_awaited_task_keeps_its_value() {
    let noted = noted_by_turn(|log, handle| async move {
        let (completer, awaited) = whendone::task(handle);
        let waiter = log.task("awaited", awaited.clone());
        waiter.add_done_callback(|task| assert!(task.is_cancelled()));
        waiter.add_done_callback(log.callback("cancelled"));
        turns(1).await;
        completer.complete(3).unwrap();
        assert!(waiter.cancel());
        turns(3).await;
        assert_eq!(awaited.outcome(), Some(&Outcome::Finished(3)));
    });
    assert_eq!(noted, "1: 2: 3: 4: cancelled 5:");
}

/// R55, D10, P15
#[test]
fn a_cancel_request_beats_the_value_that_the_same_step_returns() {
    struct Value(Log);
    impl Drop for Value {
        fn drop(&mut self) {
            self.0.note("dropped");
        }
    }
    let noted = noted(|log, _| async move {
        let own = Arc::new(OnceLock::<Task<Value>>::new());
        let (value, this) = (Value(log.clone()), own.clone());
        let task = spawn(async move {
            value.0.note(this.get().unwrap().cancel());
            value
        });
        task.add_done_callback(move |task| log.note(task.is_cancelled()));
        own.set(task.clone()).ok().unwrap();
        (&task).await;
    });
    assert_eq!(noted, "true dropped true");
}

/// R55, D10, P16: this holds before and after its first step.
#[test]
fn a_cancel_request_beats_the_close_of_the_loop() {
    for begins in [false, true] {
        let (mut event_loop, reports) = watched();
        let task = event_loop.handle().spawn(pending::<()>());
        if begins {
            event_loop.run_until_complete(async {});
        }
        assert!(task.cancel() && !task.is_done());
        assert_eq!(event_loop.close(), 0);
        assert!(task.is_cancelled());
        assert_eq!(failures(&reports.take()), []);
    }
}

/// R55, D10
#[test]
fn a_cancel_request_does_not_beat_a_panic() {
    run(async {
        let own = Arc::new(OnceLock::<Task<()>>::new());
        let this = own.clone();
        let task = spawn(async move {
            assert!(!this.get().unwrap().cancel(), "of the future");
        });
        own.set(task.clone()).unwrap();
        assert!(matches!((&task).await, Outcome::Panicked(panic) if panic.message() == "of the future"));
    });
}

/// R51, P17, D10
#[test]
fn a_task_that_cancels_itself_and_suspends_is_never_polled_again() {
    let noted = noted_by_turn(|log, _| async move {
        let own = Arc::new(OnceLock::<Task<()>>::new());
        let (this, polled) = (own.clone(), log.clone());
        let task = spawn(poll_fn(move |_| {
            polled.note(this.get().unwrap().cancel());
            Poll::Pending
        }));
        task.add_done_callback(log.callback("callback"));
        own.set(task).unwrap();
        turns(4).await;
    });
    assert_eq!(noted, "1: 2: true 3: 4: callback 5:");
}

/// D18
#[test]
fn a_task_that_cancels_itself_is_queued_ahead_of_its_later_calls() {
    let noted = noted(|log, handle| async move {
        let own = Arc::new(OnceLock::<Task<()>>::new());
        let (this, soon, last) = (own.clone(), log.clone(), log.clone());
        let guard = on_drop(move || last.note("ended"));
        let task = spawn(async move {
            this.get().unwrap().cancel();
            handle.call_soon(move || soon.note("soon")).unwrap();
            pending::<()>().await;
            drop(guard);
        });
        own.set(task.clone()).unwrap();
        (&task).await;
    });
    assert_eq!(noted, "ended soon");
}

/// R51, R37, P3, D10
#[test]
fn cancel_is_granted_until_the_task_is_done_and_never_after() {
    let noted = noted(|log, _| async move {
        let finished = log.task("step", async {});
        let cancelled = spawn(pending::<()>());
        turns(1).await;
        assert!(cancelled.cancel() && cancelled.cancel());
        assert!(!finished.cancel());
        cancelled.add_done_callback(move |task| log.note(task.cancel()));
        (&cancelled).await;
        assert!(!cancelled.cancel());
        assert_eq!(finished.outcome(), Some(&Outcome::Finished(())));
    });
    assert_eq!(noted, "step false");
}

/// R57, P1
/// Threads: one completes a plain task, one cancels it.
/// May: either wins.
/// Must not: both win, or none; a callback runs twice, or never.
#[test]
fn complete_vs_cancel() {
    for _ in 0..200 {
        let noted = noted(|log, handle| async move {
            let (completer, task) = whendone::task(handle);
            task.add_done_callback(log.callback("callback"));
            let (start, cancelled) = (Arc::new(Barrier::new(2)), task.clone());
            let other = start.clone();
            let canceller = thread::spawn(move || {
                other.wait();
                cancelled.cancel()
            });
            start.wait();
            let completed = completer.complete(3);
            assert_ne!(canceller.join().unwrap(), completed.is_ok());
            let outcome = if completed.is_ok() { Outcome::Finished(3) } else { Outcome::Cancelled };
            assert_eq!((&task).await, &outcome);
        });
        assert_eq!(noted, "callback");
    }
}
