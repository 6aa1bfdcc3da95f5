//! Loops, sleeps and queued work while the thread unwinds: each does what it does at any other time.

use super::support::{Bell, Explosive, Log, failures, is_pending, noted, on_drop, turns, watched, while_unwinding};
use std::future::{IntoFuture, pending};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;
use whendone::{EventLoop, Failure, Inline, Outcome, Task, run, sleep, spawn, try_handle};

/// D4, D7, D12, D26, P14, P16
#[test]
fn a_loop_dropped_while_its_thread_unwinds_is_closed_as_ever() {
    let (log, (event_loop, reports)) = (Log::default(), watched());
    let handle = event_loop.handle();
    let guard = log.on_drop("future");
    let task = handle.spawn_named("job", async move {
        pending::<()>().await;
        drop(guard);
    });
    let captured = log.on_drop("call");
    handle.call_soon(move || drop(captured)).unwrap();
    task.add_done_callback(log.callback("never"));
    let bell = Arc::new(Bell::default());
    let mut nap = handle.sleep(Duration::MAX);
    assert!(is_pending(&mut nap, &bell.clone().into()));
    while_unwinding(|| drop(event_loop));
    assert_eq!((task.outcome(), bell.rang(), log.read().as_str()), (Some(&Outcome::Abandoned), true, "future call"));
    let expected = [Failure::TaskAbandoned, Failure::CallbackLost, Failure::CallbackLost, Failure::LoopClosed(2)];
    assert_eq!(failures(&reports.take()), expected);
    assert!(handle.call_soon(|| ()).is_err() && !is_pending(&mut nap, Waker::noop()));
}

/// P14, P15
#[test]
fn a_sleep_dropped_while_its_thread_unwinds_takes_its_timer_along() {
    let event_loop = EventLoop::new();
    let bell = Arc::new(Bell::default());
    let mut nap = event_loop.handle().sleep(Duration::MAX);
    assert!(is_pending(&mut nap, &bell.clone().into()));
    assert_eq!(Arc::strong_count(&bell), 2);
    while_unwinding(|| drop(nap));
    assert_eq!(Arc::strong_count(&bell), 1);
    event_loop.close();
    assert!(!bell.rang());
}

/// D12, P14
#[test]
fn a_loop_that_ran_while_its_thread_unwinds_leaves_the_thread_without_one() {
    let value = while_unwinding(|| run(async { (&spawn(async { 3 })).await.value().copied() }));
    assert_eq!((value, try_handle().is_none()), (Some(3), true));
    let again = while_unwinding(|| {
        let first = run(async { 1 });
        assert!(try_handle().is_none());
        first + run(async { 2 })
    });
    assert_eq!((again, run(async { 4 })), (3, 4));
}

/// D11, P14
#[test]
fn a_loop_in_an_inline_callback_leaves_deferred_drains_while_its_thread_unwinds() {
    let log = Log::default();
    let ((first, outer), (second, inner)) = (whendone::task(Inline), whendone::task(Inline));
    inner.add_done_callback(log.callback("inner"));
    let callback = log.clone();
    outer.add_done_callback(move |_| {
        second.complete(()).unwrap();
        callback.note(run(async { spawn(async { 3 }).await.value().copied() }).unwrap());
        drop(EventLoop::new());
        callback.note("outer");
    });
    while_unwinding(|| first.complete(())).unwrap();
    assert_eq!(log.read(), "3 outer inner");
    inner.add_done_callback(log.callback("late"));
    assert_eq!(log.read(), "3 outer inner late");
}

/// D4, D5, P14, P16
#[test]
fn a_refused_call_dropped_while_its_thread_unwinds_reports_itself_in_full() {
    let (event_loop, reports) = watched();
    let handle = event_loop.handle();
    event_loop.close();
    let line = line!() + 1;
    let refused = handle.call_soon(|| ()).unwrap_err();
    while_unwinding(|| drop(refused));
    let bomb = on_drop(|| panic!("of the drop"));
    let refused = handle.call_soon(move || drop(bomb)).unwrap_err();
    while_unwinding(|| drop(refused));
    let told: Vec<_> = reports
        .take()
        .into_iter()
        .map(|report| (report.failure, report.callback.unwrap().added_at.line() - line, report.panic.is_some()))
        .collect();
    use Failure::{CallbackLost, DropPanicked};
    assert_eq!(told, [(CallbackLost, 0, false), (CallbackLost, 3, false), (DropPanicked, 3, true)]);
}

