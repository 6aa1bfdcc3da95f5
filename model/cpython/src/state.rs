//! The state of one future: a cell of the kernel, and beside it a table of what waits, by tag.
//!
//! The kernel hands callbacks over and takes them out, but lists only their tags. Who has to look at those that wait
//! gives each registration a tag of its own, and puts a handle of it into a table: before the cell gets it, until after
//! the cell has given it away. The cell alone decides what waits; an entry that it does not list means nothing.

use super::kernel::{Added, Cell, Drain, Phase};
use super::sync::Mutex;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The numbers of cells and of registrations.
static NUMBERS: AtomicU64 = AtomicU64::new(1);

pub(crate) struct State {
    pub(crate) event_loop: Py<PyAny>,
    pub(crate) source_traceback: Option<Py<PyAny>>,
    /// The method of the loop that gets the callbacks.
    pub(crate) call_soon: Py<PyString>,
    cell: Cell<Outcome, Arc<Registration>>,
    registrations: Mutex<BTreeMap<NonZeroU64, Arc<Registration>>>,
}

pub(crate) enum Outcome {
    Result(Py<PyAny>),
    /// With its traceback at that moment.
    Exception(Py<PyAny>, Option<Py<PyAny>>),
    /// With its message.
    Cancelled(Option<Py<PyAny>>),
}

/// A callback with the context in which it is to run.
pub(crate) struct Registration {
    tag: NonZeroU64,
    pub(crate) callback: Py<PyAny>,
    pub(crate) context: Py<PyAny>,
}

/// The duty to hand over the callbacks of a state.
pub(crate) type Owed = Drain<Arc<Registration>>;

impl State {
    pub(crate) fn new(event_loop: Py<PyAny>, source_traceback: Option<Py<PyAny>>, call_soon: Py<PyString>) -> Self {
        State {
            event_loop,
            source_traceback,
            call_soon,
            cell: Cell::new(fresh_number().get()),
            registrations: Mutex::new(BTreeMap::new()),
        }
    }

    pub(crate) fn outcome(&self) -> Option<&Outcome> {
        self.cell.outcome()
    }

    /// Admits a callback. The caller owes the drain if there is one.
    pub(crate) fn add(&self, callback: Py<PyAny>, context: Py<PyAny>) -> Option<Owed> {
        let tag = fresh_number();
        let registration = Arc::new(Registration { tag, callback, context });
        self.registrations.lock().insert(tag, registration.clone());
        match self.cell.add(tag, registration) {
            Added::Waits(_) => None,
            Added::YouDrain(_, owed) => Some(owed),
        }
    }

    /// Completes the future, or gives the outcome back.
    pub(crate) fn complete(&self, outcome: Outcome) -> Result<Owed, Outcome> {
        self.cell.complete(outcome)
    }

    /// Hands over what is owed, in order.
    pub(crate) fn drain(&self, owed: Owed, mut hand_over: impl FnMut(&Registration)) {
        self.cell.drain(owed, |batch| {
            for registration in batch {
                self.forget(&registration);
                hand_over(&registration);
            }
        });
    }

    /// Returns the callbacks that wait, in order: a copy.
    pub(crate) fn waiting(&self) -> Vec<Arc<Registration>> {
        let snapshot = self.cell.snapshot();
        if snapshot.phase != Phase::Pending {
            return Vec::new();
        }
        let registrations = self.registrations.lock();
        let tags = snapshot.waiting.iter().filter_map(|(_, tag)| NonZeroU64::new(*tag));
        tags.filter_map(|tag| registrations.get(&tag).cloned()).collect()
    }

    /// Takes a callback out. True means that it will never be handed over.
    pub(crate) fn remove(&self, registration: &Registration) -> bool {
        let removed = self.cell.remove_all(registration.tag);
        if removed.is_empty() {
            return false;
        }
        self.forget(registration);
        true
    }

    fn forget(&self, registration: &Registration) {
        let forgotten = self.registrations.lock().remove(&registration.tag);
        drop(forgotten); // after the lock section
    }

    /// Visits every object of Python once. The table has each registration, in the queue or on its way out of it.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.event_loop)?;
        visit.call(&self.source_traceback)?;
        match self.outcome() {
            None => {}
            Some(Outcome::Result(value)) => visit.call(value)?,
            Some(Outcome::Cancelled(message)) => visit.call(message)?,
            Some(Outcome::Exception(exception, traceback)) => {
                visit.call(exception)?;
                visit.call(traceback)?;
            }
        }
        for registration in self.registrations.lock().values() {
            visit.call(&registration.callback)?;
            visit.call(&registration.context)?;
        }
        Ok(())
    }
}

fn fresh_number() -> NonZeroU64 {
    NonZeroU64::new(NUMBERS.fetch_add(1, Ordering::Relaxed)).expect("64 bits last for centuries")
}
