//! A task is completed once, and its outcome stays.

use super::support::{Log, queue};
use std::sync::{Arc, Barrier, mpsc};
use std::{ptr, thread};
use whendone::{AlreadyDone, Inline, Outcome, Ready};

/// R1, R2, R57, P1
#[test]
fn second_completion_is_refused_and_hands_the_value_back() {
    let (completer, task) = whendone::task(Inline);
    assert!(task.cancel());
    let value = Box::new(3);
    let address = &raw const *value;
    let AlreadyDone(returned) = completer.complete(value).unwrap_err();
    assert!(ptr::eq(&*returned, address));
    assert_eq!(task.outcome(), Some(&Outcome::Cancelled));
    assert_eq!(AlreadyDone(returned).to_string(), "task is already done");
}

/// R1, R50, R57, P1
#[test]
fn cancelling_a_done_task_is_refused_and_changes_nothing() {
    let (scheduler, queue) = queue();
    let (completer, task) = whendone::task(scheduler);
    completer.complete(1).unwrap();
    assert!(!task.cancel());
    assert_eq!((task.outcome(), task.is_cancelled()), (Some(&Outcome::Finished(1)), false));
    assert_eq!(queue.try_iter().count(), 0);
}

/// R50
#[test]
fn cancelling_completes_at_once_and_hands_the_callbacks_over() {
    let (scheduler, queue) = queue();
    let (_completer, task) = whendone::task::<u32>(scheduler);
    let (sender, seen) = mpsc::channel();
    task.add_done_callback(move |task| sender.send(task.is_cancelled()));
    assert!(task.cancel());
    assert_eq!((task.outcome(), task.is_cancelled()), (Some(&Outcome::Cancelled), true));
    assert_eq!(queue.try_iter().map(Ready::run).count(), 1);
    assert_eq!(seen.try_recv(), Ok(true));
    assert!(!task.cancel());
}

/// R57, P1
#[test]
fn exactly_one_of_a_racing_cancel_and_completion_wins() {
    for _ in 0..100 {
        let (completer, task) = whendone::task(Inline);
        let start = Arc::new(Barrier::new(2));
        let canceller = thread::spawn({
            let (task, start) = (task.clone(), start.clone());
            move || {
                start.wait();
                task.cancel()
            }
        });
        start.wait();
        let completed = completer.complete(1);
        let cancelled = canceller.join().unwrap();
        assert_eq!(completed, if cancelled { Err(AlreadyDone(1)) } else { Ok(()) });
        assert_eq!(task.is_cancelled(), cancelled);
    }
}

/// R3, P2, P3
#[test]
fn outcome_is_none_while_pending_and_then_always_the_same() {
    let (completer, task) = whendone::task(Inline);
    assert_eq!((task.outcome(), task.is_done()), (None, false));
    completer.complete("value").unwrap();
    let outcome = task.outcome().unwrap();
    assert_eq!((outcome, outcome.value()), (&Outcome::Finished("value"), Some(&"value")));
    assert!(!task.cancel() && ptr::eq(task.outcome().unwrap(), outcome));
    assert_eq!(outcome.clone().into_value(), Some("value"));
}

/// R6, P2, P6
#[test]
fn every_callback_sees_the_task_done_with_its_final_outcome() {
    let (sender, seen) = mpsc::channel();
    let (completer, task) = whendone::task(Inline);
    for _ in 0..3 {
        let sender = sender.clone();
        task.add_done_callback(move |task| sender.send((task.is_done(), task.outcome().cloned())));
    }
    assert!(seen.try_recv().is_err());
    completer.complete(7).unwrap();
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), vec![(true, Some(Outcome::Finished(7))); 3]);
}

/// R7, R30, P6
#[test]
fn completion_hands_over_one_entry_per_callback_in_order_and_runs_nothing() {
    let (log, (scheduler, queue)) = (Log::default(), queue());
    let (completer, task) = whendone::task(scheduler);
    for word in ["a", "b", "c"] {
        task.add_done_callback(log.says(word));
    }
    assert!(queue.try_recv().is_err());
    completer.complete(()).unwrap();
    assert!(task.is_done() && log.words().is_empty());
    let entries: Vec<Ready> = queue.try_iter().collect();
    assert_eq!(entries.len(), 3);
    entries.into_iter().for_each(Ready::run);
    assert_eq!(log.words(), ["a", "b", "c"]);
}

/// D7: an abandoned task is done, and nobody cancelled it.
#[test]
fn an_abandoned_task_is_not_a_cancelled_one() {
    let (completer, task) = whendone::task::<()>(Inline);
    drop(completer);
    assert!(task.is_done() && !task.is_cancelled() && !task.cancel());
}
