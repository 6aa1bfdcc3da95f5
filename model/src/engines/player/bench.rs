//! The harness of one execution, which all its threads share beside the core.

use super::super::outcome::Outcome;
use super::super::report::{Failure, Report};
use super::super::stage::Probe;
use super::super::sync::locks_held;
use super::traced;
use std::any::Any;
use std::borrow::Borrow;
use std::fmt;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use whendone_model::engines::record::monitor::Monitor;
use whendone_model::engines::record::recorder;
use whendone_model::observation::event::{Event, Thing};
use whendone_model::observation::{Answer, HandOver, Told};
use whendone_model::scenario::names::{self, Nonce, POLL, Part, Value};
use whendone_model::scenario::{Op, Scenario};
use whendone_model::scenario::resolve::{Resolved, Step, TaskStep};

pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The harness of one execution.
pub struct Bench {
    pub plan: Arc<Resolved>,
    /// True if observed values must agree with the order in which callbacks run: with programs, and with several tasks.
    pub is_in_order: bool,
    /// True if threads drop their handles; the harness then keeps none.
    pub drops_handles: bool,
    /// True if something is printed; then values call back, when they are printed or dropped.
    prints: bool,
    pub monitor: Monitor,
    pub probe: Probe,
    /// The interpreter of callbacks' programs. Callbacks must not keep it alive, nor their tasks with it.
    pub interpreter: OnceLock<Weak<dyn Interpreter>>,
}

/// Carries out the steps of callbacks' programs, on any thread.
pub trait Interpreter: Send + Sync {
    fn carry_out(&self, step: TaskStep) -> Option<Answer>;
    /// Takes the lock of the first task, for a value that calls back. Nothing on a loop, whose tasks are not printed.
    fn look(&self) {}
}

impl Bench {
    pub fn new(scenario: &Scenario) -> Self {
        let plan = scenario.resolved().clone();
        Bench {
            is_in_order: scenario.has_programs() || plan.tasks > 1,
            plan,
            drops_handles: scenario.drops_handles(),
            prints: scenario.all().any(|op| *op.parts().1 == Op::Print),
            monitor: Monitor::default(),
            probe: Probe::new(),
            interpreter: OnceLock::new(),
        }
    }

    pub fn touch(&self) {
        if self.is_in_order { self.probe.touch_in_order() } else { self.probe.touch() }
    }

    pub fn program(&self, nonce: Nonce, part: Part) -> &[TaskStep] {
        self.plan.program(nonce, part)
    }

    /// Runs a caller's code: its program, with a dependent operation before and after it. `serial` names the task whose
    /// hand-over the call itself is.
    pub fn run(&self, nonce: Nonce, part: Part, serial: Option<names::Task>, read: impl FnOnce() -> Option<Value>) {
        self.touch();
        serial.inspect(|task| self.monitor.handing(*task));
        let entry = self.monitor.entered(HandOver { part, ..HandOver::new(nonce, read()) }, locks_held());
        let panics = self.carry_out(entry, self.program(nonce, part));
        self.touch();
        self.monitor.left(nonce, part, locks_held());
        serial.inspect(|task| self.monitor.handed_over(*task));
        if panics {
            recorder::record(|| Event::Panics);
            resume_unwind(Box::new(nonce.to_string()));
        }
    }

    /// Carries out the program of the entry at this place. Returns whether it ends with a panic, which is the caller's.
    pub fn carry_out(&self, entry: usize, program: &[TaskStep]) -> bool {
        let (steps, panics) = match program {
            [steps @ .., (_, Step::Panic)] => (steps, true),
            steps => (steps, false),
        };
        let is_over = self.monitor.is_over();
        let interpreter = self.interpreter.get().and_then(Weak::upgrade).filter(|_| !is_over);
        for &step in interpreter.iter().flat_map(|_| steps) {
            let answer = traced(step, |step| interpreter.as_ref().and_then(|interpreter| interpreter.carry_out(step)));
            self.monitor.answered(entry, answer);
        }
        panics && !is_over
    }

    /// Whether this is the payload with which the program of this occasion panics.
    pub fn is_panic_of(&self, nonce: Nonce, part: Part, payload: &(dyn Any + Send)) -> bool {
        let panics = matches!(self.program(nonce, part), [.., (_, Step::Panic)]);
        panics && payload.downcast_ref::<String>().is_some_and(|message| *message == nonce.to_string())
    }

