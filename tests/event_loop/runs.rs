//! Runs: the begin and the end of a run, and the fate of the remaining tasks.

use super::support::{Explosive, Log, failures, heard, message, on_drop, turns, watched, with_panic_hook};
use std::fmt::Write;
use std::future::pending;
use std::hint::black_box;
use std::panic::{PanicHookInfo, catch_unwind, panic_any};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use std::{fmt, panic, thread};
use whendone::{EventLoop, Failure, Handle, Inline, Outcome, Task};
use whendone::{handle, run, sleep, spawn, spawn_named, try_handle};

/// R32, R87, D12
#[test]
fn a_run_ends_after_the_turn_in_which_its_main_is_done() {
    let (mut event_loop, log) = (EventLoop::new(), Log::default());
    let (main, handle) = (log.clone(), event_loop.handle());
    event_loop.run_until_complete(async move {
        let (completer, task) = whendone::task(handle.clone());
        let late = task.clone();
        spawn(async move {
            late.add_done_callback(move |_| {
                let (again, behind) = (main.clone(), handle.clone());
                let call = move || {
                    main.note("this run");
                    again.queue(&behind, "next run");
                };
                handle.call_soon(call).unwrap();
            });
            completer.complete(()).unwrap();
        });
        // Main ends in the same turn as that callback, and before it, so the call is queued behind main's own callback.
        (&task).await;
    });
    assert_eq!(log.read(), "this run");
    event_loop.run_until_complete(async {});
    assert_eq!(log.read(), "this run next run");
}

/// R87, R88
#[test]
fn a_run_returns_after_the_callbacks_that_its_main_queued_last() {
    let log = Log::default();
    let last = log.clone();
    run(async move {
        let task = spawn(async {});
        turns(1).await;
        task.add_done_callback(last.callback("late"));
    });
    assert_eq!(log.read(), "late");
}

/// R81, D12
#[test]
fn a_task_that_nobody_else_holds_is_held_by_its_loop() {
    let log = Log::default();
    let main = log.clone();
    run(async move {
        let guard = main.on_drop("dropped");
        drop(spawn(async {
            pending::<()>().await;
            drop(guard);
        }));
        turns(3).await;
        main.note("main ends");
    });
    assert_eq!(log.read(), "main ends dropped");
}

/// D12
#[test]
fn pending_tasks_go_on_in_the_next_run() {
    let (mut event_loop, log) = (EventLoop::new(), Log::default());
    let (completer, task) = whendone::task(event_loop.handle());
    let left = log.clone();
    event_loop.run_until_complete(async move { drop(left.task("left", task)) });
    assert_eq!(log.read(), "");
    event_loop.run_until_complete(async move {
        completer.complete(()).unwrap();
        turns(1).await;
    });
    assert_eq!(log.read(), "left");
}

/// D12, R92
#[test]
fn a_run_cancels_remaining_tasks_oldest_first_and_runs_their_callbacks() {
    let log = Log::default();
    let main = log.clone();
    let reports = heard(|| {
        run(async move {
            for (dropped, callback) in [("1", "a"), ("2", "b"), ("3", "c")] {
                let guard = main.on_drop(dropped);
                let task = spawn(async {
                    pending::<()>().await;
                    drop(guard);
                });
                let log = main.clone();
                task.add_done_callback(move |task| log.note(if task.is_cancelled() { callback } else { "done" }));
            }
            turns(1).await;
        })
    });
    assert_eq!(log.read(), "1 2 3 a b c");
    assert!(reports.is_empty(), "{reports:?}");
}

