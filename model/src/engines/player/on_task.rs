//! The task layer as the subject, on a scheduler of the scenario.

use std::sync::atomic::Ordering::Relaxed;
use super::bench::{Bench, Carrier, Tracked, locked};
use super::{Subject, at_rest, foreign};
use super::super::completer::{Completer, task_named};
use super::super::kernel::{CallbackId, Cell};
use super::super::outcome::Outcome;
use super::super::report::{Failure, Report};
use super::super::schedule::{Ready, Schedule};
use super::super::stage;
use super::super::sync::{fresh_serial, locks_held};
use super::super::task::Task;
use super::super::wait::Wait;
use cooked_waker::{IntoWaker, Wake, WakeRef};
use std::collections::{HashMap, VecDeque};
use std::future::{Future, IntoFuture};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll};
use whendone_model::observation::event::{Event, Thing};
use whendone_model::observation::{Answer, Told};
use whendone_model::scenario::names::{self, Nonce, Part, SCHEDULER, TASKS, Value};
use whendone_model::scenario::Scheduler;
use whendone_model::scenario::resolve::{TaskStep, Step};
use whendone_model::engines::record::recorder;

/// What tasks complete with.
type Shared = Arc<Tracked>;

/// The task layer: boxed closures, a completer, awaits.
pub(super) struct OnTask {
    layer: Arc<Layer>,
    /// This thread's handles.
    tasks: Vec<Task<Shared>>,
    place: Option<Wait<Shared, Task<Shared>>>,
}

pub(super) struct Layer {
    /// For programs; none where the last handle goes.
    tasks: Vec<Task<Shared>>,
    completers: Mutex<Vec<Option<Completer<Shared>>>>,
    foreign: CallbackId,
    ids: Mutex<HashMap<Nonce, CallbackId>>,
    bed: Arc<SchedulerState>,
}

/// The scheduler of the scenario, and where wakes go that must keep their place among callbacks.
pub(super) struct SchedulerState {
    scheduler: Scheduler,
    /// It was called.
    has_scheduled: AtomicBool,
    line: Queue,
    bench: Arc<Bench>,
}

/// The scheduler as one task knows it.
pub(super) struct TaskScheduler {
    task: names::Task,
    bed: Arc<SchedulerState>,
}

/// The queue.
#[derive(Default)]
pub(super) struct Queue(stage::Mutex<VecDeque<Entry>>);

enum Entry {
    Run(Ready),
    Wake(Nonce),
}

impl Queue {
    fn push(&self, turn: Entry) {
        self.0.lock().expect("poisons nothing").push_back(turn);
    }

    fn next(&self) -> Option<Entry> {
        self.0.lock().expect("poisons nothing").pop_front()
    }
}

impl SchedulerState {
    fn is_queue(&self) -> bool {
        self.scheduler == Scheduler::Queue
    }

    /// Until nothing is there.
    fn serve(&self) {
        while let Some(turn) = self.line.next() {
            self.bench.ledger.serves(true);
            match turn {
                Entry::Run(ready) => ready.run(),
                Entry::Wake(nonce) => self.bench.run(nonce, Part::Call, None, || None),
            }
            self.bench.ledger.serves(false);
        }
    }
}

/// What the scheduler says when it panics. A callback says its nonce.
const PANIC_OF_SCHEDULER: &str = "scheduler";

impl Schedule for TaskScheduler {
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        let SchedulerState { scheduler, has_scheduled, line, bench } = &*self.bed;
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
                line.push(Entry::Run(ready));
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
            recorder::record(|| Event::Panics);
            resume_unwind(Box::new(PANIC_OF_SCHEDULER));
        }
        taken
    }

    /// Of several drains of a queue each is put off as on any other scheduler: all tasks have the same one.
    fn only_queues(&self) -> bool {
        self.bed.is_queue()
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

pub(super) struct TracedWaker {
    token: Tracked,
    bed: Arc<SchedulerState>,
}

impl Clone for TracedWaker {
    fn clone(&self) -> Self {
        let (nonce, bench) = (self.token.nonce(), &self.bed.bench);
        bench.ledger.cloned(nonce, locks_held());
        bench.run_if_any(nonce, Part::Clone);
        TracedWaker { token: bench.make(self.token.thing), bed: self.bed.clone() }
    }
}

impl WakeRef for TracedWaker {
    fn wake_by_ref(&self) {
        self.clone().wake();
    }
}

impl Wake for TracedWaker {
    fn wake(self) {
        let (nonce, SchedulerState { line, bench, .. }) = (self.token.nonce(), &*self.bed);
        let task = bench.plan.bodies[nonce].task;
        if bench.program(nonce, Part::Call).is_empty() && self.bed.is_queue() {
            bench.ledger.scheduled(task, locks_held(), 0);
            line.push(Entry::Wake(nonce));
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
    pub(super) fn new(bench: &Arc<Bench>, scheduler: Scheduler) -> Self {
        let has_scheduled = AtomicBool::new(false);
        let bed = Arc::new(SchedulerState { scheduler, has_scheduled, line: Queue::default(), bench: bench.clone() });
        let pairs = (0..bench.plan.tasks).map(|task| task_named(TASKS[task], TaskScheduler { task, bed: bed.clone() }));
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
    fn carry_out_on(&self, tasks: &[Task<Shared>], (at, step): TaskStep) -> Option<Answer> {
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
    fn completer(&self, task: names::Task) -> Option<Completer<Shared>> {
        let mut completers = locked(&self.completers);
        completers[task].take()
    }
}

impl Carrier for Layer {
    fn carry_out(&self, step: TaskStep) -> Option<Answer> {
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

    fn carry_out(&mut self, (at, step): TaskStep) -> Option<Answer> {
        match step {
            Step::Poll(nonce) => {
                let bed = self.layer.bed.clone();
                let mut token = bed.bench.make(Thing::Callback(nonce));
                token.is_original = true;
                let waker = Box::new(TracedWaker { token, bed }).into_waker();
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
