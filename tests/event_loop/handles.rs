//! Handles of a task: selected, joined, taken out, collected and printed.

use super::support::{turns, watched};
use futures::future::{FusedFuture, join, join_all, pending};
use futures::select_biased;
use std::collections::HashSet;
use std::error::Error;
use std::future::IntoFuture;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use whendone::{AnyTask, EventLoop, Failure, Outcome, Report, Task, run, sleep, spawn, spawn_named};

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

/// D13: the same for tasks that are spawned on the running loop. A task that is not of the loop has no such place.
#[test]
fn every_report_of_a_task_of_a_loop_says_where_it_was_spawned() {
    let (mut event_loop, reports) = watched();
    let line = line!() + 1;
    event_loop.run_until_complete(async {
        drop(spawn(async { panic!("never retrieved") }));
        drop(spawn_named("job", async { panic!("never retrieved") }));
        turns(2).await;
    });
    let place = |report: &Report| report.spawned_at.map(|place| (place.file(), place.line()));
    let places: Vec<_> = reports.take().iter().map(place).collect();
    assert_eq!(places, [1, 2].map(|below| Some((file!(), line + below))));
    let (completer, task) = whendone::task::<u32>(event_loop.handle());
    assert!(completer.run(|| panic!("never retrieved")).is_ok());
    drop(task);
    let told: Vec<_> = reports.take().iter().map(|report| (report.failure, place(report))).collect();
    assert_eq!(told, [(Failure::PanicNeverRetrieved, None)]);
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

/// D13: those that are done are not counted, whatever became of them, and those of a closed loop are done.
#[test]
fn a_loop_and_its_handle_print_the_number_of_the_tasks_that_are_left() {
    let (mut event_loop, _reports) = watched();
    let handle = event_loop.handle();
    let is_left = |event_loop: &EventLoop, tasks: &str| {
        assert_eq!(format!("{event_loop:?}"), format!("<EventLoop with {tasks}>"));
        assert_eq!(format!("{:?}", event_loop.handle()), format!("<Handle of an event loop with {tasks}>"));
    };
    let _done = handle.spawn(async {});
    let [cancelled, _left] = [(); 2].map(|()| handle.spawn(pending::<()>()));
    is_left(&event_loop, "3 tasks");
    event_loop.run_until_complete(turns(1));
    is_left(&event_loop, "2 tasks");
    assert!(cancelled.cancel());
    is_left(&event_loop, "2 tasks");
    event_loop.run_until_complete(turns(1));
    is_left(&event_loop, "1 task");
    event_loop.close();
    assert_eq!(format!("{handle:?} {:?}", handle.clone()), ["<Handle of an event loop with 0 tasks>"; 2].join(" "));
}

/// R102, R103, D10, D13
#[test]
fn every_handle_of_a_task_of_a_loop_prints_each_of_its_states() {
    fn prints(task: &Task<u32>, debug: &str, short: &str) {
        let printed = [format!("{task:?}"), format!("{:?}", AnyTask::from(task)), format!("{:?}", task.wait())];
        assert_eq!(printed, [debug.to_owned(), short.to_owned(), format!("<Wait for {short}>")]);
    }
    let (mut event_loop, _reports) = watched();
    let [cancelled, panicked, finished] = [0, 1, 2].map(|kind| {
        event_loop.handle().spawn(async move {
            match kind {
                0 => pending().await,
                1 => panic!("of the \"future\""),
                _ => 3,
            }
        })
    });
    let abandoned = event_loop.handle().spawn_named("it's", pending::<u32>());
    prints(&cancelled, "<Task pending name='Task-1'>", "<Task pending name='Task-1'>");
    let ids = [(); 2].map(|()| cancelled.add_done_callback(|_| ()));
    prints(&cancelled, "<Task pending name='Task-1' cb=[2 waiting]>", "<Task pending name='Task-1'>");
    assert!(cancelled.cancel());
    prints(&cancelled, "<Task cancelling name='Task-1' cb=[2 waiting]>", "<Task cancelling name='Task-1'>");
    assert!(cancelled.remove_done_callback(ids[0]));
    prints(&cancelled, "<Task cancelling name='Task-1' cb=[1 waiting]>", "<Task cancelling name='Task-1'>");
    event_loop.run_until_complete(turns(1));
    prints(&cancelled, "<Task cancelled name='Task-1'>", "<Task cancelled name='Task-1'>");
    let exception = "<Task panicked name='Task-2' exception=\"of the \\\"future\\\"\">";
    prints(&panicked, exception, "<Task panicked name='Task-2'>");
    prints(&finished, "<Task finished name='Task-3' result=3>", "<Task finished name='Task-3'>");
    event_loop.close();
    prints(&abandoned, "<Task abandoned name=\"it's\">", "<Task abandoned name=\"it's\">");
}

/// D26, R90
#[test]
fn a_sleep_and_a_refused_call_print_what_they_hold() {
    let (event_loop, _reports) = watched();
    let handle = event_loop.handle();
    let nap = handle.sleep(Duration::from_millis(1500));
    assert_eq!(format!("{nap:?} {:?}", handle.sleep(Duration::ZERO)), "Sleep(1.5s) Sleep(0ns)");
    event_loop.close();
    let refused = handle.call_soon(|| ()).unwrap_err();
    let ready = format!("{:?}", refused.0);
    assert_eq!(format!("{refused} {refused:?}"), format!("event loop is closed Closed({ready})"));
    assert!(refused.source().is_none());
    assert_eq!((ready, refused.0.task_id()), (format!("Ready({:?})", refused.0.origin()), None));
}