/// R34, R89, R91, D12
#[test]
fn a_run_ends_though_callbacks_add_themselves_for_ever() {
    fn one(task: &Task<()>) {
        task.add_done_callback(one);
    }
    fn other(task: &Task<()>) {
        task.add_done_callback(other);
    }
    let reports = heard(|| {
        run(async {
            let task = spawn(async {});
            task.add_done_callback(one);
            task.add_done_callback(other);
            (&task).await;
        })
    });
    let lost: Vec<_> = reports.iter().filter_map(|report| report.callback).map(|origin| origin.callback).collect();
    assert!(lost.len() == 2 && lost[0].ends_with("::one") && lost[1].ends_with("::other"), "{lost:?}");
    assert_eq!(failures(&reports), [Failure::CallbackLost, Failure::CallbackLost, Failure::LoopClosed(2)]);
}

/// R91, D30
#[test]
fn a_callback_that_adds_itself_gets_two_turns_after_main_or_three() {
    fn again(task: &Task<()>, after_main: Log, has_ended: Arc<OnceLock<()>>) {
        task.add_done_callback(move |task| {
            has_ended.get().iter().for_each(|()| after_main.note("turn"));
            again(task, after_main, has_ended);
        });
    }
    for (remaining, turns_after) in [(0, "turn turn"), (1, "turn turn turn"), (5, "turn turn turn")] {
        let log = Log::default();
        let main = log.clone();
        let reports = heard(|| {
            run(async move {
                let task = spawn(async {});
                let has_ended = Arc::new(OnceLock::new());
                again(&task, main, has_ended.clone());
                (0..remaining).for_each(|_| drop(spawn(pending::<()>())));
                turns(3).await;
                has_ended.set(()).unwrap();
            })
        });
        assert_eq!(log.read(), turns_after, "{remaining} tasks remain");
        assert_eq!(failures(&reports), [Failure::CallbackLost, Failure::LoopClosed(1)]);
    }
}

/// R92, P16
#[test]
fn a_task_spawned_while_remaining_tasks_are_cancelled_is_abandoned() {
    let reports = heard(|| {
        run(async {
            let guard = on_drop(|| drop(spawn_named("orphan", pending::<()>())));
            spawn(async {
                pending::<()>().await;
                drop(guard);
            });
            turns(1).await;
        })
    });
    assert_eq!(failures(&reports), [Failure::TaskAbandoned]);
    assert_eq!(reports[0].task.as_deref(), Some("<Task abandoned name='orphan'>"));
}

/// R92, P14
#[test]
fn a_panic_of_a_remaining_task_is_reported_and_the_others_are_cancelled() {
    let log = Log::default();
    let main = log.clone();
    let reports = heard(|| {
        run(async move {
            spawn_named("left", Explosive(None));
            spawn(pending::<()>()).add_done_callback(main.callback("other"));
            turns(1).await;
        })
    });
    assert_eq!(failures(&reports), [Failure::DropPanicked]);
    assert!(reports[0].task.as_ref().unwrap().contains("name='left'"));
    assert_eq!(log.read(), "other");
}

/// D12, P14
#[test]
fn a_panic_of_main_resumes_with_its_payload_after_the_loops_cleanup() {
    let log = Log::default();
    let main = log.clone();
    let ran = catch_unwind(|| {
        run(async move {
            spawn(pending::<()>()).add_done_callback(main.callback("left"));
            turns(1).await;
            panic_any(7_u8)
        })
    });
    assert_eq!(ran.unwrap_err().downcast_ref(), Some(&7_u8));
    assert_eq!(log.read(), "left");
}

/// D12
#[test]
fn a_run_inside_a_run_panics_clearly_and_the_outer_one_goes_on() {
    run(async {
        let outcome = spawn(async { run(async {}) }).await;
        let Outcome::Panicked(panic) = outcome else { panic!("it ran") };
        assert_eq!(
            panic.message(),
            "an event loop is running on this thread already: spawn or await the future, or use another thread"
        );
        assert_eq!(spawn(async { 3 }).await.value(), Some(&3));
    });
    assert_eq!(run(async { 3 }), 3);
}

