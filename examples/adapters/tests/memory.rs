//! The operations that allocate nothing, as `docs/ADAPTERS.md` says. A binary of its own, for the counting allocator.

mod support;

use futures::channel::oneshot as futures_oneshot;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use support::{Count, poll};
use whendone_adapters::abort_signal::AbortController;
use whendone_adapters::after_func::Context;
use whendone_adapters::cancellation_token::CancellationToken;
use whendone_adapters::oneshot::channel;
use whendone_adapters::shared::Shared;
use whendone_bench::allocations::{Counting, made_here};

#[global_allocator]
static COUNTING: Counting = Counting;

/// Fails if this thread has allocated meanwhile.
#[track_caller]
fn free<R>(operation: impl FnOnce() -> R) -> R {
    let before = made_here();
    let result = operation();
    assert_eq!(made_here() - before, 0, "bytes were allocated");
    result
}

#[test]
#[should_panic(expected = "bytes were allocated")]
fn an_allocation_is_noticed() {
    free(channel::<u64>);
}

#[test]
fn a_oneshot_allocates_nothing_after_it_is_made() {
    let count = Arc::new(Count::default());
    let (sender, mut receiver) = channel();
    free(|| {
        assert!(poll(&mut receiver, &count).is_pending());
        assert!(poll(&mut receiver, &count).is_pending());
        sender.send(3).unwrap();
        assert_eq!(count.wakes(), 1);
        assert!(poll(&mut receiver, &count).is_ready());
    });
    let (sender, mut receiver) = channel::<u64>();
    receiver.recv_timeout(Duration::ZERO).unwrap_err(); // std makes the thread's handle on its first use
    free(|| {
        receiver.recv_timeout(Duration::ZERO).unwrap_err();
        receiver.try_recv().unwrap_err();
        drop(sender);
        receiver.recv_timeout(Duration::MAX).unwrap_err();
        drop(receiver);
    });
}

#[test]
fn the_first_wait_for_a_token_allocates_nothing() {
    let (token, count) = (CancellationToken::new(), Arc::new(Count::default()));
    free(|| {
        let mut wait = pin!(token.cancelled());
        assert!(poll(&mut wait, &count).is_pending());
        assert!(poll(&mut wait, &count).is_pending());
        assert!(!token.clone().is_cancelled());
    });
}

#[test]
fn a_shared_future_allocates_nothing_for_a_single_clone() {
    let (sender, receiver) = futures_oneshot::channel();
    let (mut shared, count) = (Shared::new(receiver), Arc::new(Count::default()));
    free(|| {
        drop(shared.clone());
        assert!(poll(&mut shared, &count).is_pending());
        assert!(poll(&mut shared, &count).is_pending());
    });
    sender.send(3).unwrap();
    free(|| {
        assert!(poll(&mut shared, &count).is_ready());
        assert_eq!(shared.peek(), Some(&Ok(3)));
    });
}

#[test]
fn a_listener_is_removed_without_an_allocation() {
    let controller = AbortController::<u64>::new();
    let listener = controller.signal().add_listener(|_| ()).unwrap();
    free(|| {
        assert!(!controller.signal().clone().aborted());
        assert!(listener.remove());
    });
}

#[test]
fn a_function_without_captures_is_registered_and_stopped_without_an_allocation() {
    let (context, _cancel) = Context::<u64>::with_cancel();
    free(|| assert!(context.after_func(|_| ()).stop()));
}