    /// Calls back, as the code of a value. Under a lock that would be a deadlock, and is reported elsewhere (P13).
    fn look(&self) {
        let calls_back = self.prints && locks_held() == 0 && !self.monitor.is_over();
        let interpreter = self.interpreter.get().and_then(Weak::upgrade).filter(|_| calls_back);
        interpreter.iter().for_each(|interpreter| interpreter.look());
    }

    /// Runs the program of a drop or a clone, if there is one.
    pub fn run_if_any(&self, nonce: Nonce, part: Part) {
        if !self.program(nonce, part).is_empty() && !self.monitor.is_over() {
            self.run(nonce, part, None, || None);
        }
    }

    /// Tells the monitor of a report to a hook, if it is one that a scenario can cause for this task (P14).
    pub fn report(&self, task: names::Task, report: &Report) {
        use Failure::{CallbackLost, CallbackPanicked, DropPanicked, LoopClosed, PanicNeverRetrieved};
        use Failure::{SchedulerPanicked, TaskAbandoned, WakerPanicked};
        let said = report.panic.as_ref().map(|panic| panic.message());
        let body = |nonce: &Nonce| self.plan.registrations.get(*nonce);
        let is_of_task = |nonce: &Nonce| *nonce == POLL || body(nonce).is_some_and(|body| body.task == task);
        let nonce = said.and_then(|said| said.parse().ok()).filter(is_of_task);
        let told = match (report.failure, nonce) {
            (CallbackLost, None) if said.is_none() => Told::Lost(task),
            (SchedulerPanicked, None) if said == Some(PANIC_OF_SCHEDULER) => Told::SchedulerPanicked(task),
            (TaskAbandoned, None) => Told::Abandoned,
            (PanicNeverRetrieved, None) => Told::NeverRetrieved,
            (PanicNeverRetrieved, Some(nonce)) if body(&nonce).is_some_and(|body| body.is_future) => Told::NeverRetrieved,
            (LoopClosed(unrun), None) => Told::Closed(unrun),
            (CallbackPanicked, Some(nonce)) => Told::CallbackPanicked(nonce),
            (DropPanicked, Some(nonce)) => Told::DropPanicked(nonce),
            (WakerPanicked, Some(nonce)) => Told::WakerPanicked(nonce),
            _ => return self.misreported(report),
        };
        self.monitor.told(told, locks_held());
    }

    /// Tells the monitor of a report that no scenario can cause.
    pub fn misreported(&self, report: &Report) {
        self.monitor.broken(format!("P14: {report}"));
    }

    pub fn make(self: &Arc<Self>, thing: Thing) -> Tracked {
        self.monitor.made(thing);
        Tracked { thing, bench: self.clone(), is_original: false }
    }
}

/// The message of a scheduler's panic. The message of a callback's panic is its nonce.
pub const PANIC_OF_SCHEDULER: &str = "scheduler";

/// The value of an outcome.
pub fn value_of<T: Borrow<Tracked>>(outcome: &Outcome<T>) -> Value {
    match outcome {
        Outcome::Finished(finished) => finished.borrow().value(),
        Outcome::Cancelled => Value::Cancelled,
        Outcome::Abandoned => Value::Abandoned,
        Outcome::Panicked(_) => Value::Panicked,
    }
}

/// A value, or a callback's capture, that reports its drop to the monitor.
pub struct Tracked {
    pub thing: Thing,
    pub bench: Arc<Bench>,
    /// True for a waker that exists only to be cloned.
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
        self.bench.monitor.dropped(self.thing, locks_held());
        match self.thing {
            Thing::Callback(nonce) if !self.is_original => self.bench.run_if_any(nonce, Part::Drop),
            Thing::Future => self.bench.run_if_any(POLL, Part::Drop),
            Thing::Value(_) => self.bench.look(),
            Thing::Callback(_) => {}
        }
    }
}

impl fmt::Debug for Tracked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bench.monitor.printed(self.thing, locks_held());
        self.bench.look();
        write!(f, "{}", self.thing)
    }
}

/// The outcome that the print of a cell or task shows: its value, or the word for its state.
pub fn printed(text: &str, values: usize) -> Option<Value> {
    let mut outcomes = (0..values).map(Value::Finished).chain([Value::Cancelled, Value::Abandoned]);
    outcomes.find(|outcome| {
        let shows = [format!("result={outcome}>"), format!("outcome: Some({outcome})"), format!("<Task {outcome} ")];
        shows.iter().any(|shown| text.contains(shown))
    })
}
