//! Plays a scenario on the core that lies beside this file. Included once for each engine.
//!
//! The same steps go to the kernel alone or to the task layer. What they answer is returned, what
//! happens besides is written into the ledger, and nothing is judged here.

use super::completer::{Completer, task_named};
use super::kernel::{Added, CallbackId, Cell, Drain, Phase};
use super::outcome::Outcome;
use super::report::{Failure, Report};
use super::schedule::{Ready, Schedule};
use super::stage::{self, Flag, Probe, at_once, explore};
use super::sync::{explore_handles, fresh_serial, locks_held};
use super::task::Task;
use super::wait::Wait;
use cooked_waker::{IntoWaker, Wake, WakeRef};
use std::collections::{HashMap, VecDeque};
use std::future::{Future, IntoFuture};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::slice;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll};
use whendone_model::engines::{Observed, SEEN_ENOUGH, is_enough};
use whendone_model::engines::record::monitor::{Ledger, Thing};
use whendone_model::observation::{Answer, HandOver, Observation, SCHEDULER, Told};
use whendone_model::scenario::{self, Move, Part, Plan, Scenario, Scheduler, Step, TASKS};
use whendone_model::spec::cell::{Nonce, Value};
use whendone_model::engines::record::recorder::{self, Act};

/// The tag of `b`, `B` and `T`.
const SHARED: u64 = u64::MAX;

/// Plays it in every way that the engine knows.
pub fn play(scenario: &Scenario) -> Observed {
    play_by(scenario, perform)
}

/// The same, with what one execution is.
pub(super) fn play_by(scenario: &Scenario, perform: fn(&Scenario) -> (Observation, Vec<String>)) -> Observed {
    // What another exploration left on this thread is none of this one's.
    recorder::replayed();
    let observed = Arc::new(Mutex::new(Observed::default()));
    let (written, scenario) = (observed.clone(), scenario.clone());
    let explored = explore(move || {
        recorder::record(|| Act::Has(scenario.threads.len()));
        explore_handles(scenario.drops_handles());
        let (observation, mut broken) = perform(&scenario);
        let replayed = recorder::replayed();
        let is_replayed = replayed == Some(Ok(()));
        broken.extend(replayed.and_then(Result::err));
        recorder::end(Some(&observation), &broken);
        let mut observed = written.lock().unwrap_or_else(PoisonError::into_inner);
        observed.executions += 1;
        observed.replayed += u64::from(is_replayed);
        broken.into_iter().for_each(|rule| *observed.broken.entry(rule).or_default() += 1);
        let is_enough = is_enough(observed.executions, &observation);
        *observed.observations.entry(observation).or_default() += 1;
        drop(observed);
        if is_enough {
            resume_unwind(Box::new(SEEN_ENOUGH));
        }
    });
    let mut observed = observed.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match explored {
        Ok(extent) => observed.extent = extent,
        Err(failure) if failure.ends_with(SEEN_ENOUGH) => {}
        Err(failure) => {
            recorder::replayed();
            recorder::end(None, std::slice::from_ref(&failure));
            observed.broken.insert(failure, 1);
        }
    }
    observed
}

/// One execution.
pub fn perform(scenario: &Scenario) -> (Observation, Vec<String>) {
    let bench = Arc::new(Bench::new(scenario));
    match scenario.scheduler {
        None => perform_on(OnKernel::new(&bench), &bench),
        Some(Scheduler::Loop(_)) => {
            (Observation::default(), vec!["harness: this engine has no event loop; take another".to_owned()])
        }
        Some(scheduler) => perform_on(OnTask::new(&bench, scheduler), &bench),
    }
}

