//! The event loop, rule by rule. What came before what is read from a log, never from a clock.
#![cfg(feature = "event-loop")]

use futures::future::FusedFuture;
use std::any::Any;
use std::cell::RefCell;
use std::env;
use std::fmt::{self, Display, Write};
use std::future::{Future, IntoFuture, pending, poll_fn};
use std::hint::spin_loop;
use std::mem;
use std::panic::{self, AssertUnwindSafe, Location, catch_unwind, panic_any};
use std::pin::Pin;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};
use whendone::event_loop::Sleep;
use whendone::{
    AlreadyDone, Closed, EventLoop, Failure, Handle, Inline, Outcome, Ready, Report, Schedule, Task, run, sleep, spawn,
    spawn_named,
};

// The queue

/// R30, R31
#[test]
fn completion_queues_its_callbacks_behind_what_is_queued_and_runs_none() {
    let noted = noted(|log, handle| async move {
        let (completer, task) = whendone::task(handle.clone());
        task.add_done_callback(log.callback("a"));
        task.add_done_callback(log.callback("b"));
        log.queue(&handle, "before");
        completer.complete(()).unwrap();
        log.note("completed");
        log.queue(&handle, "after");
    });
    assert_eq!(noted, "completed before a b after");
}

/// R32
#[test]
fn what_a_turn_queues_waits_for_the_next() {
    let noted = noted_by_turn(|log, handle| async move {
        let (first, again) = (log.clone(), handle.clone());
        let call = move || {
            first.note("a");
            first.queue(&again, "c");
        };
        handle.call_soon(call).unwrap();
        log.queue(&handle, "b");
        turns(3).await;
    });
    assert_eq!(noted, "1: 2: a b 3: c 4:");
}

/// R32
#[test]
fn timers_that_are_due_go_behind_what_is_ready() {
    let noted = noted_by_turn(|log, handle| async move {
        let nap = log.task("timer", sleep(Duration::ZERO));
        spawn(async move {
            log.queue(&handle, "a");
            log.queue(&handle, "b");
        });
        (&nap).await;
    });
    assert_eq!(noted, "1: 2: 3: a b timer 4:");
}

/// R32
#[test]
fn timers_fire_in_the_order_of_their_deadlines() {
    let noted = noted(|log, _| async move {
        let never = log.task("never", sleep(Duration::MAX));
        let naps = [1, 2, 3].map(|millis| log.task(millis, sleep(Duration::from_millis(millis))));
        for nap in &naps {
            nap.await;
        }
        assert!(!never.is_done());
    });
    assert_eq!(noted, "1 2 3");
}

/// R32: also when they are due in one turn.
#[test]
fn timers_that_are_due_in_one_turn_fire_in_the_order_of_their_deadlines() {
    let noted = noted(|log, _| async move {
        let naps = [1, 2, 3].map(|micros| log.task(micros, sleep(Duration::from_micros(micros))));
        turns(1).await;
        let late = Instant::now() + Duration::from_millis(1);
        while Instant::now() < late {
            spin_loop();
        }
        for nap in &naps {
            nap.await;
        }
    });
    assert_eq!(noted, "1 2 3");
}

/// R32, R87, D17: in the very turn, which is the last one here.
#[test]
fn timers_that_are_due_when_a_turn_begins_fire_in_it() {
    let noted = noted(|log, _| async move {
        log.task("timer", sleep(Duration::ZERO));
        turns(1).await;
    });
    assert_eq!(noted, "timer");
}

/// P17
#[test]
fn a_sleep_that_is_polled_again_is_not_over_and_wakes_the_last_waker() {
    let mut event_loop = EventLoop::new();
    let mut nap = event_loop.handle().sleep(Duration::ZERO);
    let (first, last) = (Arc::new(Bell::default()), Arc::new(Bell::default()));
    assert!(is_pending(&mut nap, &first.clone().into()));
    assert!(is_pending(&mut nap, &last.clone().into()) && !nap.is_terminated());
    event_loop.run_until_complete(async {});
    assert!(!first.rang() && last.rang());
    assert!(!is_pending(&mut nap, Waker::noop()) && nap.is_terminated());
}

/// R33, R15, P11
#[test]
fn a_late_callback_is_queued_at_that_moment() {
    let noted = noted(|log, handle| async move {
        let (completer, task) = whendone::task(handle.clone());
        task.add_done_callback(log.callback("early"));
        completer.complete(()).unwrap();
        log.queue(&handle, "before");
        task.add_done_callback(log.callback("late"));
        log.note("added");
        log.queue(&handle, "after");
    });
    assert_eq!(noted, "added early before late after");
}

