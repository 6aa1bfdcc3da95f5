//! Plays a scenario on the core that lies beside this file. Included once for each engine.
//!
//! The same steps go to the kernel alone or to the task layer. What they answer is returned, what
//! happens besides is written into the ledger, and nothing is judged here.

use super::completer::{Completer, task};
use super::kernel::{Added, CallbackId, Cell, Drain, Phase};
use super::outcome::Outcome;
use super::report::Report;
use super::schedule::{Inline, Ready, Schedule};
use super::stage::{Flag, Probe, at_once, explore};
use super::sync::{fresh_serial, locks_held};
use super::task::Task;
use super::wait::Wait;
use std::collections::HashMap;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use whendone_model::engines::Observed;
use whendone_model::ledger::{Ledger, Thing};
use whendone_model::observation::{Answer, HandOver, Observation};
use whendone_model::scenario::{Scenario, Scheduler, Step};
use whendone_model::spec::{Nonce, Value};
use whendone_model::trace::{self, Act};

/// The tag of `b`, `B` and `T`.
const SHARED: u64 = u64::MAX;

/// Plays it in every way that the engine knows.
pub fn play(scenario: &Scenario) -> Observed {
    play_by(scenario, perform)
}

/// The same, with what one execution is.
pub(super) fn play_by(scenario: &Scenario, perform: fn(&Scenario) -> (Observation, Vec<String>)) -> Observed {
    let observed = Arc::new(Mutex::new(Observed::default()));
    let (written, scenario) = (observed.clone(), scenario.clone());
    let explored = explore(move || {
        let (observation, broken) = perform(&scenario);
        trace::end(Some(&observation), &broken);
        let mut observed = written.lock().unwrap_or_else(PoisonError::into_inner);
        observed.executions += 1;
        *observed.observations.entry(observation).or_default() += 1;
        broken.into_iter().for_each(|rule| *observed.broken.entry(rule).or_default() += 1);
    });
    let mut observed = observed.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match explored {
        Ok(extent) => observed.extent = extent,
        Err(failure) => {
            trace::end(None, std::slice::from_ref(&failure));
            observed.broken.insert(failure, 1);
        }
    }
    observed
}

/// One execution.
fn perform(scenario: &Scenario) -> (Observation, Vec<String>) {
    let bench = Arc::new(Bench::new());
    match scenario.scheduler {
        None => perform_on(OnKernel::new(&bench), scenario, &bench),
        Some(Scheduler::Loop(_)) => {
            (Observation::default(), vec!["harness: this engine has no event loop; take another".to_owned()])
        }
        Some(scheduler) => perform_on(OnTask::new(&bench, scheduler), scenario, &bench),
    }
}

pub(super) fn perform_on<S: Subject>(
    mut subject: S,
    scenario: &Scenario,
    bench: &Arc<Bench>,
) -> (Observation, Vec<String>) {
    for step in scenario.setup_steps() {
        traced(step, |step| subject.carry_out(step));
    }
    trace::record(|| Act::AllBegin);
    let steps = scenario.steps();
    // All share the flags, made here so that each execution has its own.
    let flags: Arc<Vec<Flag>> = Arc::new((0..=9).map(|_| Flag::new()).take(flag_count(&steps)).collect());
    let bodies = steps.into_iter().map(|steps| {
        let (mut actor, flags) = (subject.fork(&steps), flags.clone());
        Box::new(move || {
            let mut carry_out = |step| match step {
                Step::Signal(flag) => {
                    flags[usize::from(flag)].raise();
                    None
                }
                Step::Wait(flag) => {
                    flags[usize::from(flag)].wait();
                    None
                }
                step => actor.carry_out(step),
            };
            let answers: Vec<Answer> = steps.into_iter().filter_map(|step| traced(step, &mut carry_out)).collect();
            actor.through();
            (answers, actor)
        }) as Box<dyn FnOnce() -> (Vec<Answer>, S) + Send>
    });
    // What a thread still holds at its end, an await for example, it keeps until all is told.
    let (answers, actors): (Vec<_>, Vec<_>) = at_once(bodies.collect()).into_iter().unzip();
    trace::record(|| Act::AllEnded);
    subject.settle();
    let shown = bench.ledger.handed();
    if let Some(rule) = subject.broken_at_rest() {
        bench.ledger.broken(rule);
    }
    drop(actors);
    subject.finish();
    drop(subject);
    let (mut handed, broken) = bench.ledger.close(bench.probe.touches());
    handed.truncate(shown);
    (Observation { answers, handed }, broken)
}

