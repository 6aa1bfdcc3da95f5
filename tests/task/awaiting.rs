//! Awaiting: an await is one place in the line of callbacks.

use super::support::{Log, Touch, failures, poll, queue, refusing, run_all, touchy_waker, watched};
use futures::FutureExt;
use futures::executor::block_on;
use std::cell::RefCell;
use std::future::{IntoFuture, poll_fn};
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::task::{Poll, Wake, Waker};
use std::thread;
use whendone::{Inline, Outcome};

/// R42, R43, D9, P7
#[test]
fn awaits_and_callbacks_stand_in_one_line() {
    let (log, (completer, task)) = (Log::default(), whendone::task(Inline));
    let (mut first, mut second) = ((&task).into_future(), (&task).into_future());
    task.add_done_callback(log.says("cb0"));
    assert!(poll(&mut first, &log.waker("w1")).is_pending());
    task.add_done_callback(log.says("cb1"));
    assert!(poll(&mut second, &log.waker("w2")).is_pending());
    task.add_done_callback(log.says("cb2"));
    completer.complete(3).unwrap();
    assert_eq!(log.words(), ["cb0", "w1", "cb1", "w2", "cb2"]);
    assert_eq!(poll(&mut first, Waker::noop()), Poll::Ready(&Outcome::Finished(3)));
    assert_eq!(poll(&mut second, Waker::noop()), Poll::Ready(&Outcome::Finished(3)));
}

/// R43
#[test]
fn an_await_takes_its_place_at_its_first_poll() {
    let (log, (_completer, task)) = (Log::default(), whendone::task::<()>(Inline));
    let mut wait = (&task).into_future();
    task.add_done_callback(log.says("added after the await was made"));
    assert!(poll(&mut wait, &log.waker("woken")).is_pending());
    task.cancel();
    assert_eq!(log.words(), ["added after the await was made", "woken"]);
}

/// D9, P4
#[test]
fn an_await_polled_again_keeps_its_place_and_wakes_only_the_new_waker() {
    let (log, (completer, task)) = (Log::default(), whendone::task(Inline));
    let mut wait = (&task).into_future();
    assert!(poll(&mut wait, &log.waker("old")).is_pending());
    task.add_done_callback(log.says("callback"));
    assert!(poll(&mut wait, &log.waker("new")).is_pending());
    assert_eq!(format!("{task:?}"), "<Task pending cb=[2 waiting]>");
    completer.complete(()).unwrap();
    assert_eq!(log.words(), ["new", "callback"]);
}

/// R42
#[test]
fn an_await_polled_again_with_the_same_waker_does_not_touch_it() {
    let touches = Rc::new(RefCell::new(Vec::new()));
    let touched = touches.clone();
    let waker = touchy_waker(move |touch| touched.borrow_mut().push(touch));
    let (completer, task) = whendone::task::<()>(Inline);
    let mut wait = (&task).into_future();
    for _ in 0..3 {
        assert!(poll(&mut wait, &waker).is_pending());
    }
    assert_eq!(*touches.borrow(), [Touch::Clone]);
    completer.complete(()).unwrap();
    assert_eq!(*touches.borrow(), [Touch::Clone, Touch::Wake]);
}

/// R42, P15
#[test]
fn an_await_polled_by_alternating_wakers_keeps_the_last_one() {
    struct Woken;
    impl Wake for Woken {
        fn wake(self: Arc<Self>) {}
    }
    let (completer, task) = whendone::task::<()>(Inline);
    let [first, other] = [Arc::new(Woken), Arc::new(Woken)];
    let wakers = [first.clone().into(), other.clone().into()];
    let mut wait = (&task).into_future();
    for waker in [0, 0, 0, 1, 1, 0, 1] {
        assert!(poll(&mut wait, &wakers[waker]).is_pending());
        // The test's handle, its waker, and the clone that waits.
        let counts = [Arc::strong_count(&first), Arc::strong_count(&other)];
        assert_eq!(counts, if waker == 0 { [3, 2] } else { [2, 3] });
    }
    completer.complete(()).unwrap();
    assert_eq!([Arc::strong_count(&first), Arc::strong_count(&other)], [2, 2]);
}