/// R34
#[test]
fn a_callback_that_adds_itself_again_runs_once_a_turn() {
    fn again(task: &Task<()>, log: Log, times: u32) {
        task.add_done_callback(move |task| {
            log.note("again");
            if times > 1 {
                again(task, log, times - 1);
            }
        });
    }
    let noted = noted_by_turn(|log, handle| async move {
        let (completer, task) = whendone::task(handle.clone());
        again(&task, log.clone(), 3);
        completer.complete(()).unwrap();
        log.queue(&handle, "other");
        turns(4).await;
    });
    assert_eq!(noted, "1: 2: again other 3: again 4: again 5:");
}

/// R25, R35, D2
#[test]
fn a_callback_cannot_remove_a_later_one() {
    let noted = noted(|log, handle| async move {
        let (completer, task) = whendone::task(handle);
        let (later, first) = (Arc::new(OnceLock::new()), log.clone());
        let id = later.clone();
        task.add_done_callback(move |task| first.note(task.remove_done_callback(*id.get().unwrap())));
        later.set(task.add_done_callback(log.callback("later"))).unwrap();
        completer.complete(()).unwrap();
    });
    assert_eq!(noted, "false later");
}

/// R36
#[test]
fn a_chain_of_completions_takes_a_turn_for_each_link_and_no_stack() {
    let noted = noted_by_turn(|log, handle| async move {
        let (first, mut last) = whendone::task(handle.clone());
        for _ in 0..5000 {
            let (completer, next) = whendone::task(handle.clone());
            last.add_done_callback(move |_| completer.complete(()));
            last = next;
        }
        last.add_done_callback(log.callback("last"));
        first.complete(()).unwrap();
        (&last).await;
    });
    assert!(noted.ends_with(" 5001: 5002: last"), "{}", &noted[noted.len() - 40..]);
}

/// R37
#[test]
fn a_callback_cannot_complete_or_cancel_its_task() {
    let noted = noted(|log, handle| async move {
        let (completer, task) = whendone::task(handle);
        assert!(task.cancel());
        task.add_done_callback(move |task| {
            log.note(task.cancel());
            log.note(completer.complete(3) == Err(AlreadyDone(3)));
        });
    });
    assert_eq!(noted, "false true");
}

/// R38
#[test]
fn across_tasks_the_order_is_by_completion_and_then_by_registration() {
    let noted = noted(|log, handle| async move {
        let [(complete_a, a), (complete_b, b)] = [0, 1].map(|_| whendone::task(handle.clone()));
        a.add_done_callback(log.callback("a1"));
        b.add_done_callback(log.callback("b1"));
        a.add_done_callback(log.callback("a2"));
        b.add_done_callback(log.callback("b2"));
        complete_b.complete(()).unwrap();
        complete_a.complete(()).unwrap();
    });
    assert_eq!(noted, "b1 b2 a1 a2");
}

/// R38, R39, R95, R97
#[test]
fn callbacks_of_all_threads_run_on_the_loops_thread_one_at_a_time_in_each_threads_order() {
    let noted = noted(|log, handle| async move {
        let (home, inside) = (thread::current().id(), Arc::new(AtomicBool::new(false)));
        let pairs: Vec<_> = (0..100).map(|_| whendone::task(handle.clone())).collect();
        let (mut completers, tasks): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        for (number, task) in tasks.iter().enumerate() {
            let (log, inside) = (log.clone(), inside.clone());
            task.add_done_callback(move |_| {
                assert!(thread::current().id() == home && !inside.swap(true, Ordering::Relaxed));
                log.note(number);
                assert!(inside.swap(false, Ordering::Relaxed));
            });
        }
        let threads = [completers.split_off(50), completers].map(|completers| {
            thread::spawn(|| completers.into_iter().for_each(|completer| completer.complete(()).unwrap()))
        });
        for task in &tasks {
            task.await;
        }
        for thread in threads {
            thread.join().unwrap();
        }
    });
    let numbers = noted.split(' ').map(|number| number.parse::<u32>().unwrap());
    let (low, high): (Vec<_>, Vec<_>) = numbers.partition(|&number| number < 50);
    assert!(low.into_iter().eq(0..50) && high.into_iter().eq(50..100), "{noted}");
}

