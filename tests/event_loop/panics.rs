//! Panics of callbacks, tasks, hooks and drops: contained, and reported if nobody retrieves them.

use super::support::{Bell, Explosive, Log, failures, is_pending, noted, on_drop, turns, watched};
use std::future::{IntoFuture, pending};
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, panic_any};
use std::process::Command;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;
use std::{env, panic};
use whendone::{EventLoop, Failure, Inline, Outcome, Task, handle, spawn, spawn_named};

/// D5, D31, R62
#[test]
fn of_callbacks_in_one_entry_each_that_panics_is_the_one_that_is_named() {
    let (mut event_loop, reports) = watched();
    let log = Log::default();
    let (completer, task) = whendone::task(event_loop.handle());
    let line = Location::caller().line();
    task.add_done_callback(log.callback("a"));
    task.add_done_callback(|_| panic!("first"));
    task.add_done_callback(log.callback("c"));
    task.add_done_callback(|_| panic!("second"));
    task.add_done_callback(log.callback("e"));
    completer.complete(()).unwrap();
    event_loop.run_until_complete(async {});
    let place = |report: &whendone::Report| (report.failure, report.callback.unwrap().added_at.line() - line);
    let told: Vec<_> = reports.take().iter().map(place).collect();
    assert_eq!(told, [(Failure::CallbackPanicked, 2), (Failure::CallbackPanicked, 4)]);
    assert_eq!(log.read(), "a c e");
}

/// P14
#[test]
fn a_future_that_panics_ends_its_task_and_not_the_loop() {
    let noted = noted(|log, _| async move {
        let task = spawn(async { panic!("of the future") });
        task.add_done_callback(log.callback("callback"));
        let Outcome::Panicked(panic) = task.await else { panic!("it did not") };
        assert_eq!(panic.message(), "of the future");
        assert_eq!(panic.take_payload().unwrap().downcast_ref(), Some(&"of the future"));
    });
    assert_eq!(noted, "callback");
}

/// P14, D5
#[test]
fn a_future_whose_drop_panics_is_reported_and_its_task_ends_as_it_did() {
    let noted = noted(|log, _| async move {
        let finished = spawn(Explosive(Some(3)));
        let cancelled = spawn(Explosive(None));
        let never_started = spawn(Explosive(Some(3)));
        assert!(never_started.cancel());
        turns(1).await;
        assert!(cancelled.cancel());
        for task in [&finished, &cancelled, &never_started] {
            task.add_done_callback(log.callback("callback"));
            task.await;
        }
        assert_eq!(finished.outcome(), Some(&Outcome::Finished(3)));
        assert!(cancelled.is_cancelled() && never_started.is_cancelled());
    });
    assert_eq!(noted, "DropPanicked DropPanicked DropPanicked callback callback callback");
}

/// R60, R62, R12
#[test]
fn a_callback_that_panics_is_reported_and_the_others_run() {
    let noted = noted(|log, handle| async move {
        let (completer, task) = whendone::task(handle);
        task.add_done_callback(log.callback("a"));
        task.add_done_callback(|_| panic!("of the callback"));
        task.add_done_callback(log.callback("c"));
        completer.complete(3).unwrap();
        turns(1).await;
        assert_eq!(task.outcome(), Some(&Outcome::Finished(3)));
        task.add_done_callback(log.callback("late"));
    });
    assert_eq!(noted, "a CallbackPanicked c late");
}

/// D5, R61, R64
#[test]
fn a_report_names_the_task_the_callback_where_it_was_added_and_the_panic() {
    let (mut event_loop, reports) = watched();
    let line = event_loop.run_until_complete(async {
        let task = spawn_named("fetch", async {});
        let line = Location::caller().line() + 1;
        task.add_done_callback(|_| panic!("of the {}", black_box("callback")));
        (&task).await;
        line
    });
    let [report] = &reports.take()[..] else { panic!("one is reported") };
    let origin = report.callback.unwrap();
    assert_eq!(report.task.as_deref(), Some("<Task finished name='fetch'>"));
    assert_eq!((origin.added_at.file(), origin.added_at.line()), (file!(), line));
    assert!(origin.callback.contains("a_report_names_the_task"));
    let panic = report.panic.as_ref().unwrap();
    assert_eq!(panic.message(), "of the callback");
    assert_eq!(panic.take_payload().unwrap().downcast_ref(), Some(&"of the callback".to_owned()));
}

/// R68, D5
#[test]
fn a_hook_that_panics_does_no_harm() {
    let (mut event_loop, log) = (EventLoop::with_exception_hook(|_| panic!("of the hook")), Log::default());
    let (main, handle) = (log.clone(), event_loop.handle());
    event_loop.run_until_complete(async move {
        let task = spawn(async {});
        task.add_done_callback(|_| panic!("of the callback"));
        task.add_done_callback(main.callback("callback"));
        (&task).await;
        handle.call_soon(|| panic!("of the call")).unwrap();
        main.queue(&handle, "call");
    });
    assert_eq!(log.read(), "callback call");
}

