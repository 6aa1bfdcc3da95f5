//! Hand-over to the scheduler: its order, its depth, and refusals.

use super::support::{Log, failures, queue, refusing, run_all, use_all, watched};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex, mpsc};
use whendone::{AlreadyDone, CallbackId, Failure, Inline, Outcome, Ready, Schedule, Task};

/// R38, P7
#[test]
fn across_tasks_order_is_by_completion_then_by_registration() {
    let (log, (scheduler, queue)) = (Log::default(), queue());
    let (x_completer, x) = whendone::task(scheduler.clone());
    let (y_completer, y) = whendone::task(scheduler);
    x.add_done_callback(log.says("x1"));
    y.add_done_callback(log.says("y1"));
    x.add_done_callback(log.says("x2"));
    y_completer.complete(()).unwrap();
    x_completer.complete(()).unwrap();
    y.add_done_callback(log.says("y2"));
    run_all(&queue);
    assert_eq!(log.words(), ["y1", "x1", "x2", "y2"]);
}

/// A callback that adds itself again until the number in the task's value has been counted down.
fn add_again(task: &Task<AtomicU32>) {
    if task.outcome().unwrap().value().unwrap().fetch_sub(1, SeqCst) > 1 {
        task.add_done_callback(add_again);
    }
}

/// R34, P11
#[test]
fn a_callback_that_adds_itself_again_runs_once_a_turn() {
    let (scheduler, queue) = queue();
    let (completer, task) = whendone::task(scheduler);
    task.add_done_callback(add_again);
    completer.complete(AtomicU32::new(5)).unwrap();
    for turn in 1..=5 {
        let batch: Vec<Ready> = queue.try_iter().collect();
        assert_eq!(batch.len(), 1, "in turn {turn}");
        batch.into_iter().for_each(Ready::run);
    }
    assert!(queue.try_recv().is_err());
}

/// D11, P8, P11, P19
#[test]
fn a_callback_that_adds_itself_again_inline_needs_no_stack_and_ends() {
    let (completer, task) = whendone::task(Inline);
    task.add_done_callback(add_again);
    completer.complete(AtomicU32::new(100_000)).unwrap();
    assert_eq!(task.outcome().unwrap().value().unwrap().load(SeqCst), 0);
}

/// D11, P8: whichever operation owes the drain, a callback is never called inside another.
#[test]
fn late_adds_cancels_and_drops_inside_a_callback_are_deferred_too() {
    let log = Log::default();
    let (outer, task) = whendone::task(Inline);
    let (done, late) = whendone::task(Inline);
    done.complete(()).unwrap();
    let (_kept, cancelled) = whendone::task::<()>(Inline);
    let (dropped, abandoned) = whendone::task::<()>(Inline);
    cancelled.add_done_callback(log.says("cancelled"));
    abandoned.add_done_callback(log.says("abandoned"));
    let callback = log.clone();
    task.add_done_callback(move |_| {
        late.add_done_callback(callback.says("late"));
        cancelled.cancel();
        drop(dropped);
        callback.note("outer");
    });
    outer.complete(()).unwrap();
    assert_eq!(log.words(), ["outer", "late", "cancelled", "abandoned"]);
}

/// R38, D11
#[test]
fn tasks_completed_inside_a_callback_run_theirs_in_order_of_completion() {
    let log = Log::default();
    let (outer, task) = whendone::task(Inline);
    let (first, second) = (whendone::task(Inline), whendone::task(Inline));
    first.1.add_done_callback(log.says("first"));
    second.1.add_done_callback(log.says("second"));
    let callback = log.clone();
    task.add_done_callback(move |_| {
        first.0.complete(()).unwrap();
        second.0.complete(()).unwrap();
        callback.note("outer");
    });
    task.add_done_callback(log.says("outer again"));
    outer.complete(()).unwrap();
    assert_eq!(log.words(), ["outer", "outer again", "first", "second"]);
}

/// R36, D11
#[test]
fn a_chain_of_100_000_tasks_each_completing_the_next_needs_no_stack() {
    let (first, mut last) = whendone::task(Inline);
    for _ in 1..100_000 {
        let (completer, next) = whendone::task(Inline);
        last.add_done_callback(move |task| completer.complete(task.outcome().unwrap().value().unwrap() + 1));
        last = next;
    }
    first.complete(1).unwrap();
    assert_eq!(last.outcome(), Some(&Outcome::Finished(100_000)));
}

/// R36, D4, D7, D11, P16
#[test]
fn a_chain_of_100_000_tasks_each_abandoning_the_next_needs_no_stack() {
    let (scheduler, reports) = watched(refusing);
    let scheduler = Arc::new(scheduler);
    let (first, mut last) = whendone::task::<u32>(scheduler.clone());
    for _ in 1..100_000 {
        let (completer, next) = whendone::task(scheduler.clone());
        last.add_done_callback(move |_| completer.complete(1));
        last = next;
    }
    drop(first);
    assert_eq!(last.outcome(), Some(&Outcome::Abandoned));
    assert_eq!(reports.try_iter().count(), 99_999);
}

/// R36, D11, P8
#[test]
fn completion_inside_an_inline_callback_runs_its_callbacks_afterwards() {
    let log = Log::default();
    let ((outer_completer, outer), (completer, task)) = (whendone::task(Inline), whendone::task(Inline));
    task.add_done_callback(log.says("completed inside"));
    outer.add_done_callback({
        let (log, task) = (log.clone(), task.clone());
        move |_| {
            completer.complete(()).unwrap();
            task.add_done_callback(log.says("late"));
            log.note(if task.is_done() { "first goes on" } else { "pending" });
        }
    });
    outer.add_done_callback(log.says("second"));
    outer_completer.complete(()).unwrap();
    assert_eq!(log.words(), ["first goes on", "second", "completed inside", "late"]);
}

