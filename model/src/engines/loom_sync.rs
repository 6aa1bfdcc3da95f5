//! loom's facade: what `src/sync.rs` is in production, aware of who holds a lock.
//!
//! loom has no `OnceLock`. Two stand-ins take its place: with a mutex loom finds every outcome; with
//! an atomic (the order in which std's publishes) it misses some, which is kept as a pinned list.

use super::Guard;
use std::cell::Cell;

pub use super::fresh_serial;
pub use loom::thread_local;
pub use std::sync::Arc;

loom::thread_local! {
    static HELD: Cell<usize> = Cell::new(0);
}

/// How many locks of this facade the current thread holds (P13).
pub fn locks_held() -> usize {
    // Once the model has failed its world is gone, and what is dropped then is not judged.
    if std::thread::panicking() { 0 } else { HELD.try_with(Cell::get).unwrap_or(0) }
}

pub struct Mutex<T>(loom::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub fn new(value: T) -> Self {
        Mutex(loom::sync::Mutex::new(value))
    }

    pub fn lock(&self) -> Guard<loom::sync::MutexGuard<'_, T>, Held> {
        let guard = self.0.lock().expect("loom poisons nothing that does not panic");
        HELD.with(|held| held.set(held.get() + 1));
        Guard { guard, held: Held }
    }
}

/// Held from its making to its drop.
pub struct Held;

impl Drop for Held {
    fn drop(&mut self) {
        let _ = HELD.try_with(|held| held.set(held.get() - 1));
    }
}

pub mod by_mutex {
    /// The value lies outside the model; whether it is there is asked under a loom mutex.
    pub struct OnceLock<T> {
        there: loom::sync::Mutex<bool>,
        value: std::sync::OnceLock<T>,
    }

    impl<T> OnceLock<T> {
        pub fn new() -> Self {
            OnceLock { there: loom::sync::Mutex::new(false), value: std::sync::OnceLock::new() }
        }

        pub fn get(&self) -> Option<&T> {
            let there = *self.there.lock().expect("poisons nothing");
            there.then(|| self.value.get()).flatten()
        }

        pub fn set(&self, value: T) -> Result<(), T> {
            self.value.set(value)?;
            *self.there.lock().expect("poisons nothing") = true;
            Ok(())
        }
    }
}

pub mod by_atomic {
    use loom::sync::atomic::{AtomicBool, Ordering};

    /// The value lies outside the model; whether it is there is a flag, released and acquired.
    pub struct OnceLock<T> {
        there: AtomicBool,
        value: std::sync::OnceLock<T>,
    }

    impl<T> OnceLock<T> {
        pub fn new() -> Self {
            OnceLock { there: AtomicBool::new(false), value: std::sync::OnceLock::new() }
        }

        pub fn get(&self) -> Option<&T> {
            let there = self.there.load(Ordering::Acquire);
            there.then(|| self.value.get()).flatten()
        }

        pub fn set(&self, value: T) -> Result<(), T> {
            self.value.set(value)?;
            self.there.store(true, Ordering::Release);
            Ok(())
        }
    }
}
