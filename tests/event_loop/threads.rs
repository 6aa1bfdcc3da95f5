//! Other threads: they queue calls, complete and cancel tasks, and wake a sleeping loop.

use super::support::{Touch, failures, is_pending, noted, touchy_waker, watched};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Wake, Waker};
use std::thread;
use std::time::Duration;
use whendone::event_loop::Sleep;
use whendone::{Completer, EventLoop, Handle, Schedule, Task, run, task, task_named};

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

type Make = fn(Handle) -> (Completer<()>, Task<()>);

/// Whether the callbacks of a task that this thread completes stay together while another thread queues calls.
fn stay_together(make: Make) -> bool {
    const CALLBACKS: usize = 1000;
    let (mut event_loop, order) = (EventLoop::new(), Arc::new(Mutex::new(Vec::new())));
    let note = |is_callback| {
        let order = order.clone();
        move || order.lock().unwrap().push(is_callback)
    };
    let (handle, has_begun, is_over) = (event_loop.handle(), Barrier::new(2), AtomicBool::new(false));
    let (completer, task) = make(handle.clone());
    (0..CALLBACKS).for_each(|_| {
        let call = note(true);
        task.add_done_callback(move |_| call());
    });
    thread::scope(|threads| {
        threads.spawn(|| {
            handle.call_soon(note(false)).unwrap();
            has_begun.wait();
            while !is_over.load(Ordering::Relaxed) {
                handle.call_soon(note(false)).unwrap();
            }
        });
        has_begun.wait();
        completer.complete(()).unwrap();
        is_over.store(true, Ordering::Relaxed);
    });
    event_loop.run_until_complete(async {});
    let order = order.lock().unwrap();
    let callbacks = order.iter().skip_while(|is_callback| !**is_callback).take_while(|is_callback| **is_callback);
    callbacks.count() == CALLBACKS
}

/// D31, also where the handle is the scheduler of a task with a name, or stands behind an `Arc`.
#[test]
fn a_call_of_another_thread_never_comes_between_the_callbacks_of_a_task() {
    let makes: [Make; 3] =
        [|handle| task(handle), |handle| task_named("named", handle), |handle| task(Arc::new(handle))];
    for make in makes {
        assert!((0..20).all(|_| stay_together(make)));
    }
}

/// R95, R97, R30
#[test]
fn completing_from_another_thread_wakes_a_loop_that_sleeps() {
    let noted = noted(|log, handle| async move {
        let (completer, task) = whendone::task(handle.clone());
        task.add_done_callback(log.callback("callback"));
        // Main awaits the task by this time.
        handle.call_soon(|| drop(thread::spawn(|| completer.complete(3).unwrap()))).unwrap();
        assert_eq!((&task).await.value(), Some(&3));
        log.note("awaited");
    });
    assert_eq!(noted, "callback awaited");
}

/// R32, R97: this holds even if that thread has a loop of its own.
#[test]
fn each_timer_set_by_another_thread_wakes_a_loop_that_sleeps_longer() {
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

/// P16: a nudge only wakes the loop, and is no callback.
#[test]
fn a_closed_loop_does_not_count_its_nudges_as_lost_callbacks() {
    let (event_loop, reports) = watched();
    let mut nap = event_loop.handle().sleep(Duration::from_secs(9));
    assert!(is_pending(&mut nap, Waker::noop()));
    assert_eq!((event_loop.close(), failures(&reports.take())), (0, Vec::new()));
}

/// D1, P13
#[test]
fn a_dropped_sleep_drops_its_waker_where_that_may_drop_another_sleep() {
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

/// D1, D26, P13
#[test]
fn a_sleeps_waker_may_use_other_sleeps_when_it_is_cloned_woken_or_dropped() {
    let (mut event_loop, reports) = watched();
    let handle = event_loop.handle();
    let touches = Rc::new(RefCell::new(Vec::new()));
    let touched = touches.clone();
    let waker = touchy_waker(move |touch| {
        touched.borrow_mut().push(touch);
        // Sets and drops another sleep of the loop. Hangs if the lock is held.
        is_pending(&mut handle.sleep(Duration::from_secs(9)), Waker::noop());
    });
    let nap = |seconds| event_loop.handle().sleep(Duration::from_secs(seconds));
    let (mut due, mut swapped, mut dropped, mut closed, mut refused) = (nap(0), nap(9), nap(9), nap(9), nap(9));
    for nap in [&mut due, &mut swapped, &mut dropped, &mut closed] {
        assert!(is_pending(nap, &waker));
    }
    assert_eq!(touches.take(), [Touch::Clone; 4]);
    assert!(is_pending(&mut swapped, Waker::noop()));
    drop(dropped);
    assert_eq!(touches.take(), [Touch::Drop; 2]);
    event_loop.run_until_complete(async {});
    assert_eq!(touches.take(), [Touch::Wake]);
    event_loop.close();
    assert_eq!(touches.take(), [Touch::Wake]);
    assert!(!is_pending(&mut refused, &waker));
    assert_eq!(touches.take(), [Touch::Clone, Touch::Drop]);
    assert_eq!(failures(&reports.take()), []);
}

/// D16
#[test]
fn a_late_callback_added_during_a_drain_is_queued_after_its_add_returns() {
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