/// P12: nothing is borrowed during the panic.
#[test]
fn a_panic_hook_may_spawn_on_the_loop_that_refuses_to_run_twice() {
    run(async {
        let handle = handle();
        let spawned = Log::default();
        let (by_the_hook, spawns) = (spawned.clone(), handle.clone());
        let hook = move |_: &PanicHookInfo<'_>| {
            spawns.spawn_named("by the hook", async {});
            by_the_hook.note(format!("{spawns:?}"));
        };
        assert!(with_panic_hook(hook, || catch_unwind(|| run(async {}))).is_err());
        assert_eq!(spawned.read(), "<Handle of an event loop with 2 tasks>");
    });
}

/// P13: the lock is free while a caller's writer writes.
#[test]
fn a_writer_that_a_loop_is_printed_to_may_spawn_on_it() {
    struct Spawns(Handle);
    impl fmt::Write for Spawns {
        fn write_str(&mut self, _: &str) -> fmt::Result {
            self.0.spawn(async {});
            Ok(())
        }
    }
    let mut event_loop = EventLoop::new();
    let handle = event_loop.handle();
    write!(Spawns(handle.clone()), "{handle:?}{event_loop:?}").unwrap();
    // Each of the two texts is written in several pieces.
    let written = format!("{handle:?}").trim_matches(|c: char| !c.is_ascii_digit()).parse::<u32>().unwrap();
    assert!(written >= 4, "{written} pieces");
    event_loop.run_until_complete(async {});
}

/// D11, D12
#[test]
fn an_inline_callback_may_run_a_loop() {
    let log = Log::default();
    let (completer, task) = whendone::task(Inline);
    let callback = log.clone();
    task.add_done_callback(move |_| callback.note(run(async { spawn(async { 3 }).await.value().copied() }).unwrap()));
    completer.complete(()).unwrap();
    assert_eq!(log.read(), "3");
}

/// D11: drains that the callback defers before and after the loop are neither lost nor run by the loop.
#[test]
fn a_loop_in_an_inline_callback_leaves_that_callbacks_deferred_drains() {
    let log = Log::default();
    let (outer, task) = whendone::task(Inline);
    let [before, after] = ["before", "after"].map(|word| {
        let (completer, task) = whendone::task(Inline);
        task.add_done_callback(log.callback(word));
        completer
    });
    let callback = log.clone();
    task.add_done_callback(move |_| {
        before.complete(()).unwrap();
        run(async {
            (&spawn(async {})).await;
        });
        callback.note("loop");
        after.complete(()).unwrap();
    });
    outer.complete(()).unwrap();
    assert_eq!(log.read(), "loop before after");
}

/// D11, D12, R89
#[test]
fn a_loop_closed_inside_an_inline_callback_counts_lost_callbacks() {
    let (event_loop, reports) = watched();
    let (outer, task) = whendone::task(Inline);
    let unrun = Arc::new(Mutex::new(None));
    let counted = unrun.clone();
    event_loop.handle().spawn(std::future::pending::<()>()).add_done_callback(|_| ());
    task.add_done_callback(move |_| *counted.lock().unwrap() = Some(event_loop.close()));
    outer.complete(()).unwrap();
    assert_eq!(*unrun.lock().unwrap(), Some(1));
    let failures: Vec<_> = reports.take().iter().map(|report| report.failure).collect();
    assert_eq!(failures, [Failure::TaskAbandoned, Failure::CallbackLost, Failure::LoopClosed(1)]);
}

/// R48
#[test]
fn outside_a_loop_spawn_and_sleep_panic_and_say_what_to_do() {
    let told = [
        catch_unwind(|| drop(spawn(async {}))),
        catch_unwind(|| drop(spawn_named("name", async {}))),
        catch_unwind(|| drop(sleep(Duration::ZERO))),
        catch_unwind(|| drop(handle())),
    ];
    let calls = [("spawn", ".spawn"), ("spawn_named", ".spawn_named"), ("sleep", ".sleep"), ("handle", "")];
    for (panicked, (wanted, elsewhere)) in told.into_iter().zip(calls) {
        assert_eq!(
            message(&*panicked.unwrap_err()),
            format!(
                "no event loop is running on this thread: call whendone::{wanted} inside whendone::run, \
                 or use the handle of a loop, EventLoop::handle(){elsewhere}"
            )
        );
    }
    assert!(try_handle().is_none());
}

