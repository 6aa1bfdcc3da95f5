//! The `Arc` that counts a task's handles: the engine's own where races of the last handle are explored, and std's
//! elsewhere, because each count is one more place where threads can switch. Compiled once for each engine that has one.

use super::machine;
use crate::engines::Erased;
use std::cell::Cell;
use std::ops::Deref;

thread_local! {
    static EXPLORED: Cell<bool> = const { Cell::new(false) };
}

/// Decides whether the engine counts the handles of this execution's tasks. It runs an execution on one thread.
pub fn explore_handles(explored: bool) {
    EXPLORED.set(explored);
}

/// A counted handle.
pub enum Counted<T> {
    ByStd(std::sync::Arc<T>),
    ByEngine(machine::sync::Arc<T>),
}

impl<T> Counted<T> {
    pub fn new(value: T) -> Self {
        match EXPLORED.get() {
            true => Counted::ByEngine(machine::sync::Arc::new(value)),
            false => Counted::ByStd(std::sync::Arc::new(value)),
        }
    }

    /// The value, if this is the last handle.
    pub fn try_unwrap(this: Self) -> Result<T, Self> {
        match this {
            Counted::ByStd(counted) => std::sync::Arc::try_unwrap(counted).map_err(Counted::ByStd),
            Counted::ByEngine(counted) => machine::sync::Arc::try_unwrap(counted).map_err(Counted::ByEngine),
        }
    }

    /// The number of handles. Only seeded bugs need it; the core does not.
    pub fn strong_count(this: &Self) -> usize {
        match this {
            Counted::ByStd(counted) => std::sync::Arc::strong_count(counted),
            Counted::ByEngine(counted) => machine::sync::Arc::strong_count(counted),
        }
    }
}

pub fn erase<T: Send + Sync + 'static>(counted: Counted<T>) -> Erased {
    std::sync::Arc::new(counted)
}

pub fn restore<T: Send + Sync + 'static>(erased: Erased) -> Option<Counted<T>> {
    erased.downcast().ok().map(std::sync::Arc::unwrap_or_clone)
}

impl<T> Clone for Counted<T> {
    fn clone(&self) -> Self {
        match self {
            Counted::ByStd(counted) => Counted::ByStd(counted.clone()),
            Counted::ByEngine(counted) => Counted::ByEngine(counted.clone()),
        }
    }
}

impl<T> Deref for Counted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Counted::ByStd(counted) => counted,
            Counted::ByEngine(counted) => counted,
        }
    }
}
