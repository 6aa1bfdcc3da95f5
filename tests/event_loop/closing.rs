//! Closing: callbacks that never ran are counted and reported.

use super::support::{Bell, Log, failures, is_pending, noted, on_drop, turns, watched};
use futures::future::FusedFuture;
use std::future::{IntoFuture, pending};
use std::panic::Location;
use std::sync::{Arc, Barrier, Mutex, OnceLock};
use std::task::Waker;
use std::thread;
use std::time::Duration;
use whendone::{Closed, EventLoop, Failure, Outcome, Report, Serial, run, sleep, spawn};

/// R90, R97, D4
#[test]
fn a_closed_loop_gives_a_call_back_to_be_run_here() {
    let log = Log::default();
    let handle = EventLoop::new().handle();
    let Err(Closed(ready)) = handle.call_soon(log.call("here")) else { panic!("it is closed") };
    assert_eq!(log.read(), "");
    ready.run();
    assert_eq!(log.read(), "here");
}

/// D4, P16
#[test]
fn a_refused_call_that_is_dropped_is_reported() {
    let (event_loop, reports) = watched();
    let handle = event_loop.handle();
    assert_eq!(event_loop.close(), 0);
    drop(handle.call_soon(|| ()));
    assert_eq!(failures(&reports.take()), [Failure::CallbackLost]);
}

/// D12, D24
#[test]
fn closing_counts_the_callback_that_a_serial_has_queued() {
    let (event_loop, reports) = watched();
    let (completer, task) = whendone::task(Serial::new(event_loop.handle()));
    task.add_done_callback(|_| ());
    completer.complete(()).unwrap();
    assert_eq!(event_loop.close(), 1);
    assert_eq!(failures(&reports.take()), [Failure::CallbackLost, Failure::LoopClosed(1)]);
}

/// D4, D7, P16
#[test]
fn a_handle_that_outlives_its_loop_spawns_abandoned_tasks() {
    let (event_loop, reports) = watched();
    let handle = event_loop.handle();
    drop(event_loop);
    let task = handle.spawn(async { unreachable!("the loop is closed") });
    assert_eq!(task.outcome(), Some(&Outcome::<()>::Abandoned));
    assert_eq!(failures(&reports.take()), [Failure::TaskAbandoned]);
    task.add_done_callback(|_| unreachable!("the loop is closed"));
    assert_eq!(failures(&reports.take()), [Failure::CallbackLost]);
    assert!(run(async move { (&task).await == &Outcome::Abandoned }));
}

/// R16, R41, R90, D4
#[test]
fn on_a_closed_loop_a_task_completes_and_each_callback_is_reported() {
    let (event_loop, reports) = watched();
    let (completer, task) = whendone::task(event_loop.handle());
    task.add_done_callback(|_| ());
    drop(event_loop);
    task.add_done_callback(|_| ());
    assert!(reports.take().is_empty());
    completer.complete(3).unwrap();
    assert_eq!(task.outcome(), Some(&Outcome::Finished(3)));
    assert_eq!(failures(&reports.take()), [Failure::CallbackLost; 2]);
    task.add_done_callback(|_| ());
    assert_eq!(failures(&reports.take()), [Failure::CallbackLost]);
}

/// R90
#[test]
fn on_a_closed_loop_a_task_without_callbacks_completes_in_silence() {
    let (event_loop, reports) = watched();
    let (completer, task) = whendone::task(event_loop.handle());
    let removed = task.add_done_callback(|_| ());
    drop(event_loop);
    assert!(task.remove_done_callback(removed));
    assert_eq!(completer.complete(3), Ok(()));
    assert!(task.is_done() && reports.take().is_empty());
}

/// R79, R89, D4, D12
#[test]
fn closing_counts_and_reports_callbacks_that_never_ran() {
    let (event_loop, reports) = watched();
    let handle = event_loop.handle();
    let (completer, task) = whendone::task(handle.clone());
    task.add_done_callback(|_| unreachable!("it never runs"));
    completer.complete(()).unwrap();
    handle.call_soon(|| unreachable!("it never runs")).unwrap();
    handle.spawn(async {}).add_done_callback(|_| unreachable!("it never runs"));
    assert_eq!(event_loop.close(), 3);
    let lost = [Failure::CallbackLost; 3].into_iter();
    let expected: Vec<_> = [Failure::TaskAbandoned].into_iter().chain(lost).chain([Failure::LoopClosed(3)]).collect();
    assert_eq!(failures(&reports.take()), expected);
}