/// R106, D9, P15
#[test]
fn a_dropped_await_gives_up_its_place_and_its_waker() {
    let (log, (completer, task)) = (Log::default(), whendone::task(Inline));
    let mut wait = (&task).into_future();
    assert!(poll(&mut wait, &log.waker("woken")).is_pending());
    assert_eq!((format!("{task:?}").as_str(), Arc::strong_count(&log.0)), ("<Task pending cb=[1 waiting]>", 2));
    drop(wait);
    assert_eq!((format!("{task:?}").as_str(), Arc::strong_count(&log.0)), ("<Task pending>", 1));
    completer.complete(()).unwrap();
    assert!(log.words().is_empty());
}

/// R44, P17
#[test]
fn awaiting_a_done_task_is_ready_before_its_queued_callbacks_run() {
    let (log, (scheduler, queue)) = (Log::default(), queue());
    let (completer, task) = whendone::task(scheduler);
    task.add_done_callback(log.says("callback"));
    completer.complete(3).unwrap();
    assert_eq!(poll(&mut (&task).into_future(), Waker::noop()), Poll::Ready(&Outcome::Finished(3)));
    log.note("awaited");
    run_all(&queue);
    assert_eq!(log.words(), ["awaited", "callback"]);
}

/// D9, P17
#[test]
fn a_refusing_scheduler_cannot_lose_an_await() {
    let (log, (scheduler, reports)) = (Log::default(), watched(refusing));
    let (completer, task) = whendone::task(scheduler);
    let mut wait = (&task).into_future();
    assert!(poll(&mut wait, &log.waker("woken")).is_pending());
    completer.complete(3).unwrap();
    assert_eq!((log.words(), failures(&reports)), (vec!["woken"], vec![]));
}

/// R45, R50, D7
#[test]
fn an_await_answers_by_reference_or_by_value_however_the_task_ended() {
    let (completer, finished) = whendone::task(Inline);
    completer.complete("value").unwrap();
    let (_, abandoned) = whendone::task::<u32>(Inline);
    let (_completer, cancelled) = whendone::task::<u32>(Inline);
    cancelled.cancel();
    block_on(async {
        assert_eq!(
            ((&finished).await, finished.clone().await),
            (&Outcome::Finished("value"), Outcome::Finished("value"))
        );
        assert_eq!(((&abandoned).await, abandoned.clone().await), (&Outcome::Abandoned, Outcome::Abandoned));
        assert_eq!(((&cancelled).await, cancelled.clone().await), (&Outcome::Cancelled, Outcome::Cancelled));
    });
}

/// D1, D9, P17
#[test]
fn a_completion_on_another_thread_wakes_an_await() {
    let (completer, task) = whendone::task(Inline);
    let (polled, is_polled) = mpsc::channel();
    let waiting = thread::spawn(move || {
        let mut wait = task.into_future();
        block_on(poll_fn(|context| {
            let answer = wait.poll_unpin(context);
            polled.send(()).unwrap();
            answer
        }))
    });
    is_polled.recv().unwrap();
    completer.complete(3).unwrap();
    assert_eq!(waiting.join().unwrap(), Outcome::Finished(3));
}

/// P21
#[test]
fn a_task_whose_value_cannot_be_sent_is_awaited_on_its_own_thread() {
    let (log, (completer, task)) = (Log::default(), whendone::task::<Rc<u32>>(Inline));
    let mut wait = (&task).into_future();
    assert!(poll(&mut wait, &log.waker("woken")).is_pending());
    completer.complete(Rc::new(3)).unwrap();
    assert_eq!((log.words(), block_on(wait)), (vec!["woken"], &Outcome::Finished(Rc::new(3))));
}
