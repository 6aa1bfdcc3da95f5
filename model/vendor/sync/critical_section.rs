//! The facade of whendone's kernel on critical sections, for targets whose interrupt handlers use the kernel too:
//! `kernel` takes its lock and its write-once cell from here.
//!
//! The obligations F1 to F12 are listed in docs/VENDORING.md of whendone. `cargo verify facade` checks this file.
//! Two lines are unsafe, because the safe interface of `critical-section` has no guard.

#![allow(unsafe_code)]

use core::cell::{RefCell, RefMut};
use core::ops::{Deref, DerefMut};
use critical_section::RestoreState;

/// F1, F2, F6: nobody else runs inside a critical section. F4: there is no poisoning.
pub(crate) struct Mutex<T>(critical_section::Mutex<RefCell<T>>);

/// F3: the fields are dropped in this order, so the value is given up before the section ends.
/// F10: the section ends where it began, so the guard is not `Send`: `RefMut` is not.
pub(crate) struct Guard<'a, T> {
    value: RefMut<'a, T>,
    _section: Section,
}

struct Section(RestoreState);

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Mutex(critical_section::Mutex::new(RefCell::new(value)))
    }

    /// F5: a section may be entered again by the same thread, but the borrow of the value may not: it panics.
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        // SAFETY: `Section` leaves the section once. The kernel never holds two guards, so sections nest.
        let section = Section(unsafe { critical_section::acquire() });
        // SAFETY: this thread is in the section, until the guard, which borrows `self`, is dropped.
        let token = unsafe { critical_section::CriticalSection::new() };
        Guard {
            value: self.0.borrow(token).borrow_mut(),
            _section: section,
        }
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl Drop for Section {
    fn drop(&mut self) {
        // SAFETY: it was entered by `lock`, on this thread: neither `Section` nor the guard is `Send`.
        unsafe { critical_section::release(self.0) }
    }
}

/// F7, F8, F9: `once_cell`'s cell with its feature `critical-section`.
pub(crate) use once_cell::sync::OnceCell as OnceLock;
