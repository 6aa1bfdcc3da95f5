//! The facade: the one file that names std's primitives.
//!
//! Every other file says `super::sync`, so the same source is compiled against a model checker's
//! primitives, or a vendor's. The kernel uses only `Mutex` and `OnceLock`.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use std::sync::{Arc, MutexGuard, OnceLock};

/// The count of the handles of a task.
pub(crate) use std::sync::Arc as Counted;

#[cfg(feature = "event-loop")]
pub(crate) use {crossbeam_channel as channel, std::time::Instant};

/// A mutex without poisoning: no lock section of this crate runs code that could unwind (P13, P14).
pub(crate) struct Mutex<T>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Mutex(std::sync::Mutex::new(value))
    }

    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Mutex::new(T::default())
    }
}

/// std's thread-locals, initialised by a constant, which saves the test whether they are initialised. They have
/// no destructor, so that a thread that is ending can use them, too: their users leave nothing in them.
macro_rules! const_thread_local {
    ($(#[$doc:meta])* $vis:vis static $name:ident: $type:ty = $value:expr;) => {
        const _: () = ::core::assert!(!::core::mem::needs_drop::<$type>());
        ::std::thread_local! {
            $(#[$doc])* $vis static $name: $type = const { $value };
        }
    };
}
pub(crate) use const_thread_local as thread_local;

/// Returns a number that this process has not seen before, never 0.
pub(crate) fn fresh_serial() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
