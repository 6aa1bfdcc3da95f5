//! The facade: the one file that names std's primitives, or a model checker's.
//!
//! Every other file says `super::sync`, so the same source is compiled against a model checker's
//! primitives, or a vendor's. The kernel uses only `Mutex` and `OnceLock`.
//!
//! # Promises
//!
//! `tests/sync.rs` compiles this file by itself and checks each of them on std's primitives.
//!
//! * `Mutex`: one thread at a time has the guard, and each sees what the one before it wrote. A thread that unwinds
//!   with the guard leaves the lock open, and the value as it was at that moment.
//! * `OnceLock`: empty at first; of all calls of `set` the first succeeds, and the others get their value back. Who
//!   finds the value sees everything that its writer did before.
//! * `erase` and `restore`: the same allocation, with one handle, under the type that it was erased from. Any other
//!   type is refused, and the handle is given up.
//! * `fresh_serial`: 1, 2, 3 and so on, each number to one caller of this process. A thread gets growing numbers.
//! * `thread_local!`: there until the very end of a thread, because such a thread-local has no destructor.
//!
//! With `--cfg loom` or `--cfg shuttle`, and without the event loop, the primitives are those of that model checker:
//! a user's test under it then explores the locks, the write-once cells and the trampoline of this crate, too.

use std::any::Any;
use std::sync::PoisonError;

pub(crate) use machine::{Counted, MutexGuard, OnceLock, erase, restore, thread_local, unheard};
/// An `Arc` whose last drop no test explores.
pub(crate) use std::sync::Arc;

/// A counted handle that does not know the type of its value.
pub(crate) type Erased = Arc<dyn Any + Send + Sync>;

#[cfg(feature = "event-loop")]
pub(crate) use {crossbeam_channel as channel, std::time::Instant};

/// A mutex without poisoning: no lock section of this crate runs code that could unwind (P13, P14).
pub(crate) struct Mutex<T>(machine::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Mutex(machine::Mutex::new(value))
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

#[cfg(not(all(any(loom, shuttle), not(feature = "event-loop"))))]
mod machine {
    use std::fmt::Display;

    /// The count of the handles of a task.
    pub(crate) use std::sync::Arc as Counted;
    pub(crate) use std::sync::{Mutex, MutexGuard, OnceLock};

    pub(crate) fn erase<T: Send + Sync + 'static>(counted: Counted<T>) -> super::Erased {
        counted
    }

    pub(crate) fn restore<T: Send + Sync + 'static>(erased: super::Erased) -> Option<Counted<T>> {
        erased.downcast().ok()
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

    /// A contained panic that no hook took: standard error has it.
    pub(crate) fn unheard(_report: &dyn Display) {}
}

#[cfg(all(any(loom, shuttle), not(feature = "event-loop")))]
mod machine {
    use std::cell::RefCell;
    use std::fmt::Display;

    #[cfg(loom)]
    use loom as checker;
    #[cfg(not(loom))]
    use shuttle as checker;

    pub(crate) use checker::sync::{Arc as Counted, Mutex, MutexGuard};
    pub(crate) use checker::thread_local;

    pub(crate) fn erase<T: Send + Sync + 'static>(counted: Counted<T>) -> super::Erased {
        std::sync::Arc::new(counted)
    }

    pub(crate) fn restore<T: Send + Sync + 'static>(erased: super::Erased) -> Option<Counted<T>> {
        erased.downcast().ok().map(std::sync::Arc::unwrap_or_clone)
    }

    /// A stand-in, which both lack: the value lies outside the model; its presence is read under a lock.
    pub(crate) struct OnceLock<T> {
        there: Mutex<bool>,
        value: std::sync::OnceLock<T>,
    }

    impl<T> OnceLock<T> {
        pub(crate) fn new() -> Self {
            OnceLock { there: Mutex::new(false), value: std::sync::OnceLock::new() }
        }

        pub(crate) fn get(&self) -> Option<&T> {
            let there = *self.there.lock().expect("poisons nothing");
            there.then(|| self.value.get()).flatten()
        }

        pub(crate) fn set(&self, value: T) -> Result<(), T> {
            self.value.set(value)?;
            *self.there.lock().expect("poisons nothing") = true;
            Ok(())
        }

        pub(crate) fn into_inner(self) -> Option<T> {
            self.value.into_inner()
        }
    }

    /// A contained panic that no hook took: fails the model when this thread ends. It may be a failed
    /// assertion, or a race that the model checker found inside a callback.
    pub(crate) fn unheard(report: &dyn Display) {
        let _ = UNHEARD.try_with(|unheard| unheard.0.borrow_mut().push(report.to_string()));
    }

    thread_local! {
        static UNHEARD: Unheard = Unheard(RefCell::new(Vec::new()));
    }

    struct Unheard(RefCell<Vec<String>>);

    impl Drop for Unheard {
        fn drop(&mut self) {
            let reports = self.0.take();
            assert!(reports.is_empty() || std::thread::panicking(), "no hook took: {}", reports.join("\n"));
        }
    }
}

/// Returns a number that this process has not seen before, never 0. It orders nothing, so no model needs to know it.
pub(crate) fn fresh_serial() -> u64 {
    static SERIALS: Serials = Serials::after(0);
    SERIALS.next()
}

/// The numbers behind one, each of which is given out once. They do not run out: 64 bits last for centuries.
#[cfg(target_has_atomic = "64")]
pub(crate) struct Serials(std::sync::atomic::AtomicU64);

#[cfg(target_has_atomic = "64")]
impl Serials {
    pub(crate) const fn after(last: u64) -> Self {
        Serials(std::sync::atomic::AtomicU64::new(last + 1))
    }

    pub(crate) fn next(&self) -> u64 {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }
}

#[cfg(not(target_has_atomic = "64"))]
pub(crate) use SerialsUnderALock as Serials;

/// `Serials` for targets without atomics of this size. The test compiles it on every target.
#[cfg(any(test, not(target_has_atomic = "64")))]
#[allow(dead_code, reason = "the crate's own unit tests, of which there are none, would not use it")]
pub(crate) struct SerialsUnderALock(std::sync::Mutex<u64>);

#[cfg(any(test, not(target_has_atomic = "64")))]
#[allow(dead_code, reason = "the crate's own unit tests, of which there are none, would not use it")]
impl SerialsUnderALock {
    pub(crate) const fn after(last: u64) -> Self {
        SerialsUnderALock(std::sync::Mutex::new(last))
    }

    pub(crate) fn next(&self) -> u64 {
        let mut last = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        *last += 1;
        *last
    }
}
