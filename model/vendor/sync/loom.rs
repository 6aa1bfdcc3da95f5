//! The facade of whendone's kernel on loom's locks, for your own tests under loom: `kernel` takes its lock and its
//! write-once cell from here. Outside of `loom::model` nothing of it works.
//!
//! The obligations F1 to F12 are listed in docs/VENDORING.md of whendone. `cargo verify facade` checks this file.

use loom::sync::MutexGuard;

/// F1, F2, F3, F5, F6: loom's mutex.
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Mutex(loom::sync::Mutex::new(value))
    }

    /// F4: loom's locks are never poisoned.
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().expect("never poisoned")
    }
}

/// F7, F8, F9: a stand-in, because loom has no such cell. The value lies outside of the model; whether it is there
/// is read under a lock.
pub(crate) struct OnceLock<T> {
    there: Mutex<bool>,
    value: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    pub(crate) fn new() -> Self {
        OnceLock {
            there: Mutex::new(false),
            value: std::sync::OnceLock::new(),
        }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        let there = *self.there.lock();
        there.then(|| self.value.get()).flatten()
    }

    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        let mut there = self.there.lock();
        self.value.set(value)?;
        *there = true;
        Ok(())
    }

    pub(crate) fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }
}
