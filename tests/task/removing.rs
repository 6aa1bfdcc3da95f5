//! Removing: by id and by shared callback, while the task is pending.

use super::support::{Log, queue, run_all};
use std::sync::{Arc, OnceLock};
use whendone::{Inline, SharedCallback, Task};

/// R19, R22, D3, P9
#[test]
fn removing_a_shared_callback_removes_and_counts_every_registration() {
    let log = Log::default();
    let (completer, task) = whendone::task::<()>(Inline);
    let (a, twin) = (SharedCallback::new(log.says("a")), SharedCallback::new(log.says("twin")));
    for shared in [&a, &twin, &a.clone(), &a] {
        task.add_shared(shared);
    }
    task.add_done_callback(log.says("b"));
    assert_eq!((task.remove_shared(&a), task.remove_shared(&a)), (3, 0));
    completer.complete(()).unwrap();
    assert_eq!(log.words(), ["twin", "b"]);
}

/// R19, D3, P9
#[test]
fn one_registration_of_a_shared_callback_is_removed_by_its_id() {
    let log = Log::default();
    let (completer, task) = whendone::task::<()>(Inline);
    let a = SharedCallback::new(log.says("a"));
    let ids = [task.add_shared(&a), task.add_shared(&a)];
    assert!(task.remove_done_callback(ids[0]) && !task.remove_done_callback(ids[0]));
    assert_eq!(task.remove_shared(&a), 1);
    assert!(!task.remove_done_callback(ids[1]));
    completer.complete(()).unwrap();
    assert!(log.words().is_empty());
}

/// D3, P10
#[test]
fn removing_a_shared_callback_leaves_other_tasks_alone() {
    let log = Log::default();
    let (shared, [one, other]) = (SharedCallback::new(log.says("ran")), [(); 2].map(|()| whendone::task::<()>(Inline)));
    one.1.add_shared(&shared);
    other.1.add_shared(&shared);
    assert_eq!(one.1.remove_shared(&shared), 1);
    assert!(one.1.cancel() && other.1.cancel());
    assert_eq!(log.words(), ["ran"]);
}

/// R21, P10
#[test]
fn unknown_stale_and_foreign_ids_remove_nothing() {
    let log = Log::default();
    let ((completer, task), (_other_completer, other)) = (whendone::task::<()>(Inline), whendone::task::<()>(Inline));
    other.add_done_callback(log.says("first of the other"));
    let foreign = other.add_done_callback(log.says("second of the other"));
    let stale = task.add_done_callback(log.says("removed"));
    assert!(task.remove_done_callback(stale));
    task.add_done_callback(log.says("in its place"));
    assert!(!task.remove_done_callback(stale) && !task.remove_done_callback(foreign));
    assert_eq!(task.remove_shared(&SharedCallback::new(|_: &Task<()>| ())), 0);
    completer.complete(()).unwrap();
    assert!(other.remove_done_callback(foreign));
    assert_eq!(log.words(), ["in its place"]);
}

/// R25, D2, P9
#[test]
fn removal_after_completion_is_refused_and_stops_nothing() {
    let (log, (scheduler, queue)) = (Log::default(), queue());
    let (completer, task) = whendone::task::<()>(scheduler);
    let shared = SharedCallback::new(log.says("shared"));
    let ids = [task.add_done_callback(log.says("a")), task.add_shared(&shared)];
    completer.complete(()).unwrap();
    assert!(ids.iter().all(|id| !task.remove_done_callback(*id)));
    assert_eq!(task.remove_shared(&shared), 0);
    run_all(&queue);
    assert_eq!(log.words(), ["a", "shared"]);
}

/// R25, R35, D2, P9
#[test]
fn an_earlier_callback_cannot_remove_a_later_one_also_inline() {
    let log = Log::default();
    let (completer, task) = whendone::task::<()>(Inline);
    let shared = SharedCallback::new(log.says("shared"));
    let later = Arc::new(OnceLock::new());
    task.add_done_callback({
        let (log, shared, later) = (log.clone(), shared.clone(), later.clone());
        move |task| {
            let removed = task.remove_done_callback(*later.get().unwrap()) || task.remove_shared(&shared) > 0;
            log.note(if removed { "removed" } else { "not removed" });
        }
    });
    later.set(task.add_done_callback(log.says("later"))).unwrap();
    task.add_shared(&shared);
    completer.complete(()).unwrap();
    assert_eq!(log.words(), ["not removed", "later", "shared"]);
}

/// R26, D2
#[test]
fn a_late_callback_cannot_be_removed() {
    let (log, (scheduler, queue)) = (Log::default(), queue());
    let (completer, task) = whendone::task(scheduler);
    completer.complete(()).unwrap();
    let late = task.add_done_callback(log.says("late"));
    assert!(!task.remove_done_callback(late));
    run_all(&queue);
    assert_eq!(log.words(), ["late"]);
}

/// R27, P9, P15
#[test]
fn captures_of_a_removed_callback_are_dropped_at_once() {
    let held = Arc::new(());
    let (_completer, task) = whendone::task::<()>(Inline);
    let (capture, shared_capture) = (held.clone(), held.clone());
    let id = task.add_done_callback(move |_| drop(capture));
    let shared = SharedCallback::new(move |_: &Task<()>| _ = Arc::strong_count(&shared_capture));
    task.add_shared(&shared);
    assert!(task.remove_done_callback(id));
    assert_eq!((Arc::strong_count(&held), task.remove_shared(&shared)), (2, 1));
    drop(shared);
    assert_eq!(Arc::strong_count(&held), 1);
}