/// R68: the failing program runs in another process, whose standard error can be read.
#[test]
fn when_a_hook_panics_both_failures_are_printed() {
    const NAME: &str = "panics::when_a_hook_panics_both_failures_are_printed";
    if env::var_os(NAME).is_some() {
        let mut event_loop = EventLoop::with_exception_hook(|_| panic!("of the hook"));
        event_loop.handle().call_soon(|| panic!("of the call")).unwrap();
        return event_loop.run_until_complete(async {});
    }
    let mut command = Command::new(env::current_exe().unwrap());
    let output = command.args(["--exact", NAME, "--nocapture"]).env(NAME, "").output().unwrap();
    let printed = String::from_utf8(output.stderr).unwrap();
    let call = printed.find("whendone: exception in callback").expect(&printed);
    let hook = printed.find("whendone: exception in the exception hook").expect(&printed);
    assert!(call < hook && printed[hook..].contains("panic     of the hook"), "{printed}");
    assert!(printed[call..hook].contains("panic     of the call"), "{printed}");
}

/// R68: in another process, whose standard error takes nothing.
#[test]
#[cfg(target_os = "linux")]
fn when_failures_of_a_hook_cannot_be_printed_either_the_loop_goes_on() {
    const NAME: &str = "panics::when_failures_of_a_hook_cannot_be_printed_either_the_loop_goes_on";
    if env::var_os(NAME).is_some() {
        let (mut event_loop, log) = (EventLoop::with_exception_hook(|_| panic!("of the hook")), Log::default());
        event_loop.handle().call_soon(|| panic!("of the call")).unwrap();
        log.queue(&event_loop.handle(), "next");
        event_loop.run_until_complete(async {});
        return assert_eq!(log.read(), "next");
    }
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    let output = command.args(["--exact", NAME, "--nocapture"]).env(NAME, "").stderr(full).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// R60, R97
#[test]
fn a_call_that_panics_is_reported_and_the_loop_goes_on() {
    let noted = noted(|log, handle| async move {
        handle.call_soon(|| panic!("of the call")).unwrap();
        log.queue(&handle, "next");
    });
    assert_eq!(noted, "CallbackPanicked next");
}

/// P14, D9
#[test]
fn a_waker_that_panics_is_reported_and_the_others_run() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("of the waker");
        }
    }
    let noted = noted(|log, handle| async move {
        let (completer, task) = whendone::task(handle.clone());
        let waker = Waker::from(Arc::new(Panics));
        let (mut wait, mut nap) = ((&task).into_future(), handle.sleep(Duration::ZERO));
        assert!(is_pending(&mut wait, &waker));
        assert!(is_pending(&mut nap, &waker));
        task.add_done_callback(log.callback("callback"));
        completer.complete(()).unwrap();
        turns(1).await;
    });
    assert_eq!(noted, "WakerPanicked WakerPanicked callback");
}

/// P14, D5: the loop drops the last handle, and reports the panic of its value.
#[test]
fn a_value_whose_drop_panics_is_reported_and_does_not_end_the_loop() {
    let noted = noted(|log, _| async move {
        drop(spawn(async { on_drop(|| panic!("of the drop")) }));
        drop(log.task("next", async {}));
        turns(1).await;
    });
    assert_eq!(noted, "DropPanicked next");
}

/// P14: the deferred drain holds the last handle, so it drops the value.
#[test]
fn a_value_that_panics_when_a_deferred_drain_drops_it_strands_no_drain() {
    let log = Log::default();
    let (outer, task) = whendone::task(Inline);
    task.add_done_callback(|_| {
        let (completer, _) = whendone::task(Inline);
        drop(completer.complete(on_drop(|| panic!("of the drop"))));
    });
    let _ = catch_unwind(AssertUnwindSafe(|| outer.complete(())));
    task.add_done_callback(log.callback("late"));
    assert_eq!(log.read(), "late");
}

/// R72, R73, D8
#[test]
fn an_unretrieved_panic_is_reported_once_when_the_last_handle_goes() {
    let (mut event_loop, reports) = watched();
    let task: Task<()> = event_loop.handle().spawn_named("fetch", async { panic!("of the future") });
    let again = task.clone();
    event_loop.run_until_complete(turns(2));
    assert!(task.is_done());
    drop(task);
    assert!(reports.take().is_empty());
    drop(again);
    let [report] = &reports.take()[..] else { panic!("one is reported") };
    assert_eq!(report.failure, Failure::PanicNeverRetrieved);
    assert_eq!(report.task.as_deref(), Some("<Task panicked name='fetch'>"));
    assert_eq!(report.panic.as_ref().unwrap().message(), "of the future");
    assert!(report.callback.is_none());
}

/// R72, D8
#[test]
fn an_err_that_nobody_reads_goes_in_silence() {
    let (mut event_loop, reports) = watched();
    let task = event_loop.handle().spawn(async { Err::<(), _>("read by nobody") });
    event_loop.run_until_complete(turns(2));
    assert!(task.is_done());
    drop(task);
    assert!(reports.take().is_empty());
}

