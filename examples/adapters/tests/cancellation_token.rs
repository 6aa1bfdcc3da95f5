//! The documented promises of tokio-util's `CancellationToken`, as tests of our own; and ours beyond them.

mod support;

use futures::executor::block_on;
use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};
use std::{future::Future, pin::pin, thread};
use support::{Count, poll};
use whendone_adapters::cancellation_token::CancellationToken;

const DEEP: usize = 100_000;

/// A chain of tokens, the root first.
fn chain(length: usize) -> Vec<CancellationToken> {
    let mut tokens = vec![CancellationToken::new()];
    (1..length).for_each(|at| tokens.push(tokens[at - 1].child_token()));
    tokens
}

#[test]
fn a_token_is_cancelled_once_and_for_all_its_clones() {
    let (token, count) = (CancellationToken::new(), Arc::new(Count::default()));
    let clone = token.clone();
    let mut waiting = clone.cancelled();
    assert!(!token.is_cancelled() && poll(&mut waiting, &count).is_pending());
    token.cancel();
    token.cancel();
    assert!(clone.is_cancelled() && poll(&mut waiting, &count).is_ready());
    assert_eq!(count.wakes(), 1);
    block_on(clone.cancelled());
}

#[test]
fn cancelling_goes_down_the_tree_and_never_up() {
    let tokens = chain(4);
    let sibling = tokens[1].child_token();
    tokens[2].cancel();
    let cancelled: Vec<_> = tokens.iter().map(CancellationToken::is_cancelled).collect();
    assert_eq!(cancelled, [false, false, true, true]);
    assert!(!sibling.is_cancelled());
    tokens[0].cancel();
    assert!(sibling.is_cancelled());
}

#[test]
fn a_child_of_a_cancelled_token_is_cancelled_from_the_start() {
    let token = CancellationToken::new();
    token.cancel();
    assert!(token.child_token().child_token().is_cancelled());
}

#[test]
fn a_grandchild_is_cancelled_after_the_token_between_was_dropped() {
    let mut tokens = chain(3);
    drop(tokens.remove(1));
    assert!(!tokens[1].is_cancelled(), "a drop cancels nothing");
    tokens[0].cancel();
    assert!(tokens[1].is_cancelled());
}

#[test]
fn only_the_last_waker_of_a_future_is_woken_and_none_of_a_dropped_one() {
    let (token, [old, new, gone]) = (CancellationToken::new(), [(); 3].map(|()| Arc::new(Count::default())));
    let (mut waiting, mut dropped) = (token.cancelled(), token.cancelled());
    assert!(poll(&mut waiting, &old).is_pending() && poll(&mut waiting, &new).is_pending());
    assert!(poll(&mut dropped, &gone).is_pending());
    drop(dropped);
    assert_eq!(Arc::strong_count(&gone), 1, "its waker is dropped with it");
    token.cancel();
    assert_eq!([old.wakes(), new.wakes(), gone.wakes()], [0, 1, 0]);
}

#[test]
fn a_guard_cancels_when_it_is_dropped_unless_it_is_disarmed() {
    let token = CancellationToken::new();
    drop(token.clone().drop_guard().disarm());
    assert!(!token.is_cancelled());
    drop(token.clone().drop_guard());
    assert!(token.is_cancelled());
}

#[test]
fn run_until_cancelled_gives_the_output_or_none() {
    let token = CancellationToken::new();
    assert_eq!(block_on(token.run_until_cancelled(ready(3))), Some(3));
    {
        let mut running = pin!(token.run_until_cancelled(pending::<()>()));
        let count = Arc::new(Count::default());
        assert!(poll(&mut running, &count).is_pending());
        token.cancel();
        assert_eq!((count.wakes(), poll(&mut running, &count)), (1, Poll::Ready(None)));
    }
    assert_eq!(block_on(token.run_until_cancelled(ready(3))), None, "cancelled before");
}

#[test]
fn a_deep_chain_is_cancelled_and_dropped_without_recursion() {
    let tokens = chain(DEEP);
    tokens[0].cancel();
    assert!(tokens.iter().all(CancellationToken::is_cancelled));
    drop(tokens);
    // Only the last one is held: its drop takes the whole chain down.
    drop(chain(DEEP).pop());
}

/// Records whether another token was cancelled when it was woken.
struct Sees(CancellationToken, AtomicBool);

impl Wake for Sees {
    fn wake(self: Arc<Self>) {
        self.0.cancel(); // from inside the cancellation of its parent
        self.1.store(self.0.is_cancelled(), Ordering::SeqCst);
    }
}

#[test]
fn a_woken_task_finds_all_below_cancelled_and_may_cancel_again() {
    let tokens = chain(100);
    let sees = Arc::new(Sees(tokens[0].clone(), AtomicBool::new(false)));
    let mut waiting = pin!(tokens[99].cancelled());
    let waker = Waker::from(sees.clone());
    assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    tokens[0].cancel();
    assert!(sees.1.load(Ordering::SeqCst));
}

struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("a waker");
    }
}

#[test]
fn a_waker_that_panics_leaves_nobody_asleep() {
    let (token, count) = (CancellationToken::new(), Arc::new(Count::default()));
    let child = token.child_token();
    let (mut first, mut second) = (pin!(token.cancelled()), child.cancelled());
    let waker = Waker::from(Arc::new(Panics));
    assert!(first.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(poll(&mut second, &count).is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| token.cancel())).is_err());
    assert!(child.is_cancelled());
    assert_eq!(count.wakes(), 1);
}

/// The loser of a race of two cancels returns when all below are cancelled, too.
#[test]
fn the_loser_of_a_cancel_race_waits_until_all_below_are_cancelled() {
    for round in 0..100 {
        let tokens = chain(500);
        // From the root, and from a place further down.
        let from = [0, 0, 1 + round % 400];
        let start = Barrier::new(from.len());
        thread::scope(|scope| {
            for at in from {
                let (tokens, start) = (&tokens, &start);
                scope.spawn(move || {
                    start.wait();
                    tokens[at].cancel();
                    let open = tokens[at..].iter().position(|token| !token.is_cancelled());
                    assert_eq!(open, None, "of those below {at}, in round {round}");
                });
            }
        });
    }
}

#[test]
fn children_that_are_made_during_a_cancel_are_cancelled() {
    for _ in 0..500 {
        let (token, start) = (CancellationToken::new(), Barrier::new(2));
        thread::scope(|scope| {
            let made = scope.spawn(|| {
                start.wait();
                (0..20).map(|_| token.child_token()).collect::<Vec<_>>()
            });
            start.wait();
            token.cancel();
            assert!(made.join().unwrap().iter().all(CancellationToken::is_cancelled));
        });
    }
}
