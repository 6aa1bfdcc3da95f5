//! The queue: its entries run in turns, first in first out.

use super::support::{Bell, Log, is_pending, noted, noted_by_turn, turns};
use futures::future::FusedFuture;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};
use whendone::{AlreadyDone, EventLoop, Task, sleep, spawn};

/// R30, R31
#[test]
fn completion_queues_callbacks_behind_earlier_entries_and_runs_none() {
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
fn entries_queued_in_a_turn_wait_for_the_next() {
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
fn due_timers_go_behind_ready_entries() {
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

/// R32: this holds for timers due in one turn, too.
#[test]
fn timers_due_in_one_turn_fire_in_the_order_of_their_deadlines() {
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

/// R32, R87, D17: a due timer fires in this turn, which is the last one of the run.
#[test]
fn timers_due_when_a_turn_begins_fire_in_it() {
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
fn callbacks_run_serially_on_the_loops_thread_in_each_threads_order() {
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
