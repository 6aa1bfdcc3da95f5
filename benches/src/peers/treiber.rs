//! A lock-free stack of boxes, turned round before it is run. Cannot remove.

use super::{Check, Peer};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering::*};

pub(crate) struct Treiber;

pub(crate) struct Stack {
    /// Null: none waits. [`DONE`]: closed.
    top: AtomicPtr<Node>,
    /// A number is all that it can publish; any type would cost a `OnceLock`.
    value: AtomicU64,
}

struct Node {
    below: *mut Node,
    call: Box<dyn FnOnce(u64) + Send>,
}

const DONE: *mut Node = ptr::dangling_mut();

impl Peer for Treiber {
    type Task = Arc<Stack>;
    type Completer = ();
    type Id = ();

    fn new() -> Self {
        Treiber
    }

    fn task(&mut self) -> ((), Arc<Stack>) {
        ((), Arc::new(Stack { top: AtomicPtr::default(), value: AtomicU64::new(0) }))
    }

    fn add(&mut self, task: &mut Arc<Stack>, check: Check) {
        let call = Box::new(move |value| check.run(value));
        let node = Box::into_raw(Box::new(Node { below: ptr::null_mut(), call }));
        let mut top = task.top.load(Acquire);
        while top != DONE {
            // SAFETY: the node is ours until the exchange succeeds.
            unsafe { (*node).below = top };
            match task.top.compare_exchange_weak(top, node, Release, Acquire) {
                Ok(_) => return,
                Err(other) => top = other,
            }
        }
        // SAFETY: it was never pushed.
        let node = unsafe { Box::from_raw(node) };
        (node.call)(task.value.load(Relaxed));
    }

    fn complete((): (), task: &mut Arc<Stack>, value: u64) {
        task.value.store(value, Relaxed);
        let (mut top, mut first) = (task.top.swap(DONE, AcqRel), ptr::null_mut::<Node>());
        while !top.is_null() {
            // SAFETY: the swap took all nodes, so they are ours; each comes from `Box::into_raw`.
            let below = unsafe { std::mem::replace(&mut (*top).below, first) };
            (first, top) = (top, below);
        }
        while !first.is_null() {
            // SAFETY: as above; each is taken once.
            let node = unsafe { Box::from_raw(first) };
            first = node.below;
            (node.call)(value);
        }
    }
}
