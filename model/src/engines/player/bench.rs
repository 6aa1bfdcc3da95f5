//! What all threads of an execution share besides the core.

use super::traced;
use super::super::schedule::Schedule;
use super::super::stage::Probe;
use super::super::sync::locks_held;
use super::super::task::Task;
use cooked_waker::{IntoWaker, Wake, WakeRef};
use std::future::{Future, IntoFuture};
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use whendone_model::engines::record::monitor::Monitor;
use whendone_model::observation::event::{Event, Thing};
use whendone_model::observation::{Answer, HandOver};
use whendone_model::scenario::names::{self, Nonce, Part, Value};
use whendone_model::scenario::Scenario;
use whendone_model::scenario::resolve::{TaskStep, Resolved, Step};
use whendone_model::engines::record::recorder;

pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What all threads of an execution share besides the core.
pub struct Bench {
    pub plan: Arc<Resolved>,
    /// What is read stands beside the order in which things run: where programs read, and where two tasks are handed over.
    pub is_in_order: bool,
    /// Then nobody else keeps any.
    pub drops_handles: bool,
    pub ledger: Monitor,
    pub probe: Probe,
    /// Who carries out what callbacks do. They must not keep it alive, nor their tasks with it.
    pub carrier: OnceLock<Weak<dyn Carrier>>,
}

/// Carries out the steps of programs, on whatever thread.
pub trait Carrier: Send + Sync {
    fn carry_out(&self, step: TaskStep) -> Option<Answer>;
}

impl Bench {
    pub fn new(scenario: &Scenario) -> Self {
        let plan = scenario.resolved().clone();
        Bench {
            is_in_order: scenario.has_programs() || plan.tasks > 1,
            plan,
            drops_handles: scenario.drops_handles(),
            ledger: Monitor::default(),
            probe: Probe::new(),
            carrier: OnceLock::new(),
        }
    }

    pub fn touch(&self) {
        if self.is_in_order { self.probe.touch_in_order() } else { self.probe.touch() }
    }

    pub fn program(&self, nonce: Nonce, part: Part) -> &[TaskStep] {
        self.plan.program(nonce, part)
    }

    /// What a caller's code does when its turn comes: a dependent operation first and last. `serial`: it is itself
    /// the hand-over of this task.
    pub fn run(
        &self,
        nonce: Nonce,
        part: Part,
        serial: Option<names::Task>,
        read: impl FnOnce() -> Option<Value>,
    ) {
        self.touch();
        serial.inspect(|task| self.ledger.handing(*task));
        let entry = self.ledger.entered(HandOver { part, ..HandOver::new(nonce, read()) }, locks_held());
        let (steps, panics) = match self.program(nonce, part) {
            [steps @ .., (_, Step::Panic)] => (steps, true),
            steps => (steps, false),
        };
        let is_over = self.ledger.is_over();
        let carrier = self.carrier.get().and_then(Weak::upgrade).filter(|_| !is_over);
        for &step in carrier.iter().flat_map(|_| steps) {
            let answer = traced(step, |step| carrier.as_ref().and_then(|carrier| carrier.carry_out(step)));
            self.ledger.answered(entry, answer);
        }
        self.touch();
        self.ledger.left(nonce, part, locks_held());
        serial.inspect(|task| self.ledger.handed_over(*task));
        drop(carrier);
        if panics && !is_over {
            recorder::record(|| Event::Panics);
            resume_unwind(Box::new(nonce.to_string()));
        }
    }

    /// What is dropped or cloned does something only if it has a program.
    pub fn run_if_any(&self, nonce: Nonce, part: Part) {
        if !self.program(nonce, part).is_empty() && !self.ledger.is_over() {
            self.run(nonce, part, None, || None);
        }
    }

    pub fn make(self: &Arc<Self>, thing: Thing) -> Tracked {
        self.ledger.made(thing);
        Tracked { thing, bench: self.clone(), is_original: false }
    }
}

/// A value or a callback's capture, which reports its drop.
pub struct Tracked {
    pub thing: Thing,
    pub bench: Arc<Bench>,
    /// A waker that is only there to be cloned.
    pub is_original: bool,
}

impl Tracked {
    pub fn nonce(&self) -> Nonce {
        match self.thing {
            Thing::Callback(nonce) => nonce,
            thing => unreachable!("{thing} is not handed over"),
        }
    }

    pub fn value(&self) -> Value {
        match self.thing {
            Thing::Value(value) => value,
            thing => unreachable!("{thing} is not an outcome"),
        }
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.bench.ledger.dropped(self.thing, locks_held());
        if let (Thing::Callback(nonce), false) = (self.thing, self.is_original) {
            self.bench.run_if_any(nonce, Part::Drop);
        }
    }
}