/// R30, R36
#[test]
fn completion_inside_a_queued_callback_queues_its_callbacks_at_once() {
    let (log, (scheduler, queue)) = (Log::default(), queue());
    let ((outer_completer, outer), (completer, task)) = (whendone::task(scheduler.clone()), whendone::task(scheduler));
    task.add_done_callback(log.says("completed inside"));
    outer.add_done_callback({
        let (log, task) = (log.clone(), task.clone());
        move |_| {
            completer.complete(()).unwrap();
            task.add_done_callback(log.says("late"));
            log.note("first goes on");
        }
    });
    outer.add_done_callback(log.says("second"));
    outer_completer.complete(()).unwrap();
    queue.recv().unwrap().run();
    assert_eq!((log.words(), queue.try_iter().map(Ready::run).count()), (vec!["first goes on"], 3));
    assert_eq!(log.words(), ["first goes on", "second", "completed inside", "late"]);
}

/// R37, P1
#[test]
fn a_callback_can_neither_complete_nor_cancel_its_own_task() {
    let (sender, answers) = mpsc::channel();
    let (completer, task) = whendone::task(Inline);
    task.add_done_callback(move |task| sender.send((completer.complete(1), task.cancel())));
    assert!(task.cancel());
    assert_eq!(answers.recv(), Ok((Err(AlreadyDone(1)), false)));
}

/// R40, R109, R110, P11, P12
#[test]
fn a_scheduler_that_calls_back_adds_at_the_end_and_removes_nothing() {
    let (log, slot) = (Log::default(), Arc::new(Mutex::new(None::<(Task<u32>, CallbackId)>)));
    let scheduler = {
        let (log, slot) = (log.clone(), slot.clone());
        move |ready: Ready| {
            let taken = slot.lock().unwrap().take();
            if let Some((task, id)) = taken {
                task.add_done_callback(log.says("c"));
                log.note(if task.remove_done_callback(id) { "removed" } else { "not removed" });
                use_all(&task);
            }
            Inline.schedule(ready)
        }
    };
    let (completer, task) = whendone::task(scheduler);
    task.add_done_callback(log.says("a"));
    let id = task.add_done_callback(log.says("b"));
    *slot.lock().unwrap() = Some((task, id));
    completer.complete(1).unwrap();
    assert_eq!(log.words(), ["not removed", "a", "b", "c"]);
}

/// R41, R113, D4, P5, P14
#[test]
fn a_refused_callback_is_reported_and_the_others_run() {
    let (log, count) = (Log::default(), AtomicU32::new(0));
    let (scheduler, reports) =
        watched(move |ready: Ready| if count.fetch_add(1, SeqCst) == 1 { Err(ready) } else { Inline.schedule(ready) });
    let (completer, task) = whendone::task_named("job", scheduler);
    task.add_done_callback(log.says("first"));
    let line = line!() + 1;
    task.add_done_callback(|_| unreachable!("refused"));
    task.add_done_callback(log.says("third"));
    assert_eq!(completer.complete(3), Ok(()));
    assert_eq!(log.words(), ["first", "third"]);
    let report = reports.try_recv().unwrap();
    let origin = report.callback.unwrap();
    assert_eq!((report.failure, report.task.as_deref()), (Failure::CallbackLost, Some("<Task finished name='job'>")));
    assert!(origin.callback.contains("a_refused_callback_is_reported"), "{origin}");
    assert_eq!((origin.added_at.file(), origin.added_at.line()), (file!(), line));
    assert!(reports.try_recv().is_err() && report.panic.is_none());
}

/// R41, R90, D4
#[test]
fn a_refused_late_add_is_reported() {
    let (scheduler, reports) = watched(refusing);
    let (completer, task) = whendone::task(scheduler);
    completer.complete(()).unwrap();
    let late = task.add_done_callback(|_| unreachable!("refused"));
    assert_eq!(failures(&reports), [Failure::CallbackLost]);
    assert!(!task.remove_done_callback(late));
}

/// D4
#[test]
fn a_queued_callback_reports_itself_only_if_it_is_dropped_unrun() {
    let (scheduler, queue) = queue();
    let (scheduler, reports) = watched(scheduler);
    let (completer, task) = whendone::task(scheduler);
    task.add_done_callback(|_| ());
    task.add_done_callback(|_| unreachable!("dropped"));
    completer.complete(()).unwrap();
    queue.recv().unwrap().run();
    assert_eq!(failures(&reports), []);
    drop(queue);
    assert_eq!(failures(&reports), [Failure::CallbackLost]);
}

/// D5
#[test]
fn an_arc_of_a_scheduler_schedules_and_reports_like_the_scheduler() {
    let (scheduler, reports) = watched(refusing);
    let scheduler: Arc<dyn Schedule> = Arc::new(scheduler);
    let (completer, task) = whendone::task(scheduler);
    task.add_done_callback(|_| ());
    completer.complete(()).unwrap();
    assert_eq!(failures(&reports), [Failure::CallbackLost]);
}

/// R38, D31
#[test]
fn an_arc_of_a_scheduler_gets_each_callback_by_itself() {
    let (scheduler, queue) = queue();
    let (completer, task) = whendone::task(Arc::new(scheduler));
    for _ in 0..2 {
        task.add_done_callback(|_| ());
    }
    completer.complete(()).unwrap();
    assert_eq!(queue.try_iter().map(Ready::run).count(), 2);
}
