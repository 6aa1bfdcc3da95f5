//! The facade on std's locks. No code of Python runs while one is held, so that a thread may wait for one with the GIL.

use std::sync::{MutexGuard, PoisonError};

pub(crate) use std::sync::OnceLock;

pub(crate) struct Mutex<T>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Mutex(std::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
