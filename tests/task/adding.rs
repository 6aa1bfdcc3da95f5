//! Adding: the place of a callback in the line, and its captures.

use super::support::{Log, OnDrop, failures, queue, refusing, run_all, watched};
use std::collections::HashSet;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use whendone::{CallbackId, Failure, Inline, Ready, SharedCallback, Task};

/// R12, P7
#[test]
fn callbacks_run_in_the_order_in_which_they_were_added() {
    let log = Log::default();
    let (completer, task) = whendone::task(Inline);
    for word in ["a", "b", "c", "d", "e"] {
        task.add_done_callback(log.says(word));
    }
    completer.complete(()).unwrap();
    assert_eq!(log.words(), ["a", "b", "c", "d", "e"]);
}

/// R13, D3, P4, P5
#[test]
fn a_callback_added_again_runs_again_each_at_its_own_place() {
    let log = Log::default();
    let (completer, task) = whendone::task::<()>(Inline);
    let a = SharedCallback::new(log.says("a"));
    task.add_shared(&a);
    task.add_done_callback(log.says("b"));
    task.add_shared(&a);
    task.add_done_callback(log.says("c"));
    task.add_shared(&a.clone());
    completer.complete(()).unwrap();
    assert_eq!(log.words(), ["a", "b", "a", "c", "a"]);
}

/// R14, R27, P7
#[test]
fn readded_callbacks_go_to_the_end_and_the_others_keep_their_order() {
    let log = Log::default();
    let (completer, task) = whendone::task(Inline);
    let a = task.add_done_callback(log.says("a"));
    task.add_done_callback(log.says("b"));
    task.add_done_callback(log.says("c"));
    assert!(task.remove_done_callback(a));
    task.add_done_callback(log.says("d"));
    task.add_done_callback(log.says("a"));
    completer.complete(()).unwrap();
    assert_eq!(log.words(), ["b", "c", "d", "a"]);
}

/// R15, R33, P11
#[test]
fn a_late_add_is_handed_over_at_once_behind_earlier_ones_and_not_run() {
    let (log, (scheduler, queue)) = (Log::default(), queue());
    let (completer, task) = whendone::task(scheduler);
    task.add_done_callback(log.says("early"));
    completer.complete(()).unwrap();
    task.add_done_callback(log.says("late"));
    task.add_done_callback(log.says("later"));
    assert!(log.words().is_empty());
    run_all(&queue);
    assert_eq!(log.words(), ["early", "late", "later"]);
}

/// R15, D11
#[test]
fn inline_runs_a_late_callback_before_add_returns() {
    let log = Log::default();
    let (completer, task) = whendone::task(Inline);
    completer.complete(()).unwrap();
    task.add_done_callback(log.says("late"));
    log.note("added");
    assert_eq!(log.words(), ["late", "added"]);
}

/// R16
#[test]
fn adding_to_a_pending_task_does_not_ask_the_scheduler() {
    let (scheduler, reports) = watched(refusing);
    let (completer, task) = whendone::task(scheduler);
    task.add_done_callback(|_| ());
    assert_eq!(failures(&reports), []);
    completer.complete(()).unwrap();
    assert_eq!(failures(&reports), [Failure::CallbackLost]);
}

/// R10, D3, P10
#[test]
fn ids_never_repeat() {
    let pairs: [_; 3] = std::array::from_fn(|_| whendone::task::<()>(Inline));
    let ids = pairs.iter().flat_map(|(_, task)| {
        (0..50).map(|at| {
            let id = task.add_done_callback(|_| ());
            assert!(at % 2 == 0 || task.remove_done_callback(id));
            id
        })
    });
    assert_eq!(ids.collect::<HashSet<CallbackId>>().len(), 150);
}

/// R17
#[test]
fn a_callback_is_passed_its_own_task_and_its_return_value_is_dropped() {
    let (log, same) = (Log::default(), Arc::new(AtomicBool::new(false)));
    let (completer, task) = whendone::task(Inline);
    task.add_done_callback({
        let (log, same, task) = (log.clone(), same.clone(), task.clone());
        move |passed| -> Result<(), _> {
            same.store(ptr::eq(passed.outcome().unwrap(), task.outcome().unwrap()), SeqCst);
            Err(OnDrop(move || log.note("return value dropped")))
        }
    });
    completer.complete(1).unwrap();
    assert!(same.load(SeqCst));
    assert_eq!(log.words(), ["return value dropped"]);
}

/// R18, R107: only the queued entry holds the captures, though the task still exists.
#[test]
fn captures_move_to_the_queued_entry_and_are_dropped_once_it_has_run() {
    let ((scheduler, queue), held) = (queue(), Arc::new(()));
    let (scheduler, reports) = watched(scheduler);
    let (completer, task) = whendone::task(scheduler);
    let [once, shared, lost] = std::array::from_fn(|_| held.clone());
    task.add_done_callback(move |_| _ = &once);
    task.add_shared(&SharedCallback::new(move |_: &Task<_>| _ = &shared));
    task.add_shared(&SharedCallback::new(move |_: &Task<_>| _ = &lost));
    completer.complete(()).unwrap();
    let ends: [fn(Ready); 3] = [Ready::run, Ready::run, drop];
    for (end, left) in ends.into_iter().zip([3, 2, 1]) {
        assert_eq!(Arc::strong_count(&held), left + 1);
        end(queue.recv().unwrap());
        assert_eq!(Arc::strong_count(&held), left);
    }
    assert_eq!((task.is_done(), failures(&reports)), (true, vec![Failure::CallbackLost]));
}
