//! Identity: the same for all handles of a task, for values of every type.

use super::support::queue;
use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, mpsc};
use whendone::{AnyTask, Inline, Task, TaskId};

/// D23
#[test]
fn a_task_has_one_id_that_no_other_task_has() {
    let (completer, task) = whendone::task::<u32>(Inline);
    let id: TaskId = task.id();
    assert_eq!([task.clone().id(), completer.task().id(), AnyTask::from(&task).id()], [id; 3]);
    let (sender, within) = mpsc::channel();
    task.add_done_callback(move |task| sender.send((task.id(), AnyTask::from(task).id())));
    completer.complete(3).unwrap();
    assert_eq!((task.id(), within.recv()), (id, Ok((id, id))));
    let ids: BTreeSet<_> = (0..100).map(|_| whendone::task::<u32>(Inline).1.id()).collect();
    assert!(ids.len() == 100 && !ids.contains(&id));
    assert!(id.to_string().parse::<u64>().is_ok(), "{id}");
}

/// D23
#[test]
fn handles_are_equal_exactly_if_they_are_of_the_same_task() {
    let (_completer, task) = whendone::task::<u32>(Inline);
    let (_completer, other) = whendone::task::<u32>(Inline);
    assert_eq!(task, task.clone());
    assert_ne!(task, other);
    assert_eq!(AnyTask::from(&task), AnyTask::from(&task.clone()));
    assert_ne!(AnyTask::from(&task), AnyTask::from(&other));
    assert_eq!(HashSet::from([task.clone(), task, other]).len(), 2);
}

/// D23: asyncio's documented `tasks.add(task)` and `task.add_done_callback(tasks.discard)`.
#[test]
fn a_set_of_tasks_discards_each_when_it_is_done() {
    let tasks = Arc::new(Mutex::new(HashSet::new()));
    let completers: Vec<_> = (0..3)
        .map(|_| {
            let (completer, task) = whendone::task::<u32>(Inline);
            tasks.lock().unwrap().insert(task.clone());
            let running = tasks.clone();
            task.add_done_callback(move |task| running.lock().unwrap().remove(task));
            completer
        })
        .collect();
    for (left, completer) in (0..3).rev().zip(completers) {
        completer.complete(3).unwrap();
        assert_eq!(tasks.lock().unwrap().len(), left);
    }
}

/// D23, R50
#[test]
fn tasks_of_several_types_are_cancelled_and_counted_together() {
    let (completer, number) = whendone::task_named::<u32>("number", Inline);
    let (_completer, text) = whendone::task::<String>(Inline);
    let mut tasks = HashSet::from([AnyTask::from(&number), AnyTask::from(&text), AnyTask::from(&number)]);
    assert_eq!(tasks.len(), 2);
    completer.complete(3).unwrap();
    assert_eq!(tasks.iter().filter(|task| task.is_done()).count(), 1);
    assert_eq!(tasks.iter().filter(|task| task.cancel()).count(), 1);
    assert!(text.is_cancelled() && tasks.iter().all(AnyTask::is_done));
    assert_eq!(tasks.iter().filter(|task| task.is_cancelled()).count(), 1);
    let number = tasks.take(&number.id()).unwrap();
    assert_eq!((number.name(), format!("{number:?}").as_str()), (Some("number"), "<Task finished name='number'>"));
    assert_eq!(format!("{tasks:?}"), "{<Task cancelled>}");
}

/// D24
#[test]
fn a_ready_callback_says_of_which_task_it_is_and_where_it_was_added() {
    fn callback(_: &Task<u32>) {}
    let (scheduler, queue) = queue();
    let (first, second) = (whendone::task::<u32>(scheduler.clone()), whendone::task::<u32>(scheduler));
    let line = line!() + 1;
    first.1.add_done_callback(callback);
    second.1.add_done_callback(callback);
    second.0.complete(3).unwrap();
    first.0.complete(3).unwrap();
    for (task, line) in [(second.1, line + 1), (first.1, line)] {
        let ready = queue.recv().unwrap();
        assert_eq!(ready.task_id(), Some(task.id()));
        let origin = ready.origin();
        assert_eq!((origin.added_at.file(), origin.added_at.line()), (file!(), line));
        assert!(origin.callback.ends_with("added::callback"), "{origin}");
        ready.run();
    }
}