/// R72, R75, D8, P14: of three tasks that panicked, one is read, one refuses a cancel, and one is never looked at.
#[test]
fn a_look_at_a_task_of_a_loop_counts_while_its_thread_unwinds() {
    let (mut event_loop, reports) = watched();
    let tasks: [Task<()>; 3] = ["read", "refused", "never"]
        .map(|name| event_loop.handle().spawn_named(name, async { panic!("of the future") }));
    event_loop.run_until_complete(turns(2));
    while_unwinding(|| assert!(tasks[0].outcome().is_some() && !tasks[1].cancel()));
    while_unwinding(|| drop(tasks));
    let told: Vec<_> = reports.take().into_iter().map(|report| (report.failure, report.task.unwrap())).collect();
    assert_eq!(told, [(Failure::PanicNeverRetrieved, "<Task panicked name='never'>".to_owned())]);
}

/// D5, D26, P14: the guards around futures, values and wakers, in a turn and at the close.
#[test]
fn every_guard_of_a_loop_contains_and_reports_while_its_thread_unwinds() {
    let guards = || {
        let (mut event_loop, reports) = watched();
        let handle = event_loop.handle();
        let bell = || Arc::new(Bell::calling(|| panic!("of the waker"))).into();
        let [mut due, mut far] = [Duration::ZERO, Duration::MAX].map(|duration| handle.sleep(duration));
        assert!(is_pending(&mut due, &bell()) && is_pending(&mut far, &bell()));
        drop(handle.spawn(async { on_drop(|| panic!("of the value")) }));
        let cancelled = handle.spawn(Explosive(None));
        event_loop.run_until_complete(turns(1));
        assert!(cancelled.cancel());
        event_loop.run_until_complete(turns(1));
        handle.spawn(Explosive(None));
        event_loop.close();
        failures(&reports.take())
    };
    use Failure::{DropPanicked, TaskAbandoned, WakerPanicked};
    let expected = [WakerPanicked, DropPanicked, DropPanicked, DropPanicked, TaskAbandoned, WakerPanicked];
    assert_eq!([guards(), while_unwinding(guards)], [expected; 2]);
}

/// D5, P14: the last handle goes with a refused call, which is run or lost, and with it a hook whose drop panics.
#[test]
fn a_hook_whose_drop_panics_as_the_last_handle_goes_does_no_harm_also_while_its_thread_unwinds() {
    for (runs, unwinds) in [(true, false), (false, false), (true, true), (false, true)] {
        let (log, bomb) = (Log::default(), on_drop(|| panic!("of the hook")));
        let told = log.clone();
        let event_loop = EventLoop::with_exception_hook(move |report| {
            let _ = &bomb;
            told.note(format!("{:?}", report.failure));
        });
        let handle = event_loop.handle();
        event_loop.close();
        let refused = handle.call_soon(log.call("ran")).unwrap_err().0;
        drop(handle);
        let end = || if runs { refused.run() } else { drop(refused) };
        if unwinds {
            while_unwinding(end)
        } else {
            end()
        }
        assert_eq!(log.read(), if runs { "ran" } else { "CallbackLost" });
    }
}

/// P14: an operation that looks whether its thread unwinds would show.
#[test]
fn a_loop_does_the_same_while_its_thread_unwinds() {
    let everything = || {
        noted(|log, handle| async move {
            let (completer, task) = whendone::task(handle.clone());
            task.add_done_callback(log.callback("first"));
            let waiter = log.task("awaited", task.clone());
            let guard = log.on_drop("cancelled");
            let cancelled = spawn(async move {
                pending::<()>().await;
                drop(guard);
            });
            turns(1).await;
            log.note(cancelled.cancel());
            completer.complete(3).unwrap();
            task.add_done_callback(|_| panic!("contained"));
            log.queue(&handle, "soon");
            handle.call_soon(|| panic!("contained")).unwrap();
            (&waiter).await;
            log.note(format!("{:?} {handle:?}", (&cancelled).into_future()));
            sleep(Duration::from_millis(1)).await;
            drop(spawn(async { panic!("never retrieved") }));
            turns(2).await;
            log.note(format!("{handle:?}"));
        })
    };
    let (plain, unwinding) = (everything(), while_unwinding(everything));
    assert_eq!(
        plain,
        "true cancelled first awaited CallbackPanicked soon CallbackPanicked \
         <Wait for <Task cancelled name='Task-3'>> <Handle of an event loop with 1 task> PanicNeverRetrieved \
         <Handle of an event loop with 1 task>"
    );
    assert_eq!(unwinding, plain);
}
