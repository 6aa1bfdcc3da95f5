//! Waking: no wake-up is lost, and none is queued twice.

use super::support::noted_by_turn;
use std::future::poll_fn;
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::{mem, thread};
use whendone::{run, spawn};

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
