//! Handles of a task: selected, joined, taken out, collected and printed.

use super::support::{turns, watched};
use futures::future::{FusedFuture, join, join_all, pending};
use futures::select_biased;
use std::collections::HashSet;
use std::future::IntoFuture;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use whendone::{AnyTask, Failure, Outcome, Task, run, sleep, spawn, spawn_named};

/// D22
#[test]
fn tasks_are_joined_by_their_waits() {
    let values = run(async {
        let tasks: Vec<_> = (0..3).map(|n| spawn(async move { n })).collect();
        let by_reference = join_all(tasks.iter().map(Task::wait)).await;
        assert!(by_reference.iter().zip(0..).all(|(outcome, n)| outcome.value() == Some(&n)));
        join_all(tasks.into_iter().map(IntoFuture::into_future)).await
    });
    assert_eq!(values, [0, 1, 2].map(Outcome::Finished));
}

/// D22
#[test]
fn a_wait_is_selected_and_says_when_it_is_over() {
    run(async {
        let (quick, never) = (spawn(async { 3 }), spawn(pending::<u32>()));
        let (mut of_quick, mut of_never, mut owned) = (quick.wait(), never.wait(), quick.clone().into_future());
        let mut seen = None;
        while seen.is_none() {
            select_biased! {
                outcome = of_never => panic!("{outcome:?}"),
                outcome = of_quick => seen = outcome.value().copied(),
            }
        }
        assert_eq!(seen, Some(3));
        assert!(of_quick.is_terminated() && !of_never.is_terminated() && !owned.is_terminated());
        // A select skips terminated futures.
        select_biased! {
            outcome = of_quick => panic!("{outcome:?}"),
            outcome = owned => assert_eq!(outcome, Outcome::Finished(3)),
        }
        let mut timeout = sleep(Duration::from_millis(1));
        select_biased! {
            outcome = of_never => panic!("{outcome:?}"),
            () = timeout => assert!(never.cancel()),
        }
        assert_eq!(of_never.await, &Outcome::Cancelled);
    });
}

/// D22, R45
#[test]
fn on_the_loop_the_last_handle_of_an_awaited_task_takes_its_value() {
    struct Connection(u32);
    let connection = run(async {
        let task = spawn(async { Connection(3) });
        (&task).await;
        task.try_into_outcome().ok().expect("the last handle").unwrap()
    });
    assert_eq!(connection.0, 3);
}

/// D23: asyncio's documented set of background tasks.
#[test]
fn a_set_of_running_tasks_discards_each_when_it_is_done() {
    let left = run(async {
        let running = Arc::new(Mutex::new(HashSet::new()));
        for n in 0..3 {
            let task = spawn(async move { n });
            running.lock().unwrap().insert(task.clone());
            let own = running.clone();
            task.add_done_callback(move |task| own.lock().unwrap().remove(task));
        }
        assert_eq!(running.lock().unwrap().len(), 3);
        turns(3).await;
        running.lock().unwrap().len()
    });
    assert_eq!(left, 0);
}

/// D23, R51
#[test]
fn running_tasks_of_several_types_are_cancelled_together() {
    run(async {
        let (number, text) = (spawn(pending::<u32>()), spawn(pending::<String>()));
        let tasks = [AnyTask::from(&number), AnyTask::from(&text)];
        assert!(tasks.iter().all(AnyTask::cancel));
        join(number.wait(), text.wait()).await;
        assert!(tasks.iter().all(AnyTask::is_cancelled));
    });
}

/// R103, D10
#[test]
fn a_task_prints_that_it_is_cancelling_until_it_is_done() {
    run(async {
        let task = spawn_named("job", pending::<u32>());
        assert_eq!(format!("{task:?}"), "<Task pending name='job'>");
        assert!(task.cancel());
        assert_eq!(format!("{task:?}"), "<Task cancelling name='job'>");
        assert_eq!(format!("{:?}", AnyTask::from(&task)), "<Task cancelling name='job'>");
        (&task).await;
        assert_eq!(format!("{task:?}"), "<Task cancelled name='job'>");
        let done = spawn_named("job", async { 3 });
        (&done).await;
        assert!(!done.cancel());
        assert_eq!(format!("{done:?}"), "<Task finished name='job' result=3>");
    });
}

/// D13, P16
#[test]
fn the_report_of_an_abandoned_task_says_where_it_was_spawned() {
    let (event_loop, reports) = watched();
    let handle = event_loop.handle();
    let line = line!() + 1;
    drop(handle.spawn(pending::<u32>()));
    drop(handle.spawn_named("job", pending::<u32>()));
    drop(event_loop);
    let reports = reports.take();
    assert_eq!(reports.iter().map(|report| report.failure).collect::<Vec<_>>(), [Failure::TaskAbandoned; 2]);
    for (report, line) in reports.iter().zip(line..) {
        let place = report.spawned_at.unwrap();
        assert_eq!((place.file(), place.line()), (file!(), line));
        assert!(report.to_string().contains(&format!("\n  spawned   at {place}")), "{report}");
    }
}

/// D13: the same for tasks that are spawned on the running loop, and for the main of a run.
#[test]
fn every_report_of_a_task_of_a_loop_says_where_it_was_spawned() {
    let (mut event_loop, reports) = watched();
    let line = line!() + 1;
    event_loop.run_until_complete(async {
        drop(spawn(async { panic!("never retrieved") }));
        drop(spawn_named("job", async { panic!("never retrieved") }));
        turns(2).await;
    });
    let places: Vec<_> = reports.take().iter().map(|report| report.spawned_at.unwrap().line()).collect();
    assert_eq!(places, [line + 1, line + 2]);
    let (task, _) = whendone::task::<u32>(event_loop.handle());
    drop(task);
    assert!(reports.take().is_empty());
}

/// D13
#[test]
fn a_loop_and_its_handle_print_the_number_of_their_tasks() {
    let (event_loop, _reports) = watched();
    for tasks in ["0 tasks", "1 task", "2 tasks"] {
        assert_eq!(format!("{event_loop:?}"), format!("<EventLoop with {tasks}>"));
        assert_eq!(format!("{:?}", event_loop.handle()), format!("<Handle of an event loop with {tasks}>"));
        event_loop.handle().spawn(async {});
    }
}
