//! std's facade: as `src/sync.rs`, and aware of who holds a lock.

use super::super::Guard;
use crate::engines::record::tickets;
use std::cell::Cell;
use std::sync::PoisonError;

pub use super::super::{explore_handles, fresh_serial, unheard};
pub use std::sync::{Arc, Arc as Counted, OnceLock};
pub use std::thread_local;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
}

/// How many locks of this facade the current thread holds (P13).
pub fn locks_held() -> usize {
    HELD.get()
}

pub struct Mutex<T>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub fn new(value: T) -> Self {
        Mutex(std::sync::Mutex::new(value))
    }

    pub fn lock(&self) -> Guard<std::sync::MutexGuard<'_, T>, Held> {
        tickets::let_others_in();
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        HELD.set(HELD.get() + 1);
        Guard { guard, held: Held }
    }
}

/// Held from its making to its drop.
pub struct Held;

impl Drop for Held {
    fn drop(&mut self) {
        HELD.set(HELD.get() - 1);
    }
}
