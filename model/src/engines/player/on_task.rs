//! The task layer as the subject, on the scheduler that the scenario names.

use super::super::completer::{Completer, pair, task_named};
use super::super::kernel::{CallbackId, Cell};
use super::super::report::Report;
use super::super::schedule::{Owner, Ready, Schedule};
use super::super::stage;
use super::super::sync::{fresh_serial, locks_held};
use super::super::task::Task;
use super::super::wait::Wait;
use super::bench::{Bench, Interpreter, PANIC_OF_SCHEDULER, Tracked, locked, printed, value_of};
use super::{Subject, at_rest, foreign};
use cooked_waker::{IntoWaker, Wake, WakeRef};
use std::collections::{HashMap, VecDeque};
use std::future::{Future, IntoFuture};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker};
use whendone_model::engines::record::recorder;
use whendone_model::observation::Answer;
use whendone_model::observation::event::{Event, Thing};
use whendone_model::scenario::Scheduler;
use whendone_model::scenario::names::{self, Nonce, Part, SCHEDULER, TASKS, Value};
use whendone_model::scenario::resolve::{Step, TaskStep};

/// The values of tasks.
type Shared = Arc<Tracked>;

/// The task layer: boxed closures, a completer, awaits.
pub(super) struct OnTask {
    layer: Arc<Layer>,
    /// This thread's handles.
    tasks: Vec<Task<Shared>>,
    /// This thread's await.
    wait: Option<Wait<Shared, Task<Shared>>>,
    /// The wakers of this thread that a later poll has again.
    wakers: HashMap<Nonce, Waker>,
}

/// The part that threads and callbacks' programs share.
pub(super) struct Layer {
    /// The handles for programs; none where threads drop theirs.
    tasks: Vec<Task<Shared>>,
    completers: Mutex<Vec<Option<Completer<Shared>>>>,
    foreign: CallbackId,
    ids: Mutex<HashMap<Nonce, CallbackId>>,
    scheduler: Arc<SchedulerState>,
}

/// The state of the scenario's scheduler, which all its tasks share.
pub(super) struct SchedulerState {
    kind: Scheduler,
    /// True once the scheduler has been called.
    has_scheduled: AtomicBool,
    queue: Queue,
    bench: Arc<Bench>,
}

/// One task's scheduler.
pub(super) struct TaskScheduler {
    task: names::Task,
    state: Arc<SchedulerState>,
}

/// The owner of a task of `@inline`: the draining thread runs the callbacks, as for `Inline`, and reports to a hook.
struct DrainingThread(TaskScheduler);

/// The queue of a queue scheduler. Wakes are entries too, so that they keep their place among callbacks.
#[derive(Default)]
pub(super) struct Queue(stage::Mutex<VecDeque<Entry>>);

enum Entry {
    Run(Ready),
    Wake(Nonce),
}

impl Queue {
    fn push(&self, entry: Entry) {
        self.0.lock().expect("poisons nothing").push_back(entry);
    }

    fn next(&self) -> Option<Entry> {
        self.0.lock().expect("poisons nothing").pop_front()
    }
}

impl SchedulerState {
    fn is_queue(&self) -> bool {
        self.kind == Scheduler::Queue
    }

    /// True if the draining thread runs callbacks: no scheduler is called.
    fn is_inline(&self) -> bool {
        self.kind == Scheduler::Inline && self.bench.program(SCHEDULER, Part::Call).is_empty()
    }

    /// A waker that was woken: runs its program, or takes a place in the queue.
    fn wake(&self, nonce: Nonce) {
        let SchedulerState { queue, bench, .. } = self;
        let task = bench.plan.registrations[nonce].task;
        if bench.program(nonce, Part::Call).is_empty() && self.is_queue() {
            bench.monitor.scheduled(task, locks_held(), 0);
            queue.push(Entry::Wake(nonce));
        } else {
            bench.run(nonce, Part::Call, Some(task), || None);
        }
    }

    /// Runs entries until the queue is empty.
    fn serve(&self) {
        while let Some(entry) = self.queue.next() {
            self.bench.monitor.serves(true);
            match entry {
                Entry::Run(ready) => ready.run(),
                Entry::Wake(nonce) => self.bench.run(nonce, Part::Call, None, || None),
            }
            self.bench.monitor.serves(false);
        }
    }
}