/// R48, R50, R97
#[test]
fn the_handle_of_the_running_loop_is_there_in_tasks_and_callbacks() {
    let ran_on = run(async {
        let (completer, task) = whendone::task(handle());
        let (sender, ran_on) = whendone::task(Inline);
        task.add_done_callback(move |_| {
            let call = move || sender.complete(thread::current().id()).unwrap();
            try_handle().expect("a loop runs the callback").call_soon(call).unwrap();
        });
        thread::spawn(move || completer.complete(3));
        ran_on.await.into_value()
    });
    assert_eq!(ran_on, Some(thread::current().id()));
    assert!(try_handle().is_none());
}

/// D5, D12, R77, R92
#[test]
fn a_loop_with_a_hook_of_its_own_runs_as_run_does() {
    let (event_loop, reports) = watched();
    let remaining = event_loop.handle().spawn(pending::<()>());
    let value = event_loop.run(async {
        spawn(async { 3 }).add_done_callback(|_| panic!("no luck"));
        turns(2).await;
        "value"
    });
    assert_eq!((value, remaining.is_cancelled()), ("value", true));
    assert_eq!(failures(&reports.take()), [Failure::CallbackPanicked]);

    let (event_loop, reports) = watched();
    let remaining = event_loop.handle().spawn(pending::<()>());
    let panicked = catch_unwind(panic::AssertUnwindSafe(|| event_loop.run(async { panic_any(7) })));
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&7));
    assert!(remaining.is_cancelled() && reports.take().is_empty());
}

#[test]
fn a_future_of_512_kib_runs_on_a_stack_of_2_mib() {
    async fn large() -> u8 {
        let field = black_box([1; 512 << 10]);
        turns(1).await;
        black_box(&field)[7]
    }
    let runs: [fn() -> u8; 4] = [
        || run(large()),
        || EventLoop::new().run(large()),
        || EventLoop::new().run_until_complete(large()),
        || run(async { spawn(large()).await.into_value().unwrap() }),
    ];
    for run in runs {
        let thread = thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap();
        assert_eq!(thread.join().unwrap(), 1);
    }
}

/// D13: the number of a task that has ended is not given out again, and the count goes on beyond 16 bits.
#[test]
fn numbers_of_unnamed_tasks_go_on_when_no_task_is_left() {
    let mut event_loop = EventLoop::with_exception_hook(|_| ());
    let handle = event_loop.handle();
    for number in [1, 3, 5] {
        assert_eq!(handle.spawn(async {}).name(), Some(format!("Task-{number}").as_str()));
        event_loop.run_until_complete(turns(1));
        assert_eq!(format!("{handle:?}"), "<Handle of an event loop with 0 tasks>");
    }
    drop(event_loop);
    // A closed loop refuses tasks, and names them all the same.
    (7..1 << 16).for_each(|_| drop(handle.spawn(async {})));
    assert_eq!(
        [(); 2].map(|()| handle.spawn(async {}).name().map(str::to_owned)),
        ["Task-65536", "Task-65537"].map(|name| Some(name.to_owned()))
    );
}

/// D13
#[test]
fn the_unnamed_tasks_of_each_loop_are_numbered_from_one() {
    for _ in 0..2 {
        let mut event_loop = EventLoop::new();
        let handle = event_loop.handle();
        assert_eq!(handle.spawn(async {}).name(), Some("Task-1"));
        event_loop.run_until_complete(async move {
            assert_eq!(spawn_named("fetch", async {}).name(), Some("fetch"));
            assert_eq!(format!("{:?}", spawn(async {})), "<Task pending name='Task-3'>");
            assert_eq!(whendone::task::<()>(handle.clone()).1.name(), None);
            assert_eq!(whendone::task_named::<()>("plain", handle).1.name(), Some("plain"));
        });
    }
}
