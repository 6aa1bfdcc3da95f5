//! The waiter in a task's line: a callback with the place where it was added, or the waker of an await.

use super::report::Origin;
use super::schedule::Work;
use std::cell::Cell;
use std::mem;
use std::panic::Location;
use std::task::Waker;

/// A waiter in the line of a task of type `K`.
pub(crate) enum Waiter<K> {
    Callback(Box<dyn Call<K>>, &'static Location<'static>),
    Await(Waker),
}

/// A callback in its box. As [`Work`] it waits in a scheduler's queue.
pub(crate) trait Call<K>: Work {
    /// Calls it. If it unwinds, `blamed` learns its type.
    fn call(self: Box<Self>, task: &K, blamed: &Blamed);
    /// Drops it.
    fn discard(self: Box<Self>, task: &K, added_at: &'static Location<'static>);
    /// Hands it over to the task's scheduler.
    fn hand_over(self: Box<Self>, task: &K, added_at: &'static Location<'static>);
    /// Hands it over to the task's scheduler with the callbacks behind it, as one entry.
    fn hand_over_with(self: Box<Self>, task: &K, added_at: &'static Location<'static>, others: Vec<Waiter<K>>);
}

/// The callback that unwound, for the report of its panic: one guard for panics stands around many callbacks.
#[derive(Default)]
pub(crate) struct Blamed {
    /// The place where the last callback that was called was added.
    added_at: Cell<Option<&'static Location<'static>>>,
    /// The type of the callback that unwound; none if it was a waker.
    callback: Cell<Option<&'static str>>,
}

impl Blamed {
    /// Calls a caller's function. If it unwinds, the callback of this type is blamed.
    #[inline]
    pub(crate) fn watch(&self, callback: &'static str, call: impl FnOnce()) {
        let watch = Watch { blamed: self, callback };
        call();
        mem::forget(watch);
    }

    /// Returns the callback that unwound; none if it was a waker.
    pub(crate) fn take(&self) -> Option<Origin> {
        Some(Origin { callback: self.callback.take()?, added_at: self.added_at.get()? })
    }
}

struct Watch<'a> {
    blamed: &'a Blamed,
    callback: &'static str,
}

impl Drop for Watch<'_> {
    #[inline]
    fn drop(&mut self) {
        self.blamed.callback.set(Some(self.callback));
    }
}

impl<K> Waiter<K> {
    /// Calls the callback, or wakes the await. It may unwind: see [`Blamed`].
    #[inline]
    pub(crate) fn call(self, task: &K, blamed: &Blamed) {
        match self {
            Waiter::Callback(callback, added_at) => {
                blamed.added_at.set(Some(added_at));
                callback.call(task, blamed);
            }
            Waiter::Await(waker) => waker.wake(),
        }
    }
}