fn traced(step: Step, carry_out: impl FnOnce(Step) -> Option<Answer>) -> Option<Answer> {
    trace::record(|| Act::Begins(step));
    let answer = carry_out(step);
    trace::record(|| Act::Ends(step, answer));
    answer
}

fn flag_count(steps: &[Vec<Step>]) -> usize {
    let flags = steps.iter().flatten().filter_map(|step| match step {
        Step::Signal(flag) | Step::Wait(flag) => Some(usize::from(*flag) + 1),
        _ => None,
    });
    flags.max().unwrap_or(0)
}

/// What all threads of an execution share besides the core.
pub(super) struct Bench {
    pub(super) ledger: Ledger,
    pub(super) probe: Probe,
}

impl Bench {
    pub(super) fn new() -> Self {
        Bench { ledger: Ledger::default(), probe: Probe::new() }
    }

    /// What a caller's code does when its turn comes: a dependent operation first and last.
    pub(super) fn hand_over(&self, nonce: Nonce, read: impl FnOnce() -> Option<Value>) {
        self.probe.touch();
        self.ledger.entered(HandOver { nonce, saw: read() }, locks_held());
        self.probe.touch();
        self.ledger.left(nonce, locks_held());
    }

    pub(super) fn make(self: &Arc<Self>, thing: Thing) -> Token {
        self.ledger.made(thing);
        Token { thing, bench: self.clone() }
    }
}

/// A value or a callback's capture, which reports its drop.
pub(super) struct Token {
    thing: Thing,
    pub(super) bench: Arc<Bench>,
}

impl Token {
    fn nonce(&self) -> Nonce {
        match self.thing {
            Thing::Callback(nonce) => nonce,
            thing => unreachable!("{thing} is not handed over"),
        }
    }

    pub(super) fn value(&self) -> Value {
        match self.thing {
            Thing::Value(value) => value,
            thing => unreachable!("{thing} is not an outcome"),
        }
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.bench.ledger.dropped(self.thing, locks_held());
    }
}

/// What steps are carried out on.
pub(super) trait Subject: Send + 'static {
    /// The same, for another thread, which will carry out these steps.
    fn fork(&mut self, steps: &[Step]) -> Self;
    fn carry_out(&mut self, step: Step) -> Option<Answer>;
    /// A thread has carried out its steps.
    fn through(&mut self) {}
    /// Lets come what was still to come when all threads are through.
    fn settle(&mut self) {}
    /// Gives up what nobody used, which is no part of the observation any more.
    fn finish(&mut self) {}
    /// What is wrong when nothing is going on.
    fn broken_at_rest(&self) -> Option<String>;
}

/// A done cell is settled, a pending one is not.
pub(super) fn at_rest<T, C>(cell: &Cell<T, C>) -> Option<String> {
    let snapshot = cell.snapshot();
    let expected = if cell.outcome().is_some() { Phase::Settled } else { Phase::Pending };
    let right = snapshot.phase == expected && (expected == Phase::Pending || snapshot.waiting.is_empty());
    (!right).then(|| format!("P19: at rest the cell is {snapshot:?}"))
}

/// The kernel alone: the stored callback is a plain value.
struct OnKernel {
    cell: Arc<Cell<Token, Token>>,
    other: Arc<Cell<Token, Token>>,
    foreign: CallbackId,
    ids: HashMap<Nonce, CallbackId>,
    bench: Arc<Bench>,
}

