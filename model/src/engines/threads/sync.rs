//! std's facade, like `src/sync.rs`: it also counts the locks that a thread holds.

use super::super::Guard;
use crate::engines::record::tickets;
use std::cell::Cell;
use std::sync::PoisonError;

pub use super::super::{Erased, erase, explore_handles, fresh_serial, restore, unheard};
pub use std::sync::{Arc, Arc as Counted, OnceLock};
pub use std::thread_local;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
}

/// The number of this facade's locks that the current thread holds (P13).
pub fn locks_held() -> usize {
    HELD.get()
}

pub struct Mutex<T>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub fn new(value: T) -> Self {
        Mutex(std::sync::Mutex::new(value))
    }

    pub fn lock(&self) -> Guard<std::sync::MutexGuard<'_, T>, HeldLock> {
        tickets::yield_at_random();
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        HELD.set(HELD.get() + 1);
        Guard { guard, held: HeldLock }
    }
}

/// The count of one held lock, from its making to its drop.
pub struct HeldLock;

impl Drop for HeldLock {
    fn drop(&mut self) {
        HELD.set(HELD.get() - 1);
    }
}