/// D4, D12, D31, P15: one of the drops panics.
#[test]
fn closing_counts_and_reports_each_callback_of_one_entry() {
    let (event_loop, reports) = watched();
    let handle = event_loop.handle();
    let (completer, task) = whendone::task(handle.clone());
    let line = Location::caller().line();
    task.add_done_callback(|_| unreachable!("it never runs"));
    let bomb = on_drop(|| panic!("of the drop"));
    task.add_done_callback(move |_| drop(bomb));
    task.add_done_callback(|_| unreachable!("it never runs"));
    completer.complete(()).unwrap();
    handle.call_soon(|| unreachable!("it never runs")).unwrap();
    assert_eq!(event_loop.close(), 4);
    let place = |report: &Report| (report.failure, report.callback.map(|origin| origin.added_at.line() - line));
    let told: Vec<_> = reports.take().iter().map(place).collect();
    let (lost, dropped) = (Failure::CallbackLost, Failure::DropPanicked);
    let expected = [(lost, 1), (lost, 3), (dropped, 3), (lost, 4), (lost, 6)].map(|(failure, at)| (failure, Some(at)));
    assert_eq!(told[..5], expected);
    assert_eq!(told[5..], [(Failure::LoopClosed(4), None)]);
}

/// D31, P14, P15: the callbacks of one entry hold the last handle, run or lost.
#[test]
fn a_value_whose_drop_panics_goes_with_its_callbacks_and_does_no_harm() {
    for callbacks in [1, 2] {
        for runs in [true, false] {
            let (mut event_loop, reports) = watched();
            let (completer, task) = whendone::task(event_loop.handle());
            (0..callbacks).for_each(|_| _ = task.add_done_callback(|_| ()));
            drop(task);
            assert!(completer.complete(on_drop(|| panic!("of the drop"))).is_ok());
            if runs {
                event_loop.run_until_complete(async {});
            }
            let lost = if runs { 0 } else { callbacks };
            assert_eq!(event_loop.close(), lost);
            let mut expected = vec![Failure::CallbackLost; lost];
            expected.extend((lost > 0).then_some(Failure::LoopClosed(lost)));
            assert_eq!(failures(&reports.take()), expected);
        }
    }
}

/// D12, D25, P16: a hand-over that only queues calls the waker.
#[test]
fn a_loop_that_a_waker_closes_counts_the_callbacks_of_its_tasks() {
    let (event_loop, reports) = watched();
    event_loop.handle().spawn(pending::<()>()).add_done_callback(|_| unreachable!("it never runs"));
    let (closed, counted) = (Mutex::new(Some(event_loop)), Arc::new(OnceLock::new()));
    let count = counted.clone();
    let bell = Bell::calling(move || count.set(closed.lock().unwrap().take().unwrap().close()).unwrap());
    let awake = EventLoop::new();
    let (completer, task) = whendone::task(awake.handle());
    let mut wait = (&task).into_future();
    assert!(is_pending(&mut wait, &Arc::new(bell).into()));
    completer.complete(()).unwrap();
    assert_eq!(counted.get(), Some(&1));
    let expected = [Failure::TaskAbandoned, Failure::CallbackLost, Failure::LoopClosed(1)];
    assert_eq!(failures(&reports.take()), expected);
}

/// D4, P16: a callback scheduled by the drop of a lost callback is refused and reported, and does not count.
#[test]
fn closing_counts_once_and_refuses_callbacks_scheduled_by_its_drops() {
    let (event_loop, reports) = watched();
    let handle = event_loop.handle();
    let late = handle.clone();
    let chain = on_drop(move || assert!(late.call_soon(|| unreachable!("it is refused")).is_err()));
    handle.call_soon(move || drop(chain)).unwrap();
    let (completer, task) = whendone::task(handle.clone());
    task.add_done_callback(|_| unreachable!("it never runs"));
    let unstarted = on_drop(move || completer.complete(()).unwrap());
    handle.spawn(async move { drop(unstarted) });
    assert_eq!(event_loop.close(), 2);
    let failures = failures(&reports.take());
    let count = |failure| failures.iter().filter(|other| **other == failure).count();
    assert_eq!(count(Failure::CallbackLost), 3);
    assert_eq!((count(Failure::LoopClosed(2)), failures.len()), (1, 5), "{failures:?}");
}

/// P16: this holds before and after its first step.
#[test]
fn a_task_is_abandoned_after_its_future_is_dropped() {
    for starts in [false, true] {
        let log = Log::default();
        let hook = log.clone();
        let mut event_loop = EventLoop::with_exception_hook(move |report| hook.note(format!("{:?}", report.failure)));
        let captured = log.on_drop("dropped");
        let task = event_loop.handle().spawn(async move {
            pending::<()>().await;
            drop(captured);
        });
        let awaiter = log.clone();
        let bell = Arc::new(Bell::calling(move || awaiter.note("woken")));
        let mut wait = (&task).into_future();
        assert!(is_pending(&mut wait, &bell.into()));
        if starts {
            event_loop.run_until_complete(async {});
        }
        drop(event_loop);
        assert_eq!(log.read(), "dropped woken TaskAbandoned", "started: {starts}");
    }
}

/// R79, D7, P16, P17
#[test]
fn dropping_a_loop_abandons_its_tasks_and_wakes_their_awaiters() {
    let (mut dropped, reports) = watched();
    let task = dropped.handle().spawn(pending::<()>());
    dropped.run_until_complete(async {});
    let awaited = task.clone();
    let noted = noted(|log, _| async move {
        let waiter = log.task("awaited", awaited);
        turns(1).await;
        drop(dropped);
        (&waiter).await;
    });
    assert_eq!(noted, "awaited");
    assert_eq!(task.outcome(), Some(&Outcome::Abandoned));
    assert_eq!(failures(&reports.take()), [Failure::TaskAbandoned]);
}

