//! Completers, handles and captures: their owners and lifetimes.

use super::support::{Log, failures, poll, queue, refusing, run_all, watched};
use std::future::IntoFuture;
use std::panic::panic_any;
use std::sync::{Arc, mpsc};
use std::task::{Poll, Waker};
use whendone::{Completer, Inline, Outcome, Ready, Schedule, SharedCallback, Task};

/// R80, D7, P16
#[test]
fn callbacks_and_awaits_see_that_a_dropped_completer_abandons_its_task() {
    let (log, (completer, task)) = (Log::default(), whendone::task::<u32>(Inline));
    let mut wait = (&task).into_future();
    assert!(poll(&mut wait, &log.waker("woken")).is_pending());
    let says = log.says("abandoned");
    task.add_done_callback(move |task| {
        assert_eq!(task.outcome(), Some(&Outcome::Abandoned));
        says(task);
    });
    drop(completer);
    assert_eq!(poll(&mut wait, Waker::noop()), Poll::Ready(&Outcome::Abandoned));
    assert_eq!(log.words(), ["woken", "abandoned"]);
}

/// R1, D7, P1
#[test]
fn a_completer_that_is_dropped_after_a_cancel_changes_nothing() {
    let (completer, task) = whendone::task::<u32>(Inline);
    assert!(completer.task().cancel());
    drop(completer);
    assert!(task.is_cancelled());
}

/// R80, D7
#[test]
fn callbacks_run_though_all_handles_were_dropped() {
    let (log, (completer, task)) = (Log::default(), whendone::task(Inline));
    task.add_done_callback(log.says("ran"));
    drop(task);
    completer.complete(()).unwrap();
    assert_eq!(log.words(), ["ran"]);
}

/// R59, D8
#[test]
fn a_task_that_ended_without_a_panic_is_dropped_without_a_report() {
    let ends: [fn(Completer<u32>); 3] =
        [|completer| completer.complete(3).unwrap(), |completer| assert!(completer.task().cancel()), drop];
    for end in ends {
        let (scheduler, reports) = watched(Inline);
        let (completer, task) = whendone::task(scheduler);
        task.add_done_callback(|_| ());
        end(completer);
        drop(task);
        assert_eq!(failures(&reports), []);
    }
}

/// R18, R76, P15
#[test]
fn the_value_lives_as_long_as_any_handle_or_queued_callback() {
    let ((scheduler, queue), value) = (queue(), Arc::new(()));
    let (completer, task) = whendone::task(scheduler);
    let (sender, seen) = mpsc::channel();
    task.add_done_callback(move |task| sender.send(task.outcome().cloned()));
    completer.complete(value.clone()).unwrap();
    drop(task);
    assert_eq!(Arc::strong_count(&value), 2);
    run_all(&queue);
    assert_eq!(seen.try_recv(), Ok(Some(Outcome::Finished(value.clone()))));
    assert_eq!(Arc::strong_count(&value), 1);
}

/// P15
#[test]
fn captures_and_values_are_released_on_every_path() {
    let held = Arc::new(());
    let refuse: fn(Ready) -> Result<(), Ready> = refusing;
    for scheduler in [refuse, |ready| Inline.schedule(ready), |_| Ok(()), |_| panic!("scheduler")] {
        for end in [|completer: Completer<_>, value| _ = completer.complete(value), |completer, _| drop(completer)] {
            let (scheduler, reports) = watched(scheduler);
            let (completer, task) = whendone::task(scheduler);
            let [early, removed, panicking, waiting, late] = std::array::from_fn(|_| held.clone());
            task.add_done_callback(move |_| drop(early));
            let id = task.add_done_callback(move |_| drop(removed));
            assert!(task.remove_done_callback(id));
            task.add_done_callback(move |_| panic_any(panicking));
            let shared = SharedCallback::new(move |_: &Task<_>| _ = &waiting);
            let (_, _, _) = (task.add_shared(&shared), task.remove_shared(&shared), task.add_shared(&shared));
            end(completer, held.clone());
            task.add_done_callback(move |_| drop(late));
            drop((task, shared, reports));
            assert_eq!(Arc::strong_count(&held), 1);
        }
    }
    let (completer, task) = whendone::task(Inline);
    task.cancel();
    drop((completer.complete(held.clone()), task));
    assert_eq!(Arc::strong_count(&held), 1);
}

/// R108, P15
#[test]
fn a_callback_that_holds_its_own_task_keeps_it_until_done_or_removed() {
    let held = Arc::new(());
    for complete in [true, false] {
        let (completer, task) = whendone::task(watched(Inline).0);
        let (own, capture) = (task.clone(), held.clone());
        let id = task.add_done_callback(move |_| drop((own, capture)));
        assert_eq!(Arc::strong_count(&held), 2);
        if complete {
            completer.complete(()).unwrap();
        } else {
            assert!(task.remove_done_callback(id));
        }
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
