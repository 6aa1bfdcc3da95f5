//! The page: the sequential specification of one task, which is the whole meaning of the core.
//!
//! Read it beside the same page in prose, in `src/kernel/mod.rs`. Every operation is one atomic step. A concurrent core is
//! correct (linearizable) if its clients cannot distinguish it from some order of these steps.

use crate::scenario::names::{Nonce, Value};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum State {
    Pending { waiting: Vec<Waiting> },
    Done { outcome: Value },
}

/// A waiting callback. The value stored under its id is handed over: the id itself until it is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Waiting {
    id: Nonce,
    stored: Nonce,
    tagged: bool,
}

/// One task: its state, and the order in which its callbacks are handed over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spec {
    state: State,
    scheduled: Vec<Nonce>,
}

impl Spec {
    pub fn new() -> Self {
        Spec { state: State::Pending { waiting: Vec::new() }, scheduled: Vec::new() }
    }

    pub fn add(&mut self, id: Nonce, tagged: bool) {
        match &mut self.state {
            State::Pending { waiting } => waiting.push(Waiting { id, stored: id, tagged }),
            State::Done { .. } => self.scheduled.push(id),
        }
    }

    /// True if it was waiting: then it will never be handed over.
    pub fn remove(&mut self, id: Nonce) -> bool {
        !self.remove_where(|entry| entry.id == id).is_empty()
    }

    /// Takes out every callback with the shared tag, and returns them.
    pub fn remove_all(&mut self) -> Vec<Nonce> {
        self.remove_where(|entry| entry.tagged)
    }

    fn remove_where(&mut self, condemned: impl Fn(&Waiting) -> bool) -> Vec<Nonce> {
        match &mut self.state {
            State::Pending { waiting } => {
                let removed = waiting.iter().filter(|entry| condemned(entry)).map(|entry| entry.stored).collect();
                waiting.retain(|entry| !condemned(entry));
                removed
            }
            State::Done { .. } => Vec::new(),
        }
    }

    /// Adds an await; false if the task is done: then it is refused and given back.
    pub fn add_waiting(&mut self, id: Nonce) -> bool {
        match &mut self.state {
            State::Pending { waiting } => {
                waiting.push(Waiting { id, stored: id, tagged: false });
                true
            }
            State::Done { .. } => false,
        }
    }

    /// Swaps the stored value in its place; false if it was not there.
    pub fn replace(&mut self, id: Nonce, stored: Nonce) -> bool {
        let State::Pending { waiting } = &mut self.state else { return false };
        let place = waiting.iter_mut().find(|entry| entry.id == id);
        place.map(|entry| entry.stored = stored).is_some()
    }

    /// True for the first completion only.
    pub fn complete(&mut self, outcome: Value) -> bool {
        match &mut self.state {
            State::Pending { waiting } => {
                self.scheduled.extend(waiting.iter().map(|entry| entry.stored));
                self.state = State::Done { outcome };
                true
            }
            State::Done { .. } => false,
        }
    }

    pub fn outcome(&self) -> Option<Value> {
        match self.state {
            State::Pending { .. } => None,
            State::Done { outcome } => Some(outcome),
        }
    }

    /// The waiting callbacks, in the order in which completion would hand them over.
    pub fn waiting(&self) -> impl Iterator<Item = Nonce> {
        let waiting = if let State::Pending { waiting } = &self.state { waiting.as_slice() } else { &[] };
        waiting.iter().map(|entry| entry.stored)
    }

    /// The order of the hand-overs.
    pub fn scheduled(&self) -> &[Nonce] {
        &self.scheduled
    }
}

impl Default for Spec {
    fn default() -> Self {
        Self::new()
    }
}
