//! What counts the handles of a task under loom: loom's `Arc` where races of the last one are explored, std's elsewhere,
//! since each count is one more place where threads can switch.

use std::cell::Cell;
use std::ops::Deref;

thread_local! {
    static EXPLORED: Cell<bool> = const { Cell::new(false) };
}

/// Whether tasks of this execution, which loom plays on one thread, are counted by loom.
pub fn explore_handles(explored: bool) {
    EXPLORED.set(explored);
}

pub enum Counted<T> {
    ByStd(std::sync::Arc<T>),
    ByLoom(loom::sync::Arc<T>),
}

impl<T> Counted<T> {
    pub fn new(value: T) -> Self {
        match EXPLORED.get() {
            true => Counted::ByLoom(loom::sync::Arc::new(value)),
            false => Counted::ByStd(std::sync::Arc::new(value)),
        }
    }

    /// The value, if this is the last handle.
    pub fn try_unwrap(this: Self) -> Result<T, Self> {
        match this {
            Counted::ByStd(counted) => std::sync::Arc::try_unwrap(counted).map_err(Counted::ByStd),
            Counted::ByLoom(counted) => loom::sync::Arc::try_unwrap(counted).map_err(Counted::ByLoom),
        }
    }

    /// Nothing in the core asks for it, but seeded bugs do.
    pub fn strong_count(this: &Self) -> usize {
        match this {
            Counted::ByStd(counted) => std::sync::Arc::strong_count(counted),
            Counted::ByLoom(counted) => loom::sync::Arc::strong_count(counted),
        }
    }
}

impl<T> Clone for Counted<T> {
    fn clone(&self) -> Self {
        match self {
            Counted::ByStd(counted) => Counted::ByStd(counted.clone()),
            Counted::ByLoom(counted) => Counted::ByLoom(counted.clone()),
        }
    }
}

impl<T> Deref for Counted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Counted::ByStd(counted) => counted,
            Counted::ByLoom(counted) => counted,
        }
    }
}