// Awaiting

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

/// R43
#[test]
fn an_await_registers_when_it_is_reached_and_not_when_its_task_is_spawned() {
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
fn an_await_that_is_dropped_gives_its_place_up() {
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

// Waking

/// P17
#[test]
fn a_task_that_wakes_itself_is_polled_again_in_the_next_turn() {
    let noted = noted_by_turn(|log, _| async move {
        let mut polls = 0;
        let task = spawn(poll_fn(move |context| {
            log.note("poll");
            polls += 1;
            context.waker().wake_by_ref();
            context.waker().wake_by_ref();
            if polls < 3 { Poll::Pending } else { Poll::Ready(()) }
        }));
        (&task).await;
    });
    assert_eq!(noted, "1: 2: poll 3: poll 4: poll 5:");
}

/// P17
#[test]
fn a_task_that_another_thread_wakes_while_it_is_polled_is_polled_again() {
    run(async {
        let mut woken = false;
        let task = spawn(poll_fn(move |context| {
            let waker = context.waker().clone();
            thread::spawn(|| waker.wake()).join().unwrap();
            if mem::replace(&mut woken, true) { Poll::Ready(()) } else { Poll::Pending }
        }));
        (&task).await;
    });
}

/// P17
#[test]
fn a_waker_may_outlive_its_task_and_its_loop() {
    let kept = Arc::new(OnceLock::new());
    let keep = kept.clone();
    run(async move {
        (&spawn(poll_fn(move |context| Poll::Ready(keep.set(context.waker().clone()))))).await;
    });
    kept.get().unwrap().wake_by_ref();
}

// Cancelling

/// R50, D10
#[test]
fn a_plain_task_is_cancelled_at_once_and_its_callbacks_are_queued() {
    let noted = noted_by_turn(|log, handle| async move {
        let (_completer, task) = whendone::task::<()>(handle.clone());
        task.add_done_callback(log.callback("callback"));
        log.note(task.cancel() && task.is_cancelled());
        log.queue(&handle, "after");
        log.note(task.cancel());
        turns(1).await;
    });
    assert_eq!(noted, "1: true false 2: callback after");
}

/// R51, D10
#[test]
fn cancelling_a_task_of_the_loop_is_a_request() {
    let noted = noted_by_turn(|log, _| async move {
        let guard = log.on_drop("dropped");
        let task = spawn(async move {
            pending::<()>().await;
            drop(guard);
        });
        task.add_done_callback(log.callback("callback"));
        turns(1).await;
        log.note(task.cancel());
        log.note(task.is_done());
        turns(3).await;
        assert!(task.is_cancelled());
    });
    assert_eq!(noted, "1: 2: true false 3: dropped 4: callback 5:");
}

/// R59: neither one that has begun nor one that has not.
#[test]
fn a_task_of_a_loop_that_was_cancelled_is_dropped_without_a_report() {
    let (mut event_loop, reports) = watched();
    let begun = event_loop.handle().spawn(pending::<()>());
    event_loop.run_until_complete(turns(1));
    let fresh = event_loop.handle().spawn(pending::<()>());
    assert!(begun.cancel() && fresh.cancel());
    event_loop.run_until_complete(turns(2));
    assert!(begun.is_cancelled() && fresh.is_cancelled());
    drop((begun, fresh, event_loop));
    assert_eq!(failures(&reports.take()), []);
}

/// R52
#[test]
fn a_task_that_is_cancelled_before_its_first_step_never_runs() {
    let noted = noted_by_turn(|log, _| async move {
        let (body, guard) = (log.clone(), log.on_drop("dropped"));
        let task = spawn(async move {
            body.note("body");
            drop(guard);
        });
        task.add_done_callback(log.callback("callback"));
        assert!(task.cancel() && !task.is_cancelled());
        turns(1).await;
        assert!(task.is_cancelled());
        turns(2).await;
    });
    assert_eq!(noted, "1: 2: dropped 3: callback 4:");
}

/// R51, D10
#[test]
fn a_task_that_another_thread_cancels_drops_its_future_on_the_loops_thread_before_its_callbacks_run() {
    let noted = noted(|log, _| async move {
        let (home, last) = (thread::current().id(), log.clone());
        let guard = on_drop(move || last.note(thread::current().id() == home));
        let task = spawn(async move {
            pending::<()>().await;
            drop(guard);
        });
        task.add_done_callback(log.callback("callback"));
        turns(1).await;
        let cancelled = task.clone();
        assert!(thread::spawn(move || cancelled.cancel()).join().unwrap());
        (&task).await;
    });
    assert_eq!(noted, "true callback");
}

/// R54, D10
#[test]
fn a_task_that_is_cancelled_when_it_is_woken_already_ends_cancelled_and_what_it_awaited_keeps_its_value() {
    let noted = noted_by_turn(|log, handle| async move {
        let (completer, awaited) = whendone::task(handle);
        let waiter = log.task("awaited", awaited.clone());
        waiter.add_done_callback(|task| assert!(task.is_cancelled()));
        waiter.add_done_callback(log.callback("cancelled"));
        turns(1).await;
        completer.complete(3).unwrap();
        assert!(waiter.cancel());
        turns(3).await;
        assert_eq!(awaited.outcome(), Some(&Outcome::Finished(3)));
    });
    assert_eq!(noted, "1: 2: 3: 4: cancelled 5:");
}

/// R55, D10, P15
#[test]
fn a_cancel_request_beats_the_value_that_the_same_step_returns() {
    struct Value(Log);
    impl Drop for Value {
        fn drop(&mut self) {
            self.0.note("dropped");
        }
    }
    let noted = noted(|log, _| async move {
        let own = Arc::new(OnceLock::<Task<Value>>::new());
        let (value, this) = (Value(log.clone()), own.clone());
        let task = spawn(async move {
            value.0.note(this.get().unwrap().cancel());
            value
        });
        task.add_done_callback(move |task| log.note(task.is_cancelled()));
        own.set(task.clone()).ok().unwrap();
        (&task).await;
    });
    assert_eq!(noted, "true dropped true");
}

/// R55, D10
#[test]
fn a_cancel_request_does_not_beat_a_panic() {
    run(async {
        let own = Arc::new(OnceLock::<Task<()>>::new());
        let this = own.clone();
        let task = spawn(async move {
            assert!(!this.get().unwrap().cancel(), "of the future");
        });
        own.set(task.clone()).unwrap();
        assert!(matches!((&task).await, Outcome::Panicked(panic) if panic.message() == "of the future"));
    });
}

/// R51, P17, D10
#[test]
fn a_task_that_cancels_itself_and_suspends_is_never_polled_again() {
    let noted = noted_by_turn(|log, _| async move {
        let own = Arc::new(OnceLock::<Task<()>>::new());
        let (this, polled) = (own.clone(), log.clone());
        let task = spawn(poll_fn(move |_| {
            polled.note(this.get().unwrap().cancel());
            Poll::Pending
        }));
        task.add_done_callback(log.callback("callback"));
        own.set(task).unwrap();
        turns(4).await;
    });
    assert_eq!(noted, "1: 2: true 3: 4: callback 5:");
}

/// D18
#[test]
fn a_task_that_cancels_itself_is_queued_by_that_ahead_of_what_it_queues_afterwards() {
    let noted = noted(|log, handle| async move {
        let own = Arc::new(OnceLock::<Task<()>>::new());
        let (this, soon, last) = (own.clone(), log.clone(), log.clone());
        let guard = on_drop(move || last.note("ended"));
        let task = spawn(async move {
            this.get().unwrap().cancel();
            handle.call_soon(move || soon.note("soon")).unwrap();
            pending::<()>().await;
            drop(guard);
        });
        own.set(task.clone()).unwrap();
        (&task).await;
    });
    assert_eq!(noted, "ended soon");
}

/// R51, R37, P3, D10
#[test]
fn cancel_is_granted_until_the_task_is_done_and_never_after() {
    let noted = noted(|log, _| async move {
        let finished = log.task("step", async {});
        let cancelled = spawn(pending::<()>());
        turns(1).await;
        assert!(cancelled.cancel() && cancelled.cancel());
        assert!(!finished.cancel());
        cancelled.add_done_callback(move |task| log.note(task.cancel()));
        (&cancelled).await;
        assert!(!cancelled.cancel());
        assert_eq!(finished.outcome(), Some(&Outcome::Finished(())));
    });
    assert_eq!(noted, "step false");
}

/// R57, P1
/// Threads: one completes a plain task, one cancels it.
/// May: either wins.
/// Must not: both win, or none; a callback runs twice, or never.
#[test]
fn complete_vs_cancel() {
    for _ in 0..200 {
        let noted = noted(|log, handle| async move {
            let (completer, task) = whendone::task(handle);
            task.add_done_callback(log.callback("callback"));
            let (start, cancelled) = (Arc::new(Barrier::new(2)), task.clone());
            let other = start.clone();
            let canceller = thread::spawn(move || {
                other.wait();
                cancelled.cancel()
            });
            start.wait();
            let completed = completer.complete(3);
            assert_ne!(canceller.join().unwrap(), completed.is_ok());
            let outcome = if completed.is_ok() { Outcome::Finished(3) } else { Outcome::Cancelled };
            assert_eq!((&task).await, &outcome);
        });
        assert_eq!(noted, "callback");
    }
}

// Panics

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
        task.add_done_callback(|_| panic!("of the {}", "callback"));
        (&task).await;
        line
    });
    let [report] = &reports.take()[..] else { panic!("one is reported") };
    let origin = report.callback.unwrap();
    assert_eq!(report.task.as_deref(), Some("<Task finished name='fetch'>"));
    assert_eq!((origin.added_at.file(), origin.added_at.line()), (file!(), line));
    assert!(origin.callback.contains("a_report_names_the_task"));
    assert_eq!(report.panic.as_ref().unwrap().message(), "of the callback");
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

