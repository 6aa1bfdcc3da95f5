//! The documented promises of `Shared` of the futures crate, as tests of our own; and of what went wrong in it.

mod support;

use futures::executor::block_on;
use std::future::{Future, pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use support::{Count, poll};
use whendone_adapters::oneshot;
use whendone_adapters::shared::Shared;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

fn counts<const N: usize>() -> [Arc<Count>; N] {
    [(); N].map(|()| Arc::new(Count::default()))
}

#[test]
fn every_clone_gets_the_output_and_the_future_runs_once() {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let shared = Shared::new(async move { counted.fetch_add(1, Ordering::SeqCst) });
    let clones = [shared.clone(), shared.clone(), shared];
    assert_eq!(clones.map(block_on), [0, 0, 0]);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[test]
fn the_output_can_be_peeked_at_and_awaited_again() {
    let mut shared = Shared::new(ready(3));
    assert_eq!(shared.peek(), None, "nobody polled");
    assert_eq!(block_on(&mut shared), 3);
    assert_eq!((block_on(&mut shared), block_on(shared.clone()), shared.peek()), (3, 3, Some(&3)));
}

#[test]
fn all_that_wait_are_woken_by_the_future() {
    let (sender, receiver) = oneshot::channel();
    let mut clones = vec![Shared::new(receiver); 3];
    let counts: [_; 3] = counts();
    for (clone, count) in clones.iter_mut().zip(&counts) {
        assert!(poll(clone, count).is_pending());
    }
    sender.send(3).unwrap();
    assert_eq!(counts.each_ref().map(|count| count.wakes()), [1, 1, 1]);
    for (clone, count) in clones.iter_mut().zip(&counts) {
        assert_eq!(poll(clone, count), Poll::Ready(Ok(3)));
    }
}

#[test]
fn a_clone_that_polled_and_was_dropped_leaves_the_others_awake() {
    let (sender, receiver) = oneshot::channel();
    let (mut first, [gone, kept]) = (Shared::new(receiver), counts());
    let mut second = first.clone();
    assert!(poll(&mut first, &gone).is_pending() && poll(&mut second, &kept).is_pending());
    drop(first);
    sender.send(3).unwrap();
    assert_eq!((gone.wakes(), kept.wakes(), poll(&mut second, &kept)), (0, 1, Poll::Ready(Ok(3))));
}

/// The future is woken during its poll, and in that poll another clone comes: the first clone is never polled again.
#[test]
fn a_clone_that_comes_during_a_poll_that_was_woken_is_woken() {
    let other: Arc<Mutex<Option<Shared<Boxed<u32>>>>> = Arc::default();
    let (within, [first_count, other_count]) = (other.clone(), counts());
    let count = other_count.clone();
    let mut polls = 0;
    let future: Boxed<u32> = Box::pin(poll_fn(move |context: &mut Context<'_>| {
        polls += 1;
        if polls == 2 {
            return Poll::Ready(7);
        }
        context.waker().wake_by_ref();
        let taken = within.lock().unwrap().take();
        let mut other = taken.unwrap();
        assert!(poll(&mut other, &count).is_pending(), "the future is being polled");
        *within.lock().unwrap() = Some(other);
        Poll::Pending
    }));
    let mut first = Shared::new(future);
    *other.lock().unwrap() = Some(first.clone());
    assert!(poll(&mut first, &first_count).is_pending());
    drop(first);
    assert_eq!(other_count.wakes(), 1);
    let mut other = other.lock().unwrap().take().unwrap();
    assert_eq!(poll(&mut other, &other_count), Poll::Ready(7));
}

#[test]
fn a_future_that_panics_panics_in_every_clone_and_leaves_nobody_waiting() {
    let waiting: Arc<Mutex<Option<Shared<Boxed<()>>>>> = Arc::default();
    let (within, [count, other_count]) = (waiting.clone(), counts());
    let inner = other_count.clone();
    let mut first: Shared<Boxed<()>> = Shared::new(Box::pin(poll_fn(move |_| {
        let mut other = within.lock().unwrap().take().unwrap();
        assert!(poll(&mut other, &inner).is_pending());
        *within.lock().unwrap() = Some(other);
        panic!("no luck")
    })));
    *waiting.lock().unwrap() = Some(first.clone());
    assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut first, &count))).is_err());
    assert_eq!(other_count.wakes(), 1);
    let mut other = waiting.lock().unwrap().take().unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut other, &count))).is_err());
}

#[test]
fn the_future_is_dropped_with_its_output_and_else_with_the_last_clone() {
    let alive = Arc::new(());
    let held = alive.clone();
    let done = Shared::new(Box::pin(async move { drop(held) }));
    block_on(done.clone());
    assert_eq!(Arc::strong_count(&alive), 1);
    // It keeps its own waker, and yet does not own itself.
    let (held, mut kept) = (alive.clone(), Vec::<Waker>::new());
    let mut first = Shared::new(poll_fn(move |context| {
        let _held = &held;
        kept.push(context.waker().clone());
        Poll::<()>::Pending
    }));
    let last = first.clone();
    assert!(poll(&mut first, &counts::<1>()[0]).is_pending());
    drop(first);
    assert_eq!(Arc::strong_count(&alive), 2);
    drop(last);
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn many_threads_await_one_future() {
    for _ in 0..300 {
        let (sender, receiver) = oneshot::channel();
        let (shared, start) = (Shared::new(receiver), Barrier::new(4));
        thread::scope(|scope| {
            for _ in 0..3 {
                let (shared, start) = (shared.clone(), &start);
                scope.spawn(move || {
                    start.wait();
                    assert_eq!(block_on(shared), Ok(3));
                });
            }
            start.wait();
            sender.send(3).unwrap();
        });
    }
    drop(Shared::new(pending::<()>()));
}