/// R70, R76, D8: the callback has the last handle when it runs.
#[test]
fn a_callback_that_reads_or_resumes_its_tasks_panic_has_retrieved_it() {
    let (mut event_loop, reports) = watched();
    event_loop.run_until_complete(async {
        let task: Task<()> = spawn(async { panic!("of the future") });
        task.add_done_callback(|task| assert!(matches!(task.outcome(), Some(Outcome::Panicked(_)))));
        let task: Task<()> = spawn(async { panic!("of the future, again") });
        task.add_done_callback(|task| match task.outcome() {
            Some(Outcome::Panicked(panic)) => panic::resume_unwind(panic.take_payload().unwrap()),
            _ => unreachable!("it panicked"),
        });
        drop(task);
        turns(2).await;
    });
    let [report] = &reports.take()[..] else { panic!("one is reported") };
    assert_eq!(report.failure, Failure::CallbackPanicked);
    assert_eq!(report.panic.as_ref().unwrap().message(), "of the future, again");
}

/// R74, R78, D8: even a read during the completion counts.
#[test]
fn a_waker_that_reads_the_panic_during_completion_has_retrieved_it() {
    let (mut event_loop, reports) = watched();
    let task: Task<()> = event_loop.handle().spawn(async { panic!("of the future") });
    let seen = task.clone();
    let bell = Arc::new(Bell::calling(move || assert!(seen.outcome().is_some())));
    let mut wait = (&task).into_future();
    assert!(is_pending(&mut wait, &bell.clone().into()));
    event_loop.run_until_complete(turns(2));
    assert!(bell.rang());
    drop((wait, bell));
    drop(task);
    assert!(reports.take().is_empty());
}

/// R77, D12
#[test]
fn a_panic_of_main_goes_to_the_caller_and_is_not_reported_as_well() {
    let (mut event_loop, reports) = watched();
    let ran = catch_unwind(AssertUnwindSafe(|| event_loop.run_until_complete(async { panic_any(7_u8) })));
    assert_eq!(ran.unwrap_err().downcast_ref(), Some(&7_u8));
    drop(event_loop);
    assert!(reports.take().is_empty());
}

/// R45, R50, R72, R75, D8
#[test]
fn a_panic_is_reported_unless_it_was_retrieved() {
    let (mut event_loop, reports) = watched();
    event_loop.run_until_complete(async {
        let task: Task<()> = spawn(async { panic!("never seen") });
        turns(1).await;
        // None of these retrieves the panic.
        assert!(task.is_done() && !task.is_cancelled() && format!("{task:?}").contains("never seen"));
        drop(task);
        drop(spawn(async { panic!("awaited") }).await);
        let refused: Task<()> = spawn(async { panic!("seen by the caller of a refused cancel") });
        turns(1).await;
        assert!(!refused.cancel());
        turns(1).await;
    });
    let reports = reports.take();
    let panics: Vec<_> =
        reports.iter().filter_map(|report| report.panic.as_ref()).map(|panic| panic.message()).collect();
    assert_eq!(panics, ["never seen"]);
}

/// R45, D19, D8
#[test]
fn an_awaiter_cancelled_after_its_wake_has_not_retrieved_the_panic() {
    let (mut event_loop, reports) = watched();
    event_loop.run_until_complete(async {
        let task: Task<()> = spawn(async {
            turns(1).await;
            panic!("nobody goes on with it")
        });
        let awaited = task.clone();
        let waiter = spawn(async move { drop(awaited.await) });
        task.add_done_callback(move |_| assert!(waiter.cancel()));
        drop(task);
        turns(4).await;
    });
    let reports = reports.take();
    assert_eq!(reports[0].panic.as_ref().map(|panic| panic.message()), Some("nobody goes on with it"));
    assert_eq!(reports.len(), 1, "{reports:?}");
}

/// D28, P14
#[test]
fn a_payload_of_a_task_whose_drop_panics_with_its_own_kind_does_no_harm() {
    /// A payload whose drop panics with another payload of this type, for ever.
    struct Endless;
    impl Drop for Endless {
        fn drop(&mut self) {
            panic_any(Endless)
        }
    }
    let (event_loop, reports) = watched();
    event_loop.run(async {
        spawn(async { panic_any::<Endless>(Endless) });
        let captured = Endless;
        let cancelled = spawn(async move {
            let _captured = captured;
            pending::<()>().await
        });
        turns(1).await;
        cancelled.cancel();
        handle().call_soon(|| panic_any(Endless)).unwrap();
        turns(3).await;
    });
    let expected = [Failure::CallbackPanicked, Failure::PanicNeverRetrieved, Failure::DropPanicked];
    let reported = failures(&reports.take());
    assert!(reported.len() == 3 && expected.iter().all(|failure| reported.contains(failure)), "{reported:?}");
}