pub(super) fn perform_on<S: Subject>(mut subject: S, bench: &Arc<Bench>) -> (Observation, Vec<String>) {
    if let Some(carrier) = subject.carrier() {
        assert!(bench.carrier.set(carrier).is_ok(), "set once");
    }
    let (setup, threads) = (bench.plan.setup.clone(), bench.plan.threads.clone());
    for step in setup {
        traced(step, |step| subject.carry_out(step));
    }
    recorder::record(|| Act::AllBegin);
    // All share the flags, made here so that each execution has its own.
    let flags: Arc<Vec<Flag>> = Arc::new((0..=9).map(|_| Flag::new()).take(flag_count(&threads)).collect());
    let last = threads.len().saturating_sub(1);
    let bodies = threads.into_iter().enumerate().map(|(thread, steps)| {
        let (mut actor, flags) = (subject.fork(), flags.clone());
        Box::new(move || {
            let mut carry_out = |(task, step)| match step {
                Step::Signal(flag) => {
                    flags[usize::from(flag)].raise();
                    None
                }
                Step::Wait(flag) => {
                    flags[usize::from(flag)].wait();
                    None
                }
                step => actor.carry_out((task, step)),
            };
            let answers: Vec<Answer> = steps.into_iter().filter_map(|step| traced(step, &mut carry_out)).collect();
            actor.through(thread == last);
            (answers, actor)
        }) as Box<dyn FnOnce() -> (Vec<Answer>, S) + Send>
    });
    let bodies = bodies.collect();
    if bench.drops_handles {
        subject.let_go();
    }
    // What a thread still holds at its end, an await for example, it keeps until all is told.
    let (answers, actors): (Vec<_>, Vec<_>) = at_once(bodies).into_iter().unzip();
    recorder::record(|| Act::AllEnded);
    subject.settle();
    recorder::record(|| Act::AllTold);
    let (handed, told) = bench.ledger.observed();
    // Where handles are dropped, a thread may have the only ones.
    let holders = if bench.drops_handles { &actors[..] } else { slice::from_ref(&subject) };
    if let Some(rule) = holders.iter().find_map(S::broken_at_rest) {
        bench.ledger.broken(rule);
    }
    drop(actors);
    subject.finish();
    drop(subject);
    (Observation { answers, handed, told }, bench.ledger.close(bench.probe.touches()))
}

fn traced(step: Move, carry_out: impl FnOnce(Move) -> Option<Answer>) -> Option<Answer> {
    recorder::record(|| Act::Begins(step));
    let answer = carry_out(step);
    recorder::record(|| Act::Ends(step, answer));
    answer
}

fn flag_count(steps: &[Vec<Move>]) -> usize {
    let flags = steps.iter().flatten().filter_map(|(_, step)| match step {
        Step::Signal(flag) | Step::Wait(flag) => Some(usize::from(*flag) + 1),
        _ => None,
    });
    flags.max().unwrap_or(0)
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What all threads of an execution share besides the core.
pub(super) struct Bench {
    plan: Plan,
    /// What is read stands beside the order in which things run: where programs read, and where two tasks are handed over.
    is_in_order: bool,
    /// Then nobody else keeps any.
    drops_handles: bool,
    pub(super) ledger: Ledger,
    pub(super) probe: Probe,
    /// Who carries out what callbacks do. They must not keep it alive, nor their tasks with it.
    carrier: OnceLock<Weak<dyn Carrier>>,
}

/// Carries out the steps of programs, on whatever thread.
pub(super) trait Carrier: Send + Sync {
    fn carry_out(&self, step: Move) -> Option<Answer>;
}

impl Bench {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let plan = scenario.plan();
        Bench {
            is_in_order: scenario.has_programs() || plan.tasks > 1,
            plan,
            drops_handles: scenario.drops_handles(),
            ledger: Ledger::default(),
            probe: Probe::new(),
            carrier: OnceLock::new(),
        }
    }

    pub(super) fn touch(&self) {
        if self.is_in_order { self.probe.touch_in_order() } else { self.probe.touch() }
    }

    fn program(&self, nonce: Nonce, part: Part) -> &[Move] {
        self.plan.program(nonce, part)
    }

    /// What a caller's code does when its turn comes: a dependent operation first and last. `serial`: it is itself
    /// the hand-over of this task.
    pub(super) fn run(
        &self,
        nonce: Nonce,
        part: Part,
        serial: Option<scenario::Task>,
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
            recorder::record(|| Act::Panics);
            resume_unwind(Box::new(nonce.to_string()));
        }
    }

    /// What is dropped or cloned does something only if it has a program.
    fn run_if_any(&self, nonce: Nonce, part: Part) {
        if !self.program(nonce, part).is_empty() && !self.ledger.is_over() {
            self.run(nonce, part, None, || None);
        }
    }

    pub(super) fn make(self: &Arc<Self>, thing: Thing) -> Token {
        self.ledger.made(thing);
        Token { thing, bench: self.clone(), is_original: false }
    }
}

/// A value or a callback's capture, which reports its drop.
pub(super) struct Token {
    thing: Thing,
    pub(super) bench: Arc<Bench>,
    /// A waker that is only there to be cloned.
    is_original: bool,
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
        if let (Thing::Callback(nonce), false) = (self.thing, self.is_original) {
            self.bench.run_if_any(nonce, Part::Drop);
        }
    }
}