impl Schedule for TaskScheduler {
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        let SchedulerState { kind, has_scheduled, queue, bench } = &*self.state;
        // On a queue the push is the dependent operation between the begin of the hand-over and its end. Before the push
        // only the identity of the first caller makes a difference.
        let has_program = !bench.program(SCHEDULER, Part::Call).is_empty();
        let touches_last = *kind != Scheduler::Queue;
        let touches_first = has_program || touches_last;
        bench.monitor.scheduled(self.task, locks_held(), usize::from(touches_first) + usize::from(touches_last));
        if touches_first {
            bench.touch();
        }
        bench.monitor.handing(self.task);
        if has_program && !has_scheduled.swap(true, Relaxed) {
            bench.run(SCHEDULER, Part::Call, None, || None);
        }
        let taken = match kind {
            Scheduler::Inline => {
                ready.run();
                Ok(())
            }
            Scheduler::Queue => {
                queue.push(Entry::Run(ready));
                Ok(())
            }
            Scheduler::Refuse | Scheduler::Panic => Err(ready),
            Scheduler::Loop(_) => unreachable!("the engine refused the scenario: it has no event loop"),
        };
        if touches_last {
            bench.touch();
        }
        bench.monitor.handed_over(self.task);
        if *kind == Scheduler::Panic {
            recorder::record(|| Event::Panics);
            resume_unwind(Box::new(PANIC_OF_SCHEDULER));
        }
        taken
    }

    /// Of several drains of a queue each is put off as on any other scheduler: all tasks have the same one.
    fn only_queues(&self) -> bool {
        self.state.is_queue()
    }

    fn report(&self, report: &Report) {
        let named = format!("name='{}'", TASKS[self.task]);
        match report.task.as_ref().is_some_and(|task| task.contains(&named)) {
            true => self.state.bench.report(self.task, report),
            false => self.state.bench.misreported(report),
        }
    }
}

impl Owner for DrainingThread {
    fn schedule(&self, _: Ready) -> Result<(), Ready> {
        unreachable!("the draining thread runs the callbacks")
    }

    fn is_inline(&self) -> bool {
        true
    }

    fn only_queues(&self) -> bool {
        false
    }

    fn takes_batches(&self) -> bool {
        false
    }

    fn report(&self, report: &Report) {
        Schedule::report(&self.0, report);
    }

    fn name(&self) -> Option<&str> {
        Some(TASKS[self.0.task])
    }
}

/// A waker whose clones, wakes and drops are recorded.
pub(super) struct TracedWaker {
    capture: Tracked,
    scheduler: Arc<SchedulerState>,
}

impl Clone for TracedWaker {
    fn clone(&self) -> Self {
        let (nonce, bench) = (self.capture.nonce(), &self.scheduler.bench);
        bench.monitor.cloned(nonce, locks_held());
        bench.run_if_any(nonce, Part::Clone);
        TracedWaker { capture: bench.make(self.capture.thing), scheduler: self.scheduler.clone() }
    }
}

impl WakeRef for TracedWaker {
    fn wake_by_ref(&self) {
        self.clone().wake();
    }
}

impl Wake for TracedWaker {
    fn wake(self) {
        self.scheduler.wake(self.capture.nonce());
    }
}

/// A waker that is polled with again: all its clones are the same waker, so only its wakes and its last drop are recorded.
pub(super) struct SameWaker {
    capture: Tracked,
    scheduler: Arc<SchedulerState>,
}

impl WakeRef for SameWaker {
    fn wake_by_ref(&self) {
        self.scheduler.wake(self.capture.nonce());
    }
}

impl OnTask {
    pub(super) fn new(bench: &Arc<Bench>, kind: Scheduler) -> Self {
        let (has_scheduled, queue) = (AtomicBool::new(false), Queue::default());
        let scheduler = Arc::new(SchedulerState { kind, has_scheduled, queue, bench: bench.clone() });
        let made = |task| {
            let owner = TaskScheduler { task, state: scheduler.clone() };
            match scheduler.is_inline() {
                true => pair(Task::new(DrainingThread(owner))),
                false => task_named(TASKS[task], owner),
            }
        };
        let pairs = (0..bench.plan.tasks).map(made);
        let (completers, tasks): (Vec<_>, Vec<_>) = pairs.unzip();
        let completers = Mutex::new(completers.into_iter().map(Some).collect());
        let foreign = foreign(&Arc::new(Cell::new(fresh_serial())), ());
        let for_programs = if bench.drops_handles { Vec::new() } else { tasks.clone() };
        let layer = Layer { tasks: for_programs, completers, foreign, ids: Mutex::default(), scheduler };
        OnTask { layer: Arc::new(layer), tasks, wait: None, wakers: HashMap::new() }
    }
}

impl Layer {
    /// Carries the step out on these handles: a thread's, or the layer's own.
    fn carry_out_on(&self, tasks: &[Task<Shared>], (at, step): TaskStep) -> Option<Answer> {
        let bench = &self.scheduler.bench;
        match step {
            Step::Add { nonce, .. } => {
                let (capture, is_queue) = (bench.make(Thing::Callback(nonce)), self.scheduler.is_queue());
                let hand_over = self.scheduler.is_inline().then_some(at);
                let callback = move |task: &Task<Shared>| {
                    let Bench { monitor, .. } = &*capture.bench;
                    if is_queue {
                        monitor.called_by_its_scheduler(nonce);
                    }
                    capture.bench.run(nonce, Part::Call, hand_over, || task.outcome().map(value_of));
                };
                let id = tasks[at].add_done_callback(callback);
                locked(&self.ids).insert(nonce, id);
                None
            }
            Step::Remove(Some(nonce)) => {
                let id = locked(&self.ids)[&nonce];
                Some(Answer::Did(tasks[bench.plan.registrations[nonce].task].remove_done_callback(id)))
            }
            Step::Remove(None) => Some(Answer::Did(tasks[at].remove_done_callback(self.foreign))),
            Step::Complete(value @ Value::Finished(_)) => {
                let value = Arc::new(bench.make(Thing::Value(value)));
                Some(Answer::Did(self.completer(at)?.complete(value).is_ok()))
            }
            Step::Complete(_) => Some(Answer::Did(tasks[at].cancel())),
            Step::Read => Some(Answer::Outcome(tasks[at].outcome().map(value_of))),
            Step::Print => Some(Answer::Outcome(printed(&format!("{:?}", tasks[at]), bench.plan.values))),
            Step::DropCompleter => {
                drop(self.completer(at));
                None
            }
            _ => unreachable!("the scenario was validated: {step:?} is not for the task layer, or not for programs"),
        }
    }

