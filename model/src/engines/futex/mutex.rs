//! std's mutex on a futex. The word says whether it is locked, and whether somebody may sleep.
//!
//! Two things are left out. std looks at the word up to a hundred times more while it is locked and nobody sleeps: such a look
//! changes nothing, so that a thread which looks once, later, stands for it. And there is no poison: the facades take the value
//! as it was left.

use super::fault::Fault;
use super::plain::Plain;
use super::system::Futex;
use crate::engines::record::recorder;
use std::ops::{Deref, DerefMut};
use std::sync::LockResult;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

const UNLOCKED: u32 = 0;
const LOCKED: u32 = 1;
/// Locked, and the thread that unlocks it must wake another one.
const CONTENDED: u32 = 2;

/// A lock around a value that lies outside of the model.
pub struct Mutex<T> {
    futex: Futex,
    /// Stands for what is written under the lock: loom fails if two threads write it and the lock does not order them.
    written: Plain,
    value: std::sync::Mutex<T>,
}

pub struct MutexGuard<'a, T> {
    of: &'a Mutex<T>,
    value: Option<std::sync::MutexGuard<'a, T>>,
}

impl<T> Mutex<T> {
    pub fn new(value: T) -> Self {
        Mutex { futex: Futex::new(UNLOCKED), written: Plain::new(), value: std::sync::Mutex::new(value) }
    }

    /// # Errors
    ///
    /// None.
    ///
    /// # Panics
    ///
    /// If two threads have the guard at the same time, or a thread that gets it does not see what was written before.
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        if self.take().is_err() {
            self.lock_contended();
        }
        let value = self.value.try_lock().expect("F1: two threads have the guard at the same time");
        self.written.write();
        Ok(MutexGuard { of: self, value: Some(value) })
    }

    /// Takes the lock if it is open, as one behind which nobody sleeps. The error is the state that it has.
    fn take(&self) -> Result<u32, u32> {
        self.futex.word().compare_exchange(UNLOCKED, LOCKED, Acquire, Relaxed)
    }

    fn lock_contended(&self) {
        let mut state = self.futex.look(Relaxed);
        if state == UNLOCKED {
            match self.take() {
                Ok(_) => return,
                Err(now) => state = now,
            }
        }
        loop {
            if state != CONTENDED && self.futex.word().swap(CONTENDED, Acquire) == UNLOCKED {
                return;
            }
            self.futex.wait(CONTENDED);
            if Fault::TakesAWakeUpForTheLock.is_present() {
                return;
            }
            if Fault::LocksUncontendedAfterSleep.is_present() && self.take().is_ok() {
                return;
            }
            state = self.futex.look(Relaxed);
        }
    }

    fn unlock(&self) {
        if Fault::WakesBeforeUnlock.is_present() {
            if self.futex.look(Relaxed) == CONTENDED {
                self.futex.wake_one();
            }
            self.futex.word().swap(UNLOCKED, Release);
            return;
        }
        let order = if Fault::UnlocksRelaxed.is_present() { Relaxed } else { Release };
        let before = self.futex.word().swap(UNLOCKED, order);
        if before == CONTENDED && !Fault::UnlockWakesNobody.is_present() {
            self.futex.wake_one();
        }
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("there until the drop")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("there until the drop")
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        let value = self.value.take();
        // Otherwise the model has failed, and is gone.
        if recorder::is_world() {
            self.of.written.write();
            drop(value);
            self.of.unlock();
        }
    }
}