/// What a thread carries its steps out with.
pub(super) trait Subject: Send + 'static {
    /// The same, for another thread.
    fn fork(&mut self) -> Self;
    fn carry_out(&mut self, step: Move) -> Option<Answer>;
    /// Who carries out what callbacks do, if they can do something.
    fn carrier(&self) -> Option<Weak<dyn Carrier>> {
        None
    }
    /// Its handles go: all threads have theirs, or one is through with its own.
    fn let_go(&mut self) {}
    /// A thread has carried out its steps, or the last one of all has.
    fn through(&mut self, _is_last: bool) {}
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

/// The id of a callback that waits in another cell.
fn foreign<C>(other: &Arc<Cell<Token, C>>, callback: C) -> CallbackId {
    match Cell::add(other, 0, callback) {
        Added::Waits(id) | Added::YouDrain(id, _) => id,
    }
}

/// The kernel alone: the stored callback is a plain value.
struct OnKernel(Arc<Kernel>);

struct Kernel {
    cell: Arc<Cell<Token, Token>>,
    other: Arc<Cell<Token, Token>>,
    foreign: CallbackId,
    ids: Mutex<HashMap<Nonce, CallbackId>>,
    bench: Arc<Bench>,
}

impl OnKernel {
    fn new(bench: &Arc<Bench>) -> Self {
        let cell = Arc::new(Cell::new(fresh_serial()));
        let other = Arc::new(Cell::new(fresh_serial()));
        let foreign = foreign(&other, bench.make(Thing::Callback(Nonce::MAX)));
        OnKernel(Arc::new(Kernel { cell, other, foreign, ids: Mutex::default(), bench: bench.clone() }))
    }
}

impl Kernel {
    fn drain(&self, drain: Drain<Arc<Cell<Token, Token>>, Token>) {
        drain.drain(|cell, callback| {
            self.bench.run(callback.nonce(), Part::Call, Some(0), || cell.outcome().map(Token::value));
        });
    }
}

impl Carrier for Kernel {
    fn carry_out(&self, (_, step): Move) -> Option<Answer> {
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
            Step::Read => Some(Answer::Outcome(self.cell.outcome().map(Token::value))),
            _ => unreachable!("the scenario was checked: {step:?} needs the task layer"),
        }
    }
}

impl Subject for OnKernel {
    fn fork(&mut self) -> Self {
        OnKernel(self.0.clone())
    }

    fn carry_out(&mut self, step: Move) -> Option<Answer> {
        self.0.carry_out(step)
    }

    fn carrier(&self) -> Option<Weak<dyn Carrier>> {
        let kernel: Arc<dyn Carrier> = self.0.clone();
        Some(Arc::downgrade(&kernel))
    }

    fn broken_at_rest(&self) -> Option<String> {
        let robbed = self.0.other.snapshot().waiting.len() != 1;
        robbed.then(|| "P10: the other cell was touched".to_owned()).or_else(|| at_rest(&self.0.cell))
    }
}

/// What tasks complete with.
type Shared = Arc<Token>;

/// The task layer: boxed closures, a completer, awaits.
struct OnTask {
    layer: Arc<Layer>,
    /// This thread's handles.
    tasks: Vec<Task<Shared>>,
    place: Option<Wait<Shared, Task<Shared>>>,
}

struct Layer {
    /// For programs; none where the last handle goes.
    tasks: Vec<Task<Shared>>,
    completers: Mutex<Vec<Option<Completer<Shared>>>>,
    foreign: CallbackId,
    ids: Mutex<HashMap<Nonce, CallbackId>>,
    bed: Arc<Bed>,
}

/// The scheduler of the scenario, and where wakes go that must keep their place among callbacks.
struct Bed {
    scheduler: Scheduler,
    /// It was called.
    has_scheduled: AtomicBool,
    line: Line,
    bench: Arc<Bench>,
}

/// The scheduler as one task knows it.
struct Desk {
    task: scenario::Task,
    bed: Arc<Bed>,
}

/// The queue.
#[derive(Default)]
struct Line(stage::Mutex<VecDeque<Turn>>);

enum Turn {
    Run(Ready),
    Wake(Nonce),
}

impl Line {
    fn push(&self, turn: Turn) {
        self.0.lock().expect("poisons nothing").push_back(turn);
    }

    fn next(&self) -> Option<Turn> {
        self.0.lock().expect("poisons nothing").pop_front()
    }
}

impl Bed {
    fn is_queue(&self) -> bool {
        self.scheduler == Scheduler::Queue
    }