    /// Takes the completer of this task, which is still there: a scenario that uses it twice is refused.
    fn completer(&self, task: names::Task) -> Option<Completer<Shared>> {
        let mut completers = locked(&self.completers);
        completers[task].take()
    }
}

impl Interpreter for Layer {
    fn carry_out(&self, step: TaskStep) -> Option<Answer> {
        self.carry_out_on(&self.tasks, step)
    }

    fn look(&self) {
        let _ = self.tasks.first().map(|task| task.cell().phase());
    }
}

impl OnTask {
    fn waker(&self, nonce: Nonce) -> Waker {
        let scheduler = self.layer.scheduler.clone();
        let mut capture = scheduler.bench.make(Thing::Callback(nonce));
        capture.is_original = true;
        match scheduler.bench.plan.registrations[nonce].is_polled_again {
            true => {
                let bench = scheduler.bench.clone();
                // A waker and its clone may have equal tables at two addresses. Clones of a clone have one table.
                let waker = Arc::new(SameWaker { capture, scheduler }).into_waker().clone();
                if !waker.will_wake(&waker.clone()) {
                    bench.monitor.broken("harness: a waker is another than its clone".to_owned());
                }
                waker
            }
            false => Box::new(TracedWaker { capture, scheduler }).into_waker(),
        }
    }

    /// Polls this thread's await of this task. A panic in the clone of the waker comes out of the poll.
    fn poll(&mut self, at: names::Task, nonce: Nonce, waker: &Waker) -> Answer {
        let task = self.tasks[at].clone();
        let wait = Pin::new(self.wait.get_or_insert_with(|| task.into_future()));
        match catch_unwind(AssertUnwindSafe(|| wait.poll(&mut Context::from_waker(waker)))) {
            Ok(Poll::Ready(outcome)) => Answer::Outcome(Some(value_of(&outcome))),
            Ok(Poll::Pending) => Answer::Outcome(None),
            Err(payload) if self.layer.scheduler.bench.is_panic_of(nonce, Part::Clone, &*payload) => {
                recorder::record(|| Event::Caught);
                Answer::Panicked
            }
            Err(other) => resume_unwind(other),
        }
    }
}

impl Subject for OnTask {
    fn fork(&mut self) -> Self {
        OnTask { layer: self.layer.clone(), tasks: self.tasks.clone(), wait: None, wakers: HashMap::new() }
    }

    fn interpreter(&self) -> Option<Weak<dyn Interpreter>> {
        let layer: Arc<dyn Interpreter> = self.layer.clone();
        Some(Arc::downgrade(&layer))
    }

    fn carry_out(&mut self, (at, step): TaskStep) -> Option<Answer> {
        match step {
            Step::Poll(nonce) => {
                let waker = self.waker(nonce);
                let answer = self.poll(at, nonce, &waker);
                if self.layer.scheduler.bench.plan.registrations[nonce].is_polled_again {
                    self.wakers.insert(nonce, waker);
                }
                Some(answer)
            }
            Step::PollAgain(nonce) => {
                let waker = self.wakers.remove(&nonce).expect("the scenario was validated");
                let answer = self.poll(at, nonce, &waker);
                self.wakers.insert(nonce, waker);
                Some(answer)
            }
            Step::DropAwait => {
                self.wait = None;
                None
            }
            Step::DropHandle => {
                self.drop_handles();
                None
            }
            step => self.layer.carry_out_on(&self.tasks, (at, step)),
        }
    }

    fn drop_handles(&mut self) {
        self.tasks.clear();
    }

    fn end(&mut self, is_last: bool) {
        if is_last {
            self.serve_rest();
        }
    }

    fn serve_rest(&mut self) {
        if self.layer.scheduler.is_queue() {
            self.layer.scheduler.serve();
        }
    }

    fn finish(&mut self) {
        let completers = std::mem::take(&mut *locked(&self.layer.completers));
        drop(completers);
        self.serve_rest();
    }

    fn broken_at_rest(&self) -> Option<String> {
        self.tasks.iter().find_map(|task| at_rest(task.cell()))
    }
}