impl OnKernel {
    fn new(bench: &Arc<Bench>) -> Self {
        let cell = Arc::new(Cell::new(fresh_serial()));
        let other = Arc::new(Cell::new(fresh_serial()));
        let foreign = match Cell::add(&other, 0, bench.make(Thing::Callback(Nonce::MAX))) {
            Added::Waits(id) | Added::YouDrain(id, _) => id,
        };
        OnKernel { cell, other, foreign, ids: HashMap::new(), bench: bench.clone() }
    }

    fn drain(&self, drain: Drain<Arc<Cell<Token, Token>>, Token>) {
        drain.drain(|cell, callback| {
            self.bench.hand_over(callback.nonce(), || cell.outcome().map(Token::value));
        });
    }
}

impl Subject for OnKernel {
    fn fork(&mut self, _: &[Step]) -> Self {
        let (cell, other, bench) = (self.cell.clone(), self.other.clone(), self.bench.clone());
        OnKernel { cell, other, foreign: self.foreign, ids: self.ids.clone(), bench }
    }

    fn carry_out(&mut self, step: Step) -> Option<Answer> {
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
                self.ids.insert(nonce, id);
                None
            }
            Step::Remove(nonce) => {
                let id = nonce.map_or(self.foreign, |nonce| self.ids[&nonce]);
                Some(Answer::Did(self.cell.remove(id).is_some()))
            }
            Step::RemoveAll => Some(Answer::Count(self.cell.remove_all(SHARED).len())),
            Step::Complete(value) => {
                let completed = Cell::complete(&self.cell, self.bench.make(Thing::Value(value)));
                Some(Answer::Did(completed.map(|drain| self.drain(drain)).is_ok()))
            }
            Step::Read => Some(Answer::Outcome(self.cell.outcome().map(Token::value))),
            _ => unreachable!("the scenario was checked: {step:?} needs the task layer"),
        }
    }

    fn broken_at_rest(&self) -> Option<String> {
        let robbed = self.other.snapshot().waiting.len() != 1;
        robbed.then(|| "P10: the other cell was touched".to_owned()).or_else(|| at_rest(&self.cell))
    }
}

/// The task layer: boxed closures, a completer, awaits.
struct OnTask {
    task: Option<Task<Arc<Token>>>,
    completer: Option<Completer<Arc<Token>>>,
    other: (Arc<Completer<()>>, CallbackId),
    ids: HashMap<Nonce, CallbackId>,
    place: Option<Wait<Arc<Token>, Task<Arc<Token>>>>,
    bed: Arc<Bed>,
}

/// The scheduler of the scenario, and where wakes go that must keep their place among callbacks.
struct Bed {
    queue: Option<Mutex<Vec<Turn>>>,
    bench: Arc<Bench>,
}

enum Turn {
    Run(Ready),
    Wake(Nonce),
}

impl Bed {
    /// Takes it into the queue, unless it is to happen at once.
    fn queued(&self, turn: Turn) -> Option<Turn> {
        match &self.queue {
            Some(queue) => {
                queue.lock().unwrap_or_else(PoisonError::into_inner).push(turn);
                None
            }
            None => Some(turn),
        }
    }

    fn take(&self, turn: Turn) {
        match turn {
            Turn::Run(ready) => ready.run(),
            Turn::Wake(nonce) => self.bench.hand_over(nonce, || None),
        }
    }
}

impl Schedule for Bed {
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        self.bench.ledger.scheduled(locks_held());
        // On a queue the hand-over is the push; threads must be able to switch on either side of it.
        self.bench.probe.touch();
        if let Some(turn) = self.queued(Turn::Run(ready)) {
            self.take(turn);
        }
        self.bench.probe.touch();
        Ok(())
    }

    fn report(&self, report: &Report) {
        self.bench.ledger.broken(format!("P14: {report}"));
    }
}

struct Alarm {
    capture: Token,
    bed: Arc<Bed>,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        if let Some(turn) = self.bed.queued(Turn::Wake(self.capture.nonce())) {
            self.bed.take(turn);
        }
    }
}

