//! The facade of whendone's kernel on std's locks: `kernel` takes its lock and its write-once cell from here.
//!
//! The obligations F1 to F12 are listed in docs/VENDORING.md of whendone. `cargo verify facade` checks this file.

use std::sync::{MutexGuard, PoisonError};

/// F7, F8, F9: std's cell. `set` publishes with release, `get` reads with acquire and takes no lock.
pub(crate) use std::sync::OnceLock;

/// F1, F2, F3, F5, F6: std's mutex.
pub(crate) struct Mutex<T>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Mutex(std::sync::Mutex::new(value))
    }

    /// F4: a thread that panicked under the lock leaves it open, so poisoning is ignored.
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