    /// Until nothing is there.
    fn serve(&self) {
        while let Some(turn) = self.line.next() {
            self.bench.ledger.serves(true);
            match turn {
                Turn::Run(ready) => ready.run(),
                Turn::Wake(nonce) => self.bench.run(nonce, Part::Call, None, || None),
            }
            self.bench.ledger.serves(false);
        }
    }
}

/// What the scheduler says when it panics. A callback says its nonce.
const PANIC_OF_SCHEDULER: &str = "scheduler";

impl Schedule for Desk {
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        let Bed { scheduler, has_scheduled, line, bench } = &*self.bed;
        // On a queue the push is the dependent operation, between the begin of the hand-over and its end. Before it, only
        // who is the first to call makes a difference.
        let does = !bench.program(SCHEDULER, Part::Call).is_empty();
        let touches_last = *scheduler != Scheduler::Queue;
        let touches_first = does || touches_last;
        bench.ledger.scheduled(self.task, locks_held(), usize::from(touches_first) + usize::from(touches_last));
        if touches_first {
            bench.touch();
        }
        bench.ledger.handing(self.task);
        if does && !has_scheduled.swap(true, Relaxed) {
            bench.run(SCHEDULER, Part::Call, None, || None);
        }
        let taken = match scheduler {
            Scheduler::Inline => {
                ready.run();
                Ok(())
            }
            Scheduler::Queue => {
                line.push(Turn::Run(ready));
                Ok(())
            }
            Scheduler::Refuse | Scheduler::Panic => Err(ready),
            Scheduler::Loop(_) => unreachable!("no event loop: the scenario was refused"),
        };
        if touches_last {
            bench.touch();
        }
        bench.ledger.handed_over(self.task);
        if *scheduler == Scheduler::Panic {
            recorder::record(|| Act::Panics);
            resume_unwind(Box::new(PANIC_OF_SCHEDULER));
        }
        taken
    }

    fn report(&self, report: &Report) {
        let Bench { plan, ledger, .. } = &*self.bed.bench;
        let said = report.panic.as_ref().map(|panic| panic.message());
        let of_ours = |nonce: &Nonce| plan.bodies.get(*nonce).is_some_and(|body| body.task == self.task);
        let nonce = said.and_then(|said| said.parse().ok()).filter(of_ours);
        let told = match (report.failure, nonce) {
            (Failure::CallbackLost, None) if said.is_none() => Some(Told::Lost(self.task)),
            (Failure::SchedulerPanicked, None) if said == Some(PANIC_OF_SCHEDULER) => Some(Told::SchedulerPanicked(self.task)),
            (Failure::CallbackPanicked, Some(nonce)) => Some(Told::CallbackPanicked(nonce)),
            (Failure::DropPanicked, Some(nonce)) => Some(Told::DropPanicked(nonce)),
            (Failure::WakerPanicked, Some(nonce)) => Some(Told::WakerPanicked(nonce)),
            _ => None,
        };
        let named = format!("name='{}'", TASKS[self.task]);
        match told.filter(|_| report.task.as_ref().is_some_and(|task| task.contains(&named))) {
            Some(told) => ledger.told(told, locks_held()),
            None => ledger.broken(format!("P14: {report}")),
        }
    }
}

struct Alarm {
    token: Token,
    bed: Arc<Bed>,
}

impl Clone for Alarm {
    fn clone(&self) -> Self {
        let (nonce, bench) = (self.token.nonce(), &self.bed.bench);
        bench.ledger.cloned(nonce, locks_held());
        bench.run_if_any(nonce, Part::Clone);
        Alarm { token: bench.make(self.token.thing), bed: self.bed.clone() }
    }
}

impl WakeRef for Alarm {
    fn wake_by_ref(&self) {
        self.clone().wake();
    }
}

impl Wake for Alarm {
    fn wake(self) {
        let (nonce, Bed { line, bench, .. }) = (self.token.nonce(), &*self.bed);
        let task = bench.plan.bodies[nonce].task;
        if bench.program(nonce, Part::Call).is_empty() && self.bed.is_queue() {
            bench.ledger.scheduled(task, locks_held(), 0);
            line.push(Turn::Wake(nonce));
        } else {
            bench.run(nonce, Part::Call, Some(task), || None);
        }
    }
}

fn value_of(outcome: &Outcome<Shared>) -> Value {
    match outcome {
        Outcome::Finished(token) => token.value(),
        Outcome::Cancelled => Value::Cancelled,
        Outcome::Abandoned => Value::Abandoned,
        Outcome::Panicked(panic) => unreachable!("no task without a loop panics: {panic}"),
    }
}