/// R68: in another process, whose standard error can be read.
#[test]
fn when_a_hook_panics_both_failures_are_printed() {
    const NAME: &str = "when_a_hook_panics_both_failures_are_printed";
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
fn a_waker_that_panics_is_reported_and_loses_nobody() {
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

/// P14: whoever let go of the task, nobody is there to be told.
#[test]
fn a_value_whose_drop_panics_does_not_end_the_loop() {
    let noted = noted(|log, _| async move {
        drop(spawn(async { on_drop(|| panic!("of the drop")) }));
        drop(log.task("next", async {}));
        turns(1).await;
    });
    assert_eq!(noted, "next");
}

/// P14: the drain that is put off holds the last handle, and so it is what drops the value.
#[test]
fn a_value_whose_drop_panics_in_a_drain_that_was_put_off_strands_no_later_drain() {
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
fn a_panic_that_nobody_looked_at_is_reported_once_with_its_task_when_the_last_handle_is_gone() {
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

/// R70, R76, D8: the callback has the last handle by then.
#[test]
fn a_callback_that_looks_at_the_panic_of_its_task_has_retrieved_it_also_if_it_panics_with_it() {
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

/// R74, R78, D8: no look is too early, not even one before the completion is through.
#[test]
fn a_waker_that_looks_at_the_panic_while_its_task_is_completed_has_retrieved_it() {
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
fn a_panic_of_main_goes_to_the_caller_and_is_not_reported_besides() {
    let (mut event_loop, reports) = watched();
    let ran = catch_unwind(AssertUnwindSafe(|| event_loop.run_until_complete(async { panic_any(7_u8) })));
    assert_eq!(ran.unwrap_err().downcast_ref(), Some(&7_u8));
    drop(event_loop);
    assert!(reports.take().is_empty());
}

/// R45, R50, R72, R75, D8
#[test]
fn a_panic_is_reported_if_nobody_looked_at_it_and_not_if_it_was_awaited() {
    let (mut event_loop, reports) = watched();
    event_loop.run_until_complete(async {
        let task: Task<()> = spawn(async { panic!("never seen") });
        turns(1).await;
        // None of these is a look.
        assert!(task.is_done() && !task.is_cancelled() && format!("{task:?}").contains("never seen"));
        drop(task);
        drop(spawn(async { panic!("awaited") }).await);
        let refused: Task<()> = spawn(async { panic!("seen by whoever was refused a cancel") });
        turns(1).await;
        assert!(!refused.cancel());
        turns(1).await;
    });
    let reports = reports.take();
    let panics: Vec<_> =
        reports.iter().filter_map(|report| report.panic.as_ref()).map(|panic| panic.message()).collect();
    assert_eq!(panics, ["never seen"]);
}

/// D19, D8
#[test]
fn an_awaiter_that_is_cancelled_when_it_is_woken_already_has_not_looked_at_a_panic() {
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

// Threads

/// R97
#[test]
fn a_call_from_another_thread_wakes_a_loop_that_sleeps() {
    let noted = noted(|log, handle| async move {
        let (completer, task) = whendone::task(handle.clone());
        let caller = handle.clone();
        let call = move || {
            log.queue(&caller, "first");
            caller.call_soon(|| completer.complete(()).unwrap()).unwrap();
        };
        handle.call_soon(|| drop(thread::spawn(call))).unwrap();
        (&task).await;
    });
    assert_eq!(noted, "first");
}

/// R95, R97, R30
#[test]
fn completing_from_another_thread_wakes_a_loop_that_sleeps() {
    let noted = noted(|log, handle| async move {
        let (completer, task) = whendone::task(handle.clone());
        task.add_done_callback(log.callback("callback"));
        // Main awaits by then.
        handle.call_soon(|| drop(thread::spawn(|| completer.complete(3).unwrap()))).unwrap();
        assert_eq!((&task).await.value(), Some(&3));
        log.note("awaited");
    });
    assert_eq!(noted, "callback awaited");
}

/// R32, R97: also if that thread has a loop of its own.
#[test]
fn each_timer_that_another_thread_sets_wakes_a_loop_that_would_sleep_past_it() {
    let ways: [fn(Sleep); 2] = [|nap| futures::executor::block_on(nap), |nap| run(nap)];
    let noted = noted(move |log, handle| async move {
        for wait in ways {
            let (completer, task) = whendone::task(handle.clone());
            let naps = [1; 9].map(|milliseconds| handle.sleep(Duration::from_millis(milliseconds)));
            let log = log.clone();
            let sleeper = move || {
                for nap in naps {
                    wait(nap);
                    log.note("over");
                }
                completer.complete(()).unwrap();
            };
            // The loop most likely sleeps by the time that thread has started, and again at each further nap.
            handle.call_soon(|| drop(thread::spawn(sleeper))).unwrap();
            (&task).await;
        }
    });
    assert_eq!(noted, ["over"; 18].join(" "));
}

/// P16: it was to wake the loop, and is nobody's.
#[test]
fn a_loop_that_is_closed_does_not_count_its_nudges_as_callbacks_that_never_ran() {
    let (event_loop, reports) = watched();
    let mut nap = event_loop.handle().sleep(Duration::from_secs(9));
    assert!(is_pending(&mut nap, Waker::noop()));
    assert_eq!((event_loop.close(), failures(&reports.take())), (0, Vec::new()));
}

/// D1, P13
#[test]
fn a_sleep_that_is_given_up_drops_its_waker_where_that_may_give_up_another() {
    struct Holds(#[allow(dead_code)] Mutex<Sleep>);
    impl Wake for Holds {
        fn wake(self: Arc<Self>) {}
    }
    let (event_loop, reports) = watched();
    let nap = || event_loop.handle().sleep(Duration::from_secs(9));
    let (mut inner, mut outer) = (nap(), nap());
    assert!(is_pending(&mut inner, Waker::noop()));
    let waker = Waker::from(Arc::new(Holds(Mutex::new(inner))));
    assert!(is_pending(&mut outer, &waker));
    drop(waker);
    drop(outer);
    event_loop.close();
    assert_eq!(failures(&reports.take()), []);
}

/// D16
#[test]
fn a_late_callback_goes_over_after_its_add_returned_while_another_thread_drains() {
    let noted = noted(|log, handle| async move {
        let gate = Arc::new(Barrier::new(2));
        let (closed, behind) = (gate.clone(), handle.clone());
        let slow = move |ready| {
            for _ in 0..2 {
                closed.wait();
            }
            behind.schedule(ready)
        };
        let (completer, task) = whendone::task(slow);
        task.add_done_callback(log.callback("early"));
        let drainer = thread::spawn(|| completer.complete(()).unwrap());
        gate.wait();
        task.add_done_callback(log.callback("late"));
        log.queue(&handle, "next");
        for _ in 0..3 {
            gate.wait();
        }
        drainer.join().unwrap();
    });
    assert_eq!(noted, "next early late");
}

// Runs

/// R32, R87, D12
#[test]
fn a_run_finishes_the_turn_in_which_its_main_is_done_and_no_more() {
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
        // It ends in the turn of that callback and before it, so the call is queued behind its own.
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
fn tasks_that_are_not_done_go_on_in_the_next_run() {
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
fn a_run_cancels_the_tasks_that_are_left_oldest_first_and_runs_their_callbacks() {
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
fn callbacks_that_add_themselves_for_ever_do_not_keep_a_run_from_ending() {
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

/// R92, P16
#[test]
fn a_task_that_is_spawned_while_the_left_ones_unwind_is_abandoned() {
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
fn a_left_task_that_panics_as_it_is_cancelled_is_reported_and_keeps_no_other() {
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
fn a_panic_of_main_goes_on_with_its_payload_once_the_loop_is_tidied_up() {
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

/// P12: nothing is borrowed while it panics.
#[test]
fn a_panic_hook_may_spawn_on_the_loop_that_refuses_to_run_twice() {
    let here = thread::current().id();
    let others = panic::take_hook();
    panic::set_hook(Box::new(move |info| match thread::current().id() == here {
        true => drop(spawn_named("by the hook", async {})),
        false => others(info),
    }));
    run(async {
        assert!(catch_unwind(|| run(async {})).is_err());
    });
}

/// P13: the lock is free while a caller's writer writes.
#[test]
fn what_a_loop_is_printed_to_may_spawn_on_it() {
    struct Spawns(Handle);
    impl fmt::Write for Spawns {
        fn write_str(&mut self, _: &str) -> fmt::Result {
            self.0.spawn(async {});
            Ok(())
        }
    }
    let mut event_loop = EventLoop::new();
    let handle = event_loop.handle();
    write!(Spawns(handle.clone()), "{handle:?} {event_loop:?}").unwrap();
    assert_ne!(format!("{handle:?}"), "<Handle of an event loop with 0 tasks>");
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

/// D11: what the callback puts off before and after the loop is neither lost nor run by the loop.
#[test]
fn a_loop_inside_an_inline_callback_leaves_what_that_callback_puts_off() {
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
fn a_loop_that_is_closed_inside_an_inline_callback_counts_what_never_ran() {
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
    ];
    for (panicked, wanted) in told.into_iter().zip(["spawn", "spawn_named", "sleep"]) {
        assert_eq!(
            message(&*panicked.unwrap_err()),
            format!(
                "no event loop is running on this thread: call whendone::{wanted} inside whendone::run, \
                 or use the handle of a loop, EventLoop::handle().{wanted}"
            )
        );
    }
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

// Closing

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
fn a_call_that_is_given_back_and_dropped_is_reported() {
    let (event_loop, reports) = watched();
    let handle = event_loop.handle();
    assert_eq!(event_loop.close(), 0);
    drop(handle.call_soon(|| ()));
    assert_eq!(failures(&reports.take()), [Failure::CallbackLost]);
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
fn on_a_closed_loop_a_task_is_completed_and_each_of_its_callbacks_reported() {
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
fn on_a_closed_loop_a_task_without_callbacks_is_completed_in_silence() {
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
fn closing_counts_and_reports_what_never_ran() {
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

/// D4, P16: what a lost callback's drop schedules is refused and reported, and does not count.
#[test]
fn closing_counts_once_and_refuses_what_its_own_drops_schedule() {
    let (event_loop, reports) = watched();
    let handle = event_loop.handle();
    let late = handle.clone();
    let chain = on_drop(move || drop(late.call_soon(|| unreachable!("it is refused"))));
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

/// P16: whether or not it has begun.
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
fn dropping_a_loop_abandons_its_tasks_and_wakes_who_awaits_them() {
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

/// P15: a hook is the last that a loop lets go of.
#[test]
fn a_loop_that_is_dropped_in_the_middle_of_things_leaves_nothing_behind() {
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
        assert_eq!(lost, queued + 1, "the one that was refused and all before it");
        assert!(closed <= queued);
    }
}

// Helpers

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, what: impl Display) {
        self.0.lock().unwrap().push(what.to_string());
    }

    /// All of it, in one line.
    fn read(&self) -> String {
        self.0.lock().unwrap().join(" ")
    }

    fn call(&self, what: &'static str) -> impl FnOnce() + Send + 'static + use<> {
        let log = self.clone();
        move || log.note(what)
    }

    fn callback<T>(&self, what: &'static str) -> impl FnOnce(&Task<T>) + Send + 'static + use<T> {
        let call = self.call(what);
        move |_: &Task<T>| call()
    }

    fn on_drop(&self, what: &'static str) -> impl Send + Sync + 'static + use<> {
        let log = self.clone();
        on_drop(move || log.note(what))
    }

    fn queue(&self, handle: &Handle, what: &'static str) {
        handle.call_soon(self.call(what)).unwrap();
    }

    /// Spawns a task that awaits something and then notes it.
    fn task<F>(&self, what: impl Display + Send + 'static, awaited: F) -> Task<()>
    where
        F: IntoFuture<IntoFuture: Send> + Send + 'static,
    {
        let log = self.clone();
        spawn(async move {
            drop(awaited.await);
            log.note(what);
        })
    }
}

/// Runs a main on a new loop and returns what was noted until its end, reports included.
fn noted<F>(main: impl FnOnce(Log, Handle) -> F) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let log = Log::default();
    let hook = log.clone();
    let mut event_loop = EventLoop::with_exception_hook(move |report| hook.note(format!("{:?}", report.failure)));
    event_loop.run_until_complete(main(log.clone(), event_loop.handle()));
    log.read()
}

/// The same, with the number of each turn at its beginning; main's first step is in turn 1.
fn noted_by_turn<F>(main: impl FnOnce(Log, Handle) -> F) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    fn number(turn: u32, log: Log, handle: Handle, over: Arc<AtomicBool>) {
        let next = handle.clone();
        let call = move || {
            if !over.load(Ordering::Relaxed) {
                log.note(format!("{turn}:"));
                number(turn + 1, log, next, over);
            }
        };
        handle.call_soon(call).unwrap();
    }
    noted(|log, handle| {
        let over = Arc::new(AtomicBool::new(false));
        number(1, log.clone(), handle.clone(), over.clone());
        let main = main(log, handle);
        async move {
            main.await;
            over.store(true, Ordering::Relaxed);
        }
    })
}

/// Lets so many turns pass.
async fn turns(mut turns: u32) {
    poll_fn(|context| {
        if turns == 0 {
            return Poll::Ready(());
        }
        turns -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

/// A waker that remembers, and may do something besides.
#[derive(Default)]
struct Bell {
    rang: AtomicBool,
    call: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Bell {
    fn calling(call: impl Fn() + Send + Sync + 'static) -> Self {
        Bell { call: Some(Box::new(call)), ..Bell::default() }
    }

    fn rang(&self) -> bool {
        self.rang.load(Ordering::Relaxed)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rang.store(true, Ordering::Relaxed);
        self.call.iter().for_each(|call| call());
    }
}

/// Polls it once.
fn is_pending(future: &mut (impl Future + Unpin), waker: &Waker) -> bool {
    Pin::new(future).poll(&mut Context::from_waker(waker)).is_pending()
}

/// What a hook was told.
#[derive(Clone, Default)]
struct Reports(Arc<Mutex<Vec<Report>>>);

impl Reports {
    fn take(&self) -> Vec<Report> {
        mem::take(&mut self.0.lock().unwrap())
    }
}

/// A loop whose hook keeps what it is told.
fn watched() -> (EventLoop, Reports) {
    let reports = Reports::default();
    let told = reports.clone();
    (EventLoop::with_exception_hook(move |report| told.0.lock().unwrap().push(report.clone())), reports)
}

thread_local! {
    static HEARD: RefCell<Vec<Report>> = const { RefCell::new(Vec::new()) };
}

/// What the hook of the process is told on this thread meanwhile: that of the loop that `run` makes.
fn heard(meanwhile: impl FnOnce()) -> Vec<Report> {
    // Refused if another test has set the same.
    let _ = whendone::set_exception_hook(|report| HEARD.with_borrow_mut(|heard| heard.push(report.clone())));
    meanwhile();
    HEARD.take()
}

fn failures(reports: &[Report]) -> Vec<Failure> {
    reports.iter().map(|report| report.failure).collect()
}

fn message(payload: &(dyn Any + Send)) -> &str {
    payload.downcast_ref::<String>().expect("it panicked with a text")
}

/// Calls it when it is dropped.
fn on_drop<F: FnOnce() + Send + Sync + 'static>(call: F) -> impl Send + Sync + 'static {
    struct OnDrop<F: FnOnce()>(Option<F>);
    impl<F: FnOnce()> Drop for OnDrop<F> {
        fn drop(&mut self) {
            self.0.take().into_iter().for_each(|call| call());
        }
    }
    OnDrop(Some(call))
}

/// Panics when it is dropped. As a future it is ready at once, or never.
struct Explosive(Option<u32>);

impl Future for Explosive {
    type Output = u32;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u32> {
        self.0.map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for Explosive {
    fn drop(&mut self) {
        panic!("of the drop");
    }
}
