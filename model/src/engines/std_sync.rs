//! std's facade: as `src/sync.rs`, and aware of who holds a lock.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::sync::PoisonError;

pub use super::fresh_serial;
pub use std::sync::{Arc, OnceLock};
pub use std::thread_local;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static SECTIONS: Cell<usize> = const { Cell::new(0) };
}

/// How many locks of this facade the current thread holds (P13).
pub fn locks_held() -> usize {
    HELD.get()
}

/// How many lock sections the current thread has begun.
pub fn lock_sections() -> usize {
    SECTIONS.get()
}

pub struct Mutex<T>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub fn new(value: T) -> Self {
        Mutex(std::sync::Mutex::new(value))
    }

    pub fn lock(&self) -> Guard<'_, T> {
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        HELD.set(HELD.get() + 1);
        SECTIONS.set(SECTIONS.get() + 1);
        Guard { guard, _held: Held }
    }
}

pub struct Guard<'a, T> {
    guard: std::sync::MutexGuard<'a, T>,
    _held: Held,
}

struct Held;

impl Drop for Held {
    fn drop(&mut self) {
        HELD.set(HELD.get() - 1);
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}