impl OnTask {
    fn new(bench: &Arc<Bench>, scheduler: Scheduler) -> Self {
        let has_scheduled = AtomicBool::new(false);
        let bed = Arc::new(Bed { scheduler, has_scheduled, line: Line::default(), bench: bench.clone() });
        let pairs = (0..bench.plan.tasks).map(|task| task_named(TASKS[task], Desk { task, bed: bed.clone() }));
        let (completers, tasks): (Vec<_>, Vec<_>) = pairs.unzip();
        let completers = Mutex::new(completers.into_iter().map(Some).collect());
        let foreign = foreign(&Arc::new(Cell::new(fresh_serial())), ());
        let for_programs = if bench.drops_handles { Vec::new() } else { tasks.clone() };
        let layer = Layer { tasks: for_programs, completers, foreign, ids: Mutex::default(), bed };
        OnTask { layer: Arc::new(layer), tasks, place: None }
    }
}

impl Layer {
    /// On this thread's handles, or on its own.
    fn carry_out_on(&self, tasks: &[Task<Shared>], (at, step): Move) -> Option<Answer> {
        let bench = &self.bed.bench;
        match step {
            Step::Add { nonce, .. } => {
                let (capture, is_queue) = (bench.make(Thing::Callback(nonce)), self.bed.is_queue());
                let callback = move |task: &Task<Shared>| {
                    let Bench { ledger, .. } = &*capture.bench;
                    if is_queue {
                        ledger.called_by_its_scheduler(nonce);
                    }
                    capture.bench.run(nonce, Part::Call, None, || task.outcome().map(value_of));
                };
                let id = tasks[at].add_done_callback(callback);
                locked(&self.ids).insert(nonce, id);
                None
            }
            Step::Remove(Some(nonce)) => {
                let id = locked(&self.ids)[&nonce];
                Some(Answer::Did(tasks[bench.plan.bodies[nonce].task].remove_done_callback(id)))
            }
            Step::Remove(None) => Some(Answer::Did(tasks[at].remove_done_callback(self.foreign))),
            Step::Complete(value @ Value::Finished(_)) => {
                let value = Arc::new(bench.make(Thing::Value(value)));
                Some(Answer::Did(self.completer(at)?.complete(value).is_ok()))
            }
            Step::Complete(_) => Some(Answer::Did(tasks[at].cancel())),
            Step::Read => Some(Answer::Outcome(tasks[at].outcome().map(value_of))),
            Step::DropCompleter => {
                drop(self.completer(at));
                None
            }
            _ => unreachable!("the scenario was checked: {step:?} is not for the task layer, or not for programs"),
        }
    }

    /// The one completer of this task, which was not used before, or the scenario would have been refused.
    fn completer(&self, task: scenario::Task) -> Option<Completer<Shared>> {
        let mut completers = locked(&self.completers);
        completers[task].take()
    }
}

impl Carrier for Layer {
    fn carry_out(&self, step: Move) -> Option<Answer> {
        self.carry_out_on(&self.tasks, step)
    }
}

impl Subject for OnTask {
    fn fork(&mut self) -> Self {
        OnTask { layer: self.layer.clone(), tasks: self.tasks.clone(), place: None }
    }

    fn carrier(&self) -> Option<Weak<dyn Carrier>> {
        let layer: Arc<dyn Carrier> = self.layer.clone();
        Some(Arc::downgrade(&layer))
    }

    fn carry_out(&mut self, (at, step): Move) -> Option<Answer> {
        match step {
            Step::Poll(nonce) => {
                let bed = self.layer.bed.clone();
                let mut token = bed.bench.make(Thing::Callback(nonce));
                token.is_original = true;
                let waker = Box::new(Alarm { token, bed }).into_waker();
                let task = self.tasks[at].clone();
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
            Step::DropHandle => {
                self.let_go();
                None
            }
            step => self.layer.carry_out_on(&self.tasks, (at, step)),
        }
    }

    fn let_go(&mut self) {
        self.tasks.clear();
    }

    fn through(&mut self, is_last: bool) {
        if is_last {
            self.settle();
        }
    }

    /// Runs what is in the queue.
    fn settle(&mut self) {
        if self.layer.bed.is_queue() {
            self.layer.bed.serve();
        }
    }

    fn finish(&mut self) {
        let completers = std::mem::take(&mut *locked(&self.layer.completers));
        drop(completers);
        self.settle();
    }

    fn broken_at_rest(&self) -> Option<String> {
        self.tasks.iter().find_map(|task| at_rest(task.cell()))
    }
}