/// P15: a loop drops its hook last.
#[test]
fn a_loop_dropped_with_work_left_leaves_nothing_behind() {
    let alive = Arc::new(());
    let told = alive.clone();
    let mut event_loop = EventLoop::with_exception_hook(move |_| drop(told.clone()));
    let (completer, task) = whendone::task::<()>(event_loop.handle());
    let handle = event_loop.handle();
    event_loop.run_until_complete(async move {
        let naps = spawn(sleep(Duration::MAX));
        spawn(async { drop(naps.await) }).add_done_callback(|_| ());
        spawn(async move { drop((&task).await.clone()) });
        turns(1).await;
        let late = handle.clone();
        handle.call_soon(move || drop(late.spawn(async {}))).unwrap();
    });
    drop(event_loop);
    assert_eq!(completer.complete(()), Ok(()));
    assert_eq!(Arc::strong_count(&alive), 1);
}

/// D4, P15, P16
/// Threads: one queues calls until the loop refuses, one closes it.
/// May: any number of calls is queued.
/// Must not: a call vanishes, neither counted nor reported.
#[test]
fn call_soon_vs_close() {
    for _ in 0..200 {
        let (event_loop, reports) = watched();
        let (handle, start) = (event_loop.handle(), Barrier::new(2));
        let (queued, closed) = thread::scope(|scope| {
            let caller = scope.spawn(|| {
                start.wait();
                (0_usize..).find(|_| handle.call_soon(|| ()).is_err()).unwrap()
            });
            start.wait();
            let closed = event_loop.close();
            (caller.join().unwrap(), closed)
        });
        let lost = failures(&reports.take()).into_iter().filter(|failure| *failure == Failure::CallbackLost).count();
        assert_eq!(lost, queued + 1, "the refused call and all calls before it");
        assert!(closed <= queued);
    }
}

/// P16, D26
#[test]
fn a_sleep_of_a_closed_loop_is_over_at_once() {
    let event_loop = EventLoop::new();
    let handle = event_loop.handle();
    let before = handle.sleep(Duration::MAX);
    event_loop.close();
    run(async move {
        before.await;
        handle.sleep(Duration::MAX).await;
    });
}

/// P16, D26
#[test]
fn closing_a_loop_wakes_its_sleepers() {
    let ways: [fn(EventLoop); 3] = [|closed| _ = closed.close(), drop, |finished| _ = finished.finish()];
    for close in ways {
        let event_loop = EventLoop::new();
        let bells = [0, 1].map(|_| Arc::new(Bell::default()));
        let mut naps = [0, 1].map(|_| event_loop.handle().sleep(Duration::MAX));
        for (nap, bell) in naps.iter_mut().zip(&bells) {
            assert!(is_pending(nap, &bell.clone().into()));
            assert!(!bell.rang());
        }
        close(event_loop);
        for (mut nap, bell) in naps.into_iter().zip(bells) {
            assert!(bell.rang());
            assert!(!nap.is_terminated() && !is_pending(&mut nap, Waker::noop()) && nap.is_terminated());
            assert_eq!(Arc::strong_count(&bell), 1);
        }
    }
}

/// P13, P14, P16, D26
#[test]
fn a_waker_that_panics_or_sleeps_again_while_its_loop_closes_does_no_harm() {
    let (event_loop, reports) = watched();
    let handle = event_loop.handle();
    let again = move || assert!(!is_pending(&mut handle.sleep(Duration::MAX), Waker::noop()));
    let bells = [Bell::calling(|| panic!("of the waker")), Bell::calling(again)].map(Arc::new);
    let mut naps = [0, 1].map(|_| event_loop.handle().sleep(Duration::MAX));
    for (nap, bell) in naps.iter_mut().zip(&bells) {
        assert!(is_pending(nap, &bell.clone().into()));
    }
    assert_eq!(event_loop.close(), 0);
    assert!(bells.iter().all(|bell| bell.rang()));
    assert_eq!(failures(&reports.take()), [Failure::WakerPanicked]);
}

/// R91, R92, D12
#[test]
fn a_loop_is_finished_as_run_finishes_its_own() {
    let (mut event_loop, reports) = watched();
    let log = Log::default();
    let (handle, remaining) = (event_loop.handle(), event_loop.handle().spawn(pending::<()>()));
    remaining.add_done_callback(log.callback("cancelled"));
    assert_eq!(event_loop.run_until_complete(async { 3 }), 3);
    assert!(!remaining.is_done());
    handle.call_soon(log.call("queued")).unwrap();
    let behind = log.clone();
    remaining.add_done_callback(move |_| behind.queue(&handle, "too late"));
    assert_eq!(event_loop.finish(), 1);
    assert!(remaining.is_cancelled());
    assert_eq!(log.read(), "queued cancelled");
    assert_eq!(failures(&reports.take()), [Failure::CallbackLost, Failure::LoopClosed(1)]);
}
