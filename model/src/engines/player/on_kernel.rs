//! The kernel alone as the subject: a stored callback is a plain value.

use super::super::kernel::{Added, Batch, CallbackId, Cell, Drain, UNTAGGED};
use super::super::outcome::Outcome;
use super::super::sync::fresh_serial;
use super::bench::{Bench, Interpreter, Tracked, locked, printed};
use super::{SHARED, Subject, at_rest, foreign};
use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, Ordering};
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
    /// True once a completion was answered. It is outside the model checker's world.
    is_done: AtomicBool,
    bench: Arc<Bench>,
}

impl OnKernel {
    pub(super) fn new(bench: &Arc<Bench>) -> Self {
        let cell = Arc::new(Cell::new(fresh_serial()));
        let other = Arc::new(Cell::new(fresh_serial()));
        let foreign = foreign(&other, bench.make(Thing::Callback(Nonce::MAX)));
        OnKernel(Arc::new(Kernel { cell, other, foreign, ids: Mutex::default(), is_done: AtomicBool::new(false), bench: bench.clone() }))
    }
}

impl Kernel {
    /// Adds as the task layer does: once the cell is done, the callback is late, and may be called at once. Whether it is
    /// done is not asked of the cell, which would be a step of every add; a cell that is done meanwhile gets a plain add.
    fn add(&self, nonce: Nonce, tag: NonZeroU64) -> CallbackId {
        let mut callback = Some(self.bench.make(Thing::Callback(nonce)));
        if self.is_done.load(Ordering::Relaxed) {
            let call = || callback.take().into_iter().for_each(|callback| self.call(&callback));
            if let Some(id) = self.cell.add_late(call, |batch| self.hand_over(batch)) {
                return id;
            }
        }
        match self.cell.add(tag, callback.expect("it was not called")) {
            Added::Waits(id) => id,
            Added::YouDrain(id, owed) => {
                self.drain(owed);
                id
            }
        }
    }

    fn drain(&self, owed: Drain<Tracked>) {
        self.cell.drain(owed, |batch| self.hand_over(batch));
    }

    fn hand_over(&self, batch: &mut Batch<Tracked>) {
        batch.for_each(|callback| self.call(&callback));
    }

    fn call(&self, callback: &Tracked) {
        self.bench.run(callback.nonce(), Part::Call, Some(0), || self.cell.outcome().map(Tracked::value));
    }
}

impl Interpreter for Kernel {
    fn carry_out(&self, (_, step): TaskStep) -> Option<Answer> {
        match step {
            Step::Add { nonce, tagged } => {
                let id = self.add(nonce, if tagged { SHARED } else { UNTAGGED });
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
                let completed = self.cell.complete(self.bench.make(Thing::Value(value)));
                self.is_done.store(true, Ordering::Relaxed);
                Some(Answer::Did(completed.map(|drain| self.drain(drain)).is_ok()))
            }
            Step::Read => Some(Answer::Outcome(self.cell.outcome().map(Tracked::value))),
            Step::Print => Some(Answer::Outcome(printed(&format!("{:?}", self.cell), self.bench.plan.values))),
            _ => unreachable!("the scenario was validated: {step:?} needs the task layer"),
        }
    }

    fn look(&self) {
        let _ = self.cell.phase();
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
