//! The watched locks of a facade: they count the locks that a thread holds, and record the contents at each release.
//! Compiled once for each engine that has locks and threads of its own.

use super::machine;
use crate::engines::Guard;
use crate::engines::record::recorder;
use crate::observation::event::Event;
use std::cell::Cell;
use std::fmt::{Debug, Write};
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::rc::Rc;

machine::thread_local! {
    static HELD: Rc<Cell<usize>> = Rc::default();
    static THREAD: Cell<usize> = Cell::new(0);
}

/// The number of this facade's locks that the current thread holds (P13).
pub fn locks_held() -> usize {
    // Once the model has failed its world is gone, and the drops that follow are not checked.
    if recorder::is_world() { HELD.try_with(|held| held.get()).unwrap_or(0) } else { 0 }
}

/// Makes the current thread this one of the scenario, if events are recorded.
pub fn be_thread(number: usize) {
    if recorder::is_on() {
        THREAD.with(|thread| thread.set(number));
    }
}

/// The number of the current thread in the scenario. Must not be called once the model has failed.
pub fn this_thread() -> usize {
    THREAD.try_with(Cell::get).unwrap_or(0)
}

/// A lock that records its contents at each release. It needs contents that print themselves.
pub struct Mutex<T>(Silent<T>);

/// A lock that records that it is taken and released, but not its contents.
pub struct Silent<T>(machine::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub fn new(value: T) -> Self {
        Mutex(Silent::new(value))
    }
}

impl<T: Debug> Mutex<T> {
    #[track_caller]
    pub fn lock(&self) -> Guard<Shown<'_, T>, Held> {
        self.0.shown_by(|value| {
            // This runs so often that growing the string step by step would cost time.
            let mut printed = String::with_capacity(128);
            write!(printed, "{value:?}").is_ok().then_some(printed)
        })
    }
}

impl<T> Deref for Mutex<T> {
    type Target = Silent<T>;

    fn deref(&self) -> &Silent<T> {
        &self.0
    }
}

impl<T> Silent<T> {
    pub fn new(value: T) -> Self {
        Silent(machine::sync::Mutex::new(value))
    }

    #[track_caller]
    pub fn lock(&self) -> Guard<Shown<'_, T>, Held> {
        self.shown_by(|_| None)
    }

    #[track_caller]
    fn shown_by(&self, show: fn(&T) -> Option<String>) -> Guard<Shown<'_, T>, Held> {
        let guard = self.0.lock().expect("poisons nothing that does not panic");
        let held = HELD.with(Rc::clone);
        held.set(held.get() + 1);
        let place = Location::caller();
        recorder::record(|| Event::Locks(std::any::type_name::<T>(), place));
        let address = std::ptr::from_ref(self).addr();
        Guard { guard: Shown { guard, address, show }, held: Held(held) }
    }
}

impl<T> Drop for Silent<T> {
    fn drop(&mut self) {
        recorder::record(|| Event::Frees(std::ptr::from_ref(self).addr()));
    }
}

impl<T: Default> Default for Silent<T> {
    fn default() -> Self {
        Silent::new(T::default())
    }
}

/// The engine's guard, which records its release.
pub struct Shown<'a, T> {
    guard: machine::sync::MutexGuard<'a, T>,
    address: usize,
    show: fn(&T) -> Option<String>,
}

impl<T> Deref for Shown<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for Shown<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

impl<T> Drop for Shown<'_, T> {
    fn drop(&mut self) {
        recorder::record(|| Event::Unlocks(self.address, (self.show)(&self.guard)));
    }
}

/// The count of one held lock, from its making to its drop. The drop needs no engine, because the model may have failed.
pub struct Held(Rc<Cell<usize>>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// An atomic as a stand-in for the write-once cell. It is read and written by read-modify-writes, with the orderings that
/// std's cell has: loom leaves out interleavings around a load (`model/src/check/blind_spots.rs`).
pub mod by_atomic {
    use super::machine;
    use crate::engines::record::recorder;
    use crate::observation::event::Event;
    use machine::sync::atomic::{AtomicBool, Ordering};
    use std::panic::Location;

    /// A write-once cell whose value is outside the model; a flag, released and acquired, says whether it is there.
    pub struct OnceLock<T> {
        there: AtomicBool,
        value: std::sync::OnceLock<T>,
    }

    impl<T> OnceLock<T> {
        pub fn new() -> Self {
            OnceLock { there: AtomicBool::new(false), value: std::sync::OnceLock::new() }
        }

        #[track_caller]
        pub fn get(&self) -> Option<&T> {
            let place = Location::caller();
            let there = self.there.fetch_or(false, Ordering::Acquire);
            recorder::record(|| Event::Reads(there, place));
            there.then(|| self.value.get()).flatten()
        }

        pub fn set(&self, value: T) -> Result<(), T> {
            self.value.set(value)?;
            self.there.swap(true, Ordering::Release);
            recorder::record(|| Event::Publishes);
            Ok(())
        }

        pub fn into_inner(self) -> Option<T> {
            self.value.into_inner()
        }
    }
}
