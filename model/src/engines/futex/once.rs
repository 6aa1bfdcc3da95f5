//! std's write-once cell on its `Once`, which is a futex: a word with a state, and a bit for sleepers.
//!
//! `set` runs no caller's code, so nothing poisons the cell. std's compare-exchanges may fail without a reason, and then come
//! back to where they were; these do not.

use super::fault::Fault;
use super::plain::Plain;
use super::system::Futex;
use crate::engines::record::recorder;
use crate::observation::event::Event;
use std::panic::Location;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

const COMPLETE: u32 = 0;
const RUNNING: u32 = 1;
const INCOMPLETE: u32 = 3;
/// Added to the state if somebody may sleep.
const QUEUED: u32 = 4;

/// A write-once cell whose value lies outside of the model.
pub struct OnceLock<T> {
    once: Futex,
    /// Stands for the value: loom fails if a thread reads it and the futex does not order the read after the write.
    written: Plain,
    value: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    pub fn new() -> Self {
        OnceLock { once: Futex::new(INCOMPLETE), written: Plain::new(), value: std::sync::OnceLock::new() }
    }

    #[track_caller]
    pub fn get(&self) -> Option<&T> {
        let place = Location::caller();
        let there = self.is_complete();
        recorder::record(|| Event::Reads(there, place));
        there.then(|| self.read()).flatten()
    }

    /// # Errors
    ///
    /// The value, if there is one.
    pub fn set(&self, value: T) -> Result<(), T> {
        if self.is_complete() || !self.is_begun() {
            return Err(value);
        }
        self.value.set(value)?;
        self.written.write();
        let order = if Fault::PublishesRelaxed.is_present() { Relaxed } else { Release };
        let before = self.once.word().swap(COMPLETE, order);
        recorder::record(|| Event::Publishes);
        if before & QUEUED != 0 && !Fault::OnceWakesNobody.is_present() {
            self.once.wake_all();
        }
        Ok(())
    }

    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    fn is_complete(&self) -> bool {
        self.once.look(Acquire) == COMPLETE
    }

    fn read(&self) -> Option<&T> {
        self.written.read();
        self.value.get()
    }

    /// True if this thread is the one that writes. If another one is, sleeps until that has written.
    fn is_begun(&self) -> bool {
        let mut state = self.once.look(Acquire);
        loop {
            let queued = state & QUEUED;
            match state - queued {
                COMPLETE => return false,
                INCOMPLETE => match self.once.word().compare_exchange(state, RUNNING | queued, Acquire, Acquire) {
                    Ok(_) => return true,
                    Err(now) => state = now,
                },
                _ if Fault::RefusedEarly.is_present() => return false,
                _ => {
                    let with_me = state | QUEUED;
                    let mark = || self.once.word().compare_exchange(state, with_me, Relaxed, Acquire);
                    if queued == 0
                        && let Err(now) = mark()
                    {
                        state = now;
                        continue;
                    }
                    self.once.wait(with_me);
                    state = self.once.look(Acquire);
                }
            }
        }
    }
}
