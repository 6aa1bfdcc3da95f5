//! A plain variable: loom fails with a causality violation if an access is not ordered after a write.

use loom::cell::UnsafeCell;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A variable without contents. The mutex, which is no part of the model, only makes it shareable.
pub struct Plain(Mutex<UnsafeCell<()>>);

impl Plain {
    pub fn new() -> Self {
        Plain(Mutex::new(UnsafeCell::new(())))
    }

    pub fn read(&self) {
        self.cell().with(|_| ());
    }

    pub fn write(&self) {
        self.cell().with_mut(|_| ());
    }

    fn cell(&self) -> MutexGuard<'_, UnsafeCell<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
