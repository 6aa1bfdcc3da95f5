//! The kernel alone as the subject: a stored callback is a plain value.

use super::super::kernel::{Added, CallbackId, Cell, Drain};
use super::super::outcome::Outcome;
use super::super::sync::fresh_serial;
use super::bench::{Bench, Interpreter, Tracked, locked};
use super::{SHARED, Subject, at_rest, foreign};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};
use whendone_model::observation::Answer;
use whendone_model::observation::event::Thing;
use whendone_model::scenario::names::{Nonce, Part, Value};
use whendone_model::scenario::resolve::{Step, TaskStep};

/// The kernel alone: a stored callback is a plain value.
pub(super) struct OnKernel(Arc<Kernel>);

pub(super) struct Kernel {
    cell: Arc<Cell<Tracked, Tracked>>,
    /// A second cell, in which one callback waits.
    other: Arc<Cell<Tracked, Tracked>>,
    /// The id of that callback.
    foreign: CallbackId,
    ids: Mutex<HashMap<Nonce, CallbackId>>,
    bench: Arc<Bench>,
}

impl OnKernel {
    pub(super) fn new(bench: &Arc<Bench>) -> Self {
        let cell = Arc::new(Cell::new(fresh_serial()));
        let other = Arc::new(Cell::new(fresh_serial()));
        let foreign = foreign(&other, bench.make(Thing::Callback(Nonce::MAX)));
        OnKernel(Arc::new(Kernel { cell, other, foreign, ids: Mutex::default(), bench: bench.clone() }))
    }
}

impl Kernel {
    fn drain(&self, drain: Drain<Arc<Cell<Tracked, Tracked>>, Tracked>) {
        drain.drain(|cell, callback| {
            self.bench.run(callback.nonce(), Part::Call, Some(0), || cell.outcome().map(Tracked::value));
        });
    }
}

impl Interpreter for Kernel {
    fn carry_out(&self, (_, step): TaskStep) -> Option<Answer> {
        match step {
            Step::Add { nonce, tagged } => {
                let tag = if tagged { SHARED } else { 0 };
                let id = match Cell::add(&self.cell, tag, self.bench.make(Thing::Callback(nonce))) {
                    Added::Waits(id) => id,
                    Added::YouDrain(id, drain) => {
                        self.drain(drain);
                        id
                    }
                };
                locked(&self.ids).insert(nonce, id);
                None
            }
            Step::Remove(nonce) => {
                let id = nonce.map_or(self.foreign, |nonce| locked(&self.ids)[&nonce]);
                let removed = self.cell.remove(id);
                Some(Answer::Did(removed.is_some()))
            }
            Step::RemoveAll => {
                let removed = self.cell.remove_all(SHARED);
                Some(Answer::Count(removed.len()))
            }
            Step::Complete(value) => {
                let completed = Cell::complete(&self.cell, self.bench.make(Thing::Value(value)));
                Some(Answer::Did(completed.map(|drain| self.drain(drain)).is_ok()))
            }
            Step::Read => Some(Answer::Outcome(self.cell.outcome().map(Tracked::value))),
            _ => unreachable!("the scenario was validated: {step:?} needs the task layer"),
        }
    }
}

impl Subject for OnKernel {
    fn fork(&mut self) -> Self {
        OnKernel(self.0.clone())
    }

    fn carry_out(&mut self, step: TaskStep) -> Option<Answer> {
        self.0.carry_out(step)
    }

    fn interpreter(&self) -> Option<Weak<dyn Interpreter>> {
        let kernel: Arc<dyn Interpreter> = self.0.clone();
        Some(Arc::downgrade(&kernel))
    }

    fn broken_at_rest(&self) -> Option<String> {
        let is_touched = self.0.other.snapshot().waiting.len() != 1;
        is_touched.then(|| "P10: the other cell was touched".to_owned()).or_else(|| at_rest(&self.0.cell))
    }
}
