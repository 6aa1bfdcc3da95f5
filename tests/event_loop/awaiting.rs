//! Awaiting another task on the loop.

use super::support::{Bell, is_pending, noted, noted_by_turn, turns};
use futures::FutureExt;
use futures::future::select;
use std::future::{Future, IntoFuture, pending};
use std::sync::Arc;
use std::task::Waker;
use whendone::{EventLoop, Inline, Outcome, Ready, Schedule, Task, run, spawn, spawn_named};

/// R42, D9
#[test]
fn an_await_takes_its_turn_between_the_callbacks() {
    let noted = noted(|log, handle| async move {
        let (completer, task) = whendone::task(handle);
        task.add_done_callback(log.callback("cb0"));
        log.task("w1", task.clone());
        turns(1).await;
        task.add_done_callback(log.callback("cb1"));
        log.task("w2", task.clone());
        turns(1).await;
        task.add_done_callback(log.callback("cb2"));
        completer.complete(()).unwrap();
    });
    assert_eq!(noted, "cb0 w1 cb1 w2 cb2");
}

/// D31, D9, P7
#[test]
fn an_await_cuts_the_entry_of_the_callbacks_around_it() {
    let noted = noted(|log, handle| async move {
        let (completer, task) = whendone::task(handle.clone());
        task.add_done_callback(log.callback("a"));
        task.add_done_callback(log.callback("b"));
        let seen = log.clone();
        let bell = Bell::calling(move || seen.queue(&handle, "soon"));
        let mut awaited = (&task).into_future();
        assert!(is_pending(&mut awaited, &Waker::from(Arc::new(bell))));
        task.add_done_callback(log.callback("c"));
        task.add_done_callback(log.callback("d"));
        completer.complete(()).unwrap();
        turns(1).await;
    });
    assert_eq!(noted, "a b soon c d");
}

/// R43
#[test]
fn an_await_registers_when_reached_and_not_when_its_task_is_spawned() {
    let noted = noted(|log, handle| async move {
        let (completer, task) = whendone::task(handle);
        log.task("waiter", task.clone());
        task.add_done_callback(log.callback("callback"));
        turns(1).await;
        completer.complete(()).unwrap();
    });
    assert_eq!(noted, "callback waiter");
}

/// R44, R7
#[test]
fn awaiting_a_done_task_continues_ahead_of_its_queued_callbacks() {
    let noted = noted(|log, handle| async move {
        let (completer, task) = whendone::task(handle);
        task.add_done_callback(log.callback("callback"));
        completer.complete(()).unwrap();
        (&task).await;
        log.note("awaited");
    });
    assert_eq!(noted, "awaited callback");
}

/// R46
#[test]
fn a_chain_of_awaits_takes_a_turn_for_each_level() {
    let noted = noted_by_turn(|log, handle| async move {
        let (completer, mut task) = whendone::task(handle);
        for level in ["a", "b", "c", "d"] {
            task = log.task(level, task);
        }
        turns(1).await;
        completer.complete(()).unwrap();
        (&task).await;
        log.note("main");
    });
    assert_eq!(noted, "1: 2: 3: a 4: b 5: c 6: d 7: main");
}

/// R48, D6
#[test]
fn a_callback_may_spawn_on_the_loop_that_runs_it() {
    let noted = noted_by_turn(|log, handle| async move {
        let (completer, task) = whendone::task(handle);
        task.add_done_callback(move |_| drop(log.task("spawned", async {})));
        completer.complete(()).unwrap();
        turns(3).await;
    });
    assert_eq!(noted, "1: 2: 3: spawned 4:");
}

/// R49
#[test]
fn callbacks_run_in_the_turn_after_the_tasks_last_step() {
    let noted = noted_by_turn(|log, _| async move {
        log.task("step", async {}).add_done_callback(log.callback("callback"));
        turns(3).await;
    });
    assert_eq!(noted, "1: 2: step 3: callback 4:");
}