fn value_of(outcome: &Outcome<Arc<Token>>) -> Value {
    match outcome {
        Outcome::Finished(token) => token.value(),
        Outcome::Cancelled => Value::Cancelled,
        Outcome::Abandoned => Value::Abandoned,
        Outcome::Panicked(panic) => unreachable!("no scenario without a loop has a panic: {panic}"),
    }
}

impl OnTask {
    fn new(bench: &Arc<Bench>, scheduler: Scheduler) -> Self {
        let queue = (scheduler == Scheduler::Queue).then(Mutex::default);
        let bed = Arc::new(Bed { queue, bench: bench.clone() });
        let (completer, task) = task(bed.clone());
        let (other, foreign) = super::completer::task(Inline);
        let foreign = foreign.add_done_callback(|_| ());
        let (task, completer, other) = (Some(task), Some(completer), (Arc::new(other), foreign));
        OnTask { task, completer, other, ids: HashMap::new(), place: None, bed }
    }

    fn task(&self) -> &Task<Arc<Token>> {
        self.task.as_ref().expect("the scenario was checked: nothing comes after H")
    }
}

impl Subject for OnTask {
    fn fork(&mut self, steps: &[Step]) -> Self {
        let completes = |step: &Step| matches!(step, Step::Complete(Value::Finished(_)) | Step::DropCompleter);
        let completer = steps.iter().any(completes).then(|| self.completer.take()).flatten();
        let (task, other, ids, bed) = (self.task.clone(), self.other.clone(), self.ids.clone(), self.bed.clone());
        OnTask { task, completer, other, ids, place: None, bed }
    }

    fn carry_out(&mut self, step: Step) -> Option<Answer> {
        match step {
            Step::Add { nonce, .. } => {
                let capture = self.bed.bench.make(Thing::Callback(nonce));
                let callback = move |task: &Task<Arc<Token>>| {
                    capture.bench.hand_over(capture.nonce(), || task.outcome().map(value_of));
                };
                let id = self.task().add_done_callback(callback);
                self.ids.insert(nonce, id);
                None
            }
            Step::Remove(nonce) => {
                let id = nonce.map_or(self.other.1, |nonce| self.ids[&nonce]);
                Some(Answer::Did(self.task().remove_done_callback(id)))
            }
            Step::Complete(Value::Finished(n)) => {
                let value = Arc::new(self.bed.bench.make(Thing::Value(Value::Finished(n))));
                let completer = self.completer.take().expect("the scenario was checked: there is one completer");
                Some(Answer::Did(completer.complete(value).is_ok()))
            }
            Step::Complete(_) => Some(Answer::Did(self.task().cancel())),
            Step::Read => Some(Answer::Outcome(self.task().outcome().map(value_of))),
            Step::Poll(nonce) => {
                let capture = self.bed.bench.make(Thing::Callback(nonce));
                let waker = Waker::from(Arc::new(Alarm { capture, bed: self.bed.clone() }));
                let task = self.task().clone();
                let place = self.place.get_or_insert_with(|| task.into_future());
                let polled = Pin::new(place).poll(&mut Context::from_waker(&waker));
                Some(Answer::Outcome(match polled {
                    Poll::Ready(outcome) => Some(value_of(&outcome)),
                    Poll::Pending => None,
                }))
            }
            Step::DropAwait => {
                self.place = None;
                None
            }
            Step::DropCompleter => {
                self.completer = None;
                None
            }
            Step::DropHandle => {
                self.task = None;
                None
            }
            _ => unreachable!("the scenario was checked: {step:?} needs the kernel"),
        }
    }

    fn settle(&mut self) {
        let Some(queue) = &self.bed.queue else { return };
        let next = || {
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            (!queue.is_empty()).then(|| queue.remove(0))
        };
        while let Some(turn) = next() {
            self.bed.take(turn);
        }
    }

    fn finish(&mut self) {
        self.completer = None;
        self.settle();
    }

    fn broken_at_rest(&self) -> Option<String> {
        at_rest(self.task().cell())
    }
}
