//! A tree of cancellation tokens: cancelling one cancels all below it.
//!
//! A node owns its parent and knows its children weakly. A child is a callback of its parent, so a dropped child is
//! removed by its id. Nothing here recurses: a chain of tokens may be as long as the memory allows.

use super::waiting::{Place, wake_all};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll, Waker};
use whendone::kernel::{CallbackId, Cell, UNTAGGED};

/// A token of a tree. Clones are the same token.
#[derive(Clone, Default)]
pub struct CancellationToken(Arc<Node>);

struct Node {
    /// Serial 0: no id leaves this file.
    cell: Cell<(), Entry>,
    /// Set when every token below is cancelled, too.
    spread: OnceLock<()>,
    parent: OnceLock<(Arc<Node>, CallbackId)>,
}

/// A callback of a node.
enum Entry {
    Child(Weak<Node>),
    Waiter(Waker),
}

impl CancellationToken {
    /// Makes the root of a tree.
    #[must_use]
    pub fn new() -> Self {
        CancellationToken::default()
    }

    /// Makes a token that is cancelled with this one. Cancelling it leaves this one alone.
    #[must_use]
    pub fn child_token(&self) -> Self {
        let child = CancellationToken::new();
        match self.0.cell.add_waiting(UNTAGGED, Entry::Child(Arc::downgrade(&child.0))) {
            // The cell is set once, here.
            Ok(id) => drop(child.0.parent.set((self.0.clone(), id))),
            Err(_) => child.cancel(),
        }
        child
    }

    /// Cancels this token and all below it. When it returns they are cancelled, also if another thread came first:
    /// then it blocks until that thread has reached the last of them, which runs no waker and no other foreign code.
    ///
    /// Tasks are woken last. If a waker panics, the others are woken, and the panic reaches the caller.
    pub fn cancel(&self) {
        let mut reached = vec![self.0.clone()];
        let (mut won, mut lost, mut wakers) = (vec![], vec![], vec![]);
        while let Some(node) = reached.pop() {
            // Exactly one thread completes a node (P1), and passes the cancellation on to its children.
            let Ok(owed) = node.cell.complete(()) else {
                lost.push(node);
                continue;
            };
            node.cell.drain(owed, |batch| {
                batch.for_each(|entry| match entry {
                    Entry::Child(child) => reached.extend(child.upgrade()),
                    Entry::Waiter(waker) => wakers.push(waker),
                })
            });
            won.push(node);
        }
        // Another thread reaches what is below these, and waits only for nodes further down: no two wait for each other.
        for node in &lost {
            node.spread.wait();
        }
        for node in &won {
            node.spread.get_or_init(|| ());
        }
        wake_all(wakers);
    }

    /// Returns whether the token is cancelled. Takes no lock.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.cell.outcome().is_some()
    }

    /// Waits until the token is cancelled.
    pub fn cancelled(&self) -> Cancelled<'_> {
        Cancelled { node: &self.0, place: Place::default() }
    }

    /// Runs a future until it is ready, or until the token is cancelled: then the answer is `None`. If both are the
    /// case, the future wins, unless the token was cancelled before the first poll.
    pub async fn run_until_cancelled<F: Future>(&self, future: F) -> Option<F::Output> {
        if self.is_cancelled() {
            return None;
        }
        let (mut future, mut cancelled) = (pin!(future), self.cancelled());
        let both = poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => Pin::new(&mut cancelled).poll(context).map(|()| None),
        });
        both.await
    }

    /// Returns a guard that cancels the token when it is dropped.
    #[must_use]
    pub fn drop_guard(self) -> DropGuard {
        DropGuard(Some(self))
    }
}

impl Default for Node {
    fn default() -> Self {
        Node { cell: Cell::new(0), spread: OnceLock::new(), parent: OnceLock::new() }
    }
}

impl Drop for Node {
    /// Leaves the parent. If this was its last handle, the parent leaves its own parent, and so on.
    fn drop(&mut self) {
        let mut above = self.parent.take();
        while let Some((parent, id)) = above {
            drop(parent.cell.remove(id));
            // Of several threads exactly one gets the node.
            above = Arc::into_inner(parent).and_then(|mut node| node.parent.take());
        }
    }
}

/// The future of [`CancellationToken::cancelled`].
#[must_use = "futures do nothing unless polled"]
pub struct Cancelled<'a> {
    node: &'a Node,
    place: Place,
}

impl Future for Cancelled<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let node = self.node;
        if node.cell.outcome().is_some() {
            return Poll::Ready(());
        }
        self.place.poll(&node.cell, Entry::Waiter(context.waker().clone()))
    }
}

impl Drop for Cancelled<'_> {
    fn drop(&mut self) {
        self.place.leave(&self.node.cell);
    }
}

impl fmt::Debug for CancellationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancellationToken").field("is_cancelled", &self.is_cancelled()).finish()
    }
}

/// Cancels its token when it is dropped.
#[derive(Debug)]
pub struct DropGuard(Option<CancellationToken>);

impl DropGuard {
    /// Gives the token back, which is then not cancelled.
    ///
    /// # Panics
    ///
    /// Never: a guard has its token until it is dropped.
    #[must_use]
    pub fn disarm(mut self) -> CancellationToken {
        self.0.take().expect("there until the drop")
    }
}

impl Drop for DropGuard {
    fn drop(&mut self) {
        self.0.iter().for_each(CancellationToken::cancel);
    }
}