/// R42
#[test]
fn a_task_is_awaited_by_reference_and_by_value() {
    run(async {
        let task = spawn(async { 3 });
        assert_eq!((&task).await, &Outcome::Finished(3));
        assert_eq!(task.await, Outcome::Finished(3));
    });
}

/// D9, R42
#[test]
fn an_await_that_is_polled_with_another_waker_keeps_its_place() {
    let noted = noted(|log, handle| async move {
        let (completer, task) = whendone::task(handle);
        task.add_done_callback(log.callback("cb0"));
        let mut wait = (&task).into_future();
        assert!(is_pending(&mut wait, Waker::noop()));
        task.add_done_callback(log.callback("cb1"));
        spawn(async { completer.complete(()).unwrap() });
        wait.await;
        log.note("awaited");
    });
    assert_eq!(noted, "cb0 awaited cb1");
}

/// D9, R106
#[test]
fn a_dropped_await_gives_up_its_place() {
    let (_completer, task) = whendone::task::<()>(EventLoop::new().handle());
    let mut wait = (&task).into_future();
    assert!(is_pending(&mut wait, Waker::noop()));
    assert_eq!(format!("{:?}", task.clone()), "<Task pending cb=[1 waiting]>");
    drop(wait);
    assert_eq!(format!("{task:?}"), "<Task pending>");
}

/// D9, D4, P17
#[test]
fn no_scheduler_can_lose_an_await() {
    async fn is_awaited(scheduler: impl Schedule) {
        let (completer, task) = whendone::task(scheduler);
        spawn(async { completer.complete(3).unwrap() });
        assert_eq!((&task).await.value(), Some(&3));
    }
    run(async {
        is_awaited(|ready: Ready| Err(ready)).await;
        is_awaited(|_: Ready| panic!("no scheduler")).await;
        is_awaited(EventLoop::new().handle()).await;
    });
}

/// R53, D10
#[test]
fn cancelling_an_awaiter_leaves_the_awaited_task_alone() {
    let noted = noted(|log, handle| async move {
        let (completer, task) = whendone::task(handle);
        let [one, _] = ["one", "other"].map(|name| log.task(name, task.clone()));
        turns(1).await;
        assert!(one.cancel());
        (&one).await;
        assert!(one.is_cancelled() && !task.is_done());
        completer.complete(()).unwrap();
        turns(1).await;
    });
    assert_eq!(noted, "other");
}

/// D27
#[test]
fn a_task_that_awaits_itself_panics_and_says_so() {
    /// Gives a task its own handle.
    fn spawn_with_itself<F>(body: impl FnOnce(Task<()>) -> F + Send + 'static) -> Task<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (completer, own) = whendone::task(Inline);
        let task = spawn_named("own", async move { body(own.await.into_value().unwrap()).await });
        completer.complete(task.clone()).unwrap();
        task
    }
    run(async {
        let tasks = [
            spawn_with_itself(|own| async move { _ = (&own).await }),
            spawn_with_itself(|own| async move { drop(own.await) }),
            spawn_with_itself(|own| async move { drop(select(own.into_future(), pending::<()>()).await) }),
            spawn_with_itself(|own| async move {
                turns(1).await;
                drop(own.await);
            }),
        ];
        // Not awaited: a task that waits for itself would hold up this test for ever.
        turns(3).await;
        for task in &tasks {
            let Some(Outcome::Panicked(panic)) = task.outcome() else { panic!("{task:?}") };
            assert_eq!(panic.message(), "a task cannot await itself: <Task pending name='own'>");
        }
    });
}

/// D27
#[test]
fn a_task_may_ask_whether_it_is_done_and_await_others_of_its_kind() {
    let is_done = run(async {
        let (completer, own) = whendone::task::<Task<bool>>(Inline);
        let other = spawn(async { true });
        let task = spawn(async move {
            let own = own.await.into_value().unwrap();
            assert_eq!((&own).into_future().now_or_never(), None);
            !own.is_done() && other.await.into_value().unwrap()
        });
        completer.complete(task.clone()).unwrap();
        task.await.into_value()
    });
    assert_eq!(is_done, Some(true));
}
