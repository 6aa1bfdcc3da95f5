//! The page for the event loop: what its one task, its queue, its runs and its end mean.
//!
//! Every `TaskStep` is one atomic step, of the loop's thread or of another; what it entails follows as
//! further moves of the same thread. What may be seen is what some order of moves shows, and with the mutex
//! stand-in all of it is seen. With the atomic one it need only be contained, as everywhere (`model/pinned.json`).
//!
//! * The queue is first in first out (R31). A run takes what it woke up for, and then as many entries as
//!   there are at that moment: its batch (R32). It ends after the batch in which its main's stop callback
//!   has run (D12).
//! * A wake puts a step of the task into the queue, unless one is there or the task is done. A step counts
//!   as taken out before the poll, so a wake during the poll leads to another one (P17). Time passes when
//!   there is nothing else to do: then the nap is over, which is such a wake, and counts into that turn (R32).
//! * A cancel request is granted until the task is done (D10). The next step finds it and polls no more;
//!   one that comes later still beats a value, but not a panic (R55). One that is refused is a look (R75).
//! * What a callback or function does when its turn comes, its program, are steps of the loop's thread. What its drop
//!   does are steps of whoever drops it: the loop behind the call, whoever removes it or is refused, or the close.
//! * Completion hands over to the queue one callback after another; what is added meanwhile follows (D16).
//! * Close abandons the task that is not done (P16), counts what stands in the queue, and refuses what
//!   comes later, also from the drops of what it counted. Whatever never runs is told of once (D4). So is a panic that
//!   nobody looked at (D8).

use crate::observation::{Answer, HandOver, Observation, Told};
use crate::scenario::Scenario;
use crate::scenario::names::{Nonce, POLL, Part, Value};
use crate::scenario::poll_script::{Polled, Script};
use crate::scenario::resolve::{Body, Step};
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::mem;
use std::rc::Rc;

/// What stands in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Entry {
    /// A callback whose turn has come, or a function to be called soon.
    Call(Nonce),
    /// A poll of the task.
    Step,
    /// A poll of another task, which ends it.
    Other(Nonce),
    /// A poll of what the loop runs for: until the others are through, or ready at once.
    Main { brief: bool },
    /// Main's callback, which ends the run.
    Stop,
}

/// One atomic step of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum TaskStep {
    Do(Step),
    /// The same, of what was handed over as so many others had been.
    Within(usize, Step),
    Wake,
    Push(Entry),
    /// The drainer's look.
    Look,
    /// A thread other than the loop's is through.
    Through,
    /// The loop waits until there is an entry.
    Sleep,
    /// It woke up for this one, or because a nap is over, and counts its batch.
    Count(Option<Entry>),
    /// So many entries of the batch are left.
    Batch(usize),
    Run(Entry),
    /// It is called, polled or dropped: it begins, and it ends.
    Enter(Nonce, Part),
    Leave(Nonce, Part),
    /// The step looks whether it is to cancel.
    Begin,
    Poll,
    Finish(Value),
    /// No task is taken any more; those that are not done are abandoned.
    Abandon,
    /// What stands in the queue will never run.
    Gather,
    /// The channel goes, with what was pushed since; then so does what was gathered.
    Disconnect,
}

/// The loop, its task, and where each thread stands.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Page {
    script: Script,
    /// By the callback's or function's name.
    bodies: Rc<[Body]>,
    queue: VecDeque<Entry>,
    stopped: bool,
    closed: bool,
    /// The threads other than the loop's that are not through.
    others: usize,
    /// Main has left its waker.
    main_waits: bool,

    outcome: Option<Value>,
    /// Until completion, or once the task is done until the drainer's next look.
    waiting: Vec<Nonce>,
    draining: bool,
    queued: bool,
    cancel_requested: bool,
    polls: usize,
    has_waker: bool,
    /// Until its nap is over.
    naps: bool,
    retrieved: bool,
    /// The other tasks that are not done; none any more when no task is taken.
    spawned: Option<Vec<Nonce>>,

    threads: Vec<Thread>,
    raised: Vec<u8>,
    /// What stood in the queue when the loop was closed, until it is dropped.
    gathered: Vec<Nonce>,
    /// What has begun and not ended.
    inside: Vec<(Nonce, Part)>,
    handed: Vec<HandOver>,
    told: BTreeMap<Told, usize>,
}

#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Thread {
    /// What it will do, the next one last.
    moves: Vec<TaskStep>,
    answers: Vec<Answer>,
}

/// The exact set of observations that the page allows.
pub fn allowed(scenario: &Scenario, script: Script) -> BTreeSet<Observation> {
    let mut observations = BTreeSet::new();
    let mut seen = HashSet::new();
    let mut open = vec![Page::new(scenario, script)];
    while let Some(page) = open.pop() {
        if page.threads.iter().all(|thread| thread.moves.is_empty()) {
            observations.insert(page.clone().observation(scenario));
        }
        let next = (0..page.threads.len()).filter_map(|thread| page.after(thread));
        open.extend(next.filter(|next| seen.insert(next.clone())));
    }
    observations
}

impl Page {
    /// The task is spawned, and the callbacks of the setup are added.
    fn new(scenario: &Scenario, script: Script) -> Self {
        let thread = |(number, steps): (usize, Vec<Step>)| {
            let last = (number > 0).then_some(TaskStep::Through);
            let moves = last.into_iter().chain(steps.into_iter().rev().map(TaskStep::Do)).collect();
            Thread { moves, answers: Vec::new() }
        };
        let plan = scenario.plan();
        let added = |step| if let Step::Add { nonce, .. } = step { Some(nonce) } else { None };
        let waiting = plan.setup.iter().filter_map(|(_, step)| added(*step)).collect();
        Page {
            script,
            bodies: plan.bodies.into(),
            queue: VecDeque::from([Entry::Step]),
            stopped: false,
            closed: false,
            others: scenario.threads.len() - 1,
            main_waits: false,
            outcome: None,
            waiting,
            draining: false,
            queued: true,
            cancel_requested: false,
            polls: 0,
            has_waker: false,
            naps: false,
            retrieved: false,
            spawned: Some(Vec::new()),
            threads: scenario.steps().into_iter().enumerate().map(thread).collect(),
            raised: Vec::new(),
            gathered: Vec::new(),
            inside: Vec::new(),
            handed: Vec::new(),
            told: BTreeMap::new(),
        }
    }

    /// The page after the next move of this thread; none if it has to wait, or is at its end.
    fn after(&self, thread: usize) -> Option<Page> {
        let next = *self.threads[thread].moves.last()?;
        let waits = match next {
            TaskStep::Do(Step::Wait(flag)) => !self.raised.contains(&flag),
            TaskStep::Sleep => self.queue.is_empty() && !self.naps,
            _ => false,
        };
        if waits {
            return None;
        }
        let mut page = self.clone();
        page.threads[thread].moves.pop();
        let (answer, entailed) = page.carry_out(next);
        let answers = match next {
            TaskStep::Within(at, _) => &mut page.handed[at].answers,
            _ => &mut page.threads[thread].answers,
        };
        answers.extend(answer);
        page.threads[thread].moves.extend(entailed.into_iter().rev());
        Some(page)
    }

    /// One move: its answer, and what the same thread does next.
    fn carry_out(&mut self, next: TaskStep) -> (Option<Answer>, Vec<TaskStep>) {
        let entailed = match next {
            TaskStep::Within(at, Step::Panic) => {
                self.panicked(self.handed[at].nonce);
                vec![]
            }
            TaskStep::Do(step) | TaskStep::Within(_, step) => return self.operate(step),
            TaskStep::Wake if self.outcome.is_some() || mem::replace(&mut self.queued, true) => vec![],
            TaskStep::Wake => vec![TaskStep::Push(Entry::Step)],
            TaskStep::Push(entry) => self.push(entry),
            TaskStep::Look if self.waiting.is_empty() => {
                self.draining = false;
                vec![]
            }
            TaskStep::Look => self.hand_over(),
            TaskStep::Through => {
                self.others -= 1;
                let wakes = self.others == 0 && mem::take(&mut self.main_waits);
                wakes.then_some(TaskStep::Push(Entry::Main { brief: false })).into_iter().collect()
            }
            TaskStep::Sleep => match self.queue.pop_front() {
                Some(woken) => vec![TaskStep::Count(Some(woken))],
                None => {
                    self.naps = false;
                    vec![TaskStep::Wake, TaskStep::Count(None)]
                }
            },
            TaskStep::Count(woken) => {
                woken.map(TaskStep::Run).into_iter().chain([TaskStep::Batch(self.queue.len())]).collect()
            }
            TaskStep::Batch(0) if mem::take(&mut self.stopped) => vec![],
            TaskStep::Batch(0) => vec![TaskStep::Sleep],
            TaskStep::Batch(left) => {
                let entry = self.queue.pop_front().expect("the loop alone takes out");
                vec![TaskStep::Run(entry), TaskStep::Batch(left - 1)]
            }
            TaskStep::Run(entry) => self.run(entry),
            TaskStep::Enter(nonce, part) => self.enter(nonce, part),
            TaskStep::Leave(nonce, part) => {
                self.inside.retain(|entered| *entered != (nonce, part));
                vec![]
            }
            TaskStep::Begin if self.cancel_requested => vec![TaskStep::Finish(Value::Cancelled)],
            TaskStep::Begin => vec![TaskStep::Enter(POLL, Part::Call)],
            TaskStep::Poll => self.poll(),
            TaskStep::Finish(value) => {
                let beaten = self.cancel_requested && value != Value::Panicked;
                let value = if beaten { Value::Cancelled } else { value };
                self.outcome = Some(value);
                self.naps = false;
                self.tell(Told::Abandoned, usize::from(value == Value::Abandoned));
                self.draining = true;
                self.hand_over()
            }
            TaskStep::Abandon => {
                let others = self.spawned.take().unwrap_or_default();
                self.tell(Told::Abandoned, others.len());
                let task = self.outcome.is_none().then_some(TaskStep::Finish(Value::Abandoned));
                task.into_iter().chain([TaskStep::Gather]).collect()
            }
            TaskStep::Gather => {
                self.gathered = self.take_calls();
                vec![TaskStep::Disconnect]
            }
            TaskStep::Disconnect => {
                self.closed = true;
                let (late, gathered) = (self.take_calls(), mem::take(&mut self.gathered));
                let unrun = gathered.len();
                self.tell(Told::Closed(unrun), usize::from(unrun > 0));
                let lost = late.into_iter().chain(gathered).filter_map(|nonce| self.lose(nonce)).collect();
                return (Some(Answer::Count(unrun)), lost);
            }
        };
        (None, entailed)
    }

    fn operate(&mut self, step: Step) -> (Option<Answer>, Vec<TaskStep>) {
        match step {
            Step::Add { nonce, .. } if self.outcome.is_some() && !self.draining => {
                self.draining = true;
                (None, vec![TaskStep::Push(Entry::Call(nonce)), TaskStep::Look])
            }
            Step::Add { nonce, .. } => {
                self.waiting.push(nonce);
                (None, vec![])
            }
            Step::Remove(nonce) => {
                let place = self.waiting.iter().position(|waiting| Some(*waiting) == nonce);
                let removed = place.filter(|_| self.outcome.is_none()).map(|place| self.waiting.remove(place));
                let dropped = removed.and_then(|nonce| self.dropped(nonce));
                (Some(Answer::Did(removed.is_some())), dropped.into_iter().collect())
            }
            Step::Complete(_) => {
                let requested = self.read().is_none();
                self.cancel_requested |= requested;
                (Some(Answer::Did(requested)), vec![TaskStep::Wake])
            }
            Step::Read => (Some(Answer::Outcome(self.read())), vec![]),
            Step::Wake => (None, self.has_waker.then_some(TaskStep::Wake).into_iter().collect()),
            Step::Soon(nonce) => (Some(Answer::Did(!self.closed)), self.push(Entry::Call(nonce))),
            Step::Run => (None, vec![TaskStep::Push(Entry::Main { brief: false }), TaskStep::Sleep]),
            Step::RunBriefly => (None, vec![TaskStep::Push(Entry::Main { brief: true }), TaskStep::Sleep]),
            Step::Spawn(nonce) => {
                match &mut self.spawned {
                    Some(spawned) => spawned.push(nonce),
                    None => self.tell(Told::Abandoned, 1),
                }
                (None, vec![TaskStep::Push(Entry::Other(nonce))])
            }
            Step::Close => (None, vec![TaskStep::Abandon]),
            Step::Signal(flag) => {
                self.raised.push(flag);
                (None, vec![])
            }
            Step::Wait(_) | Step::DropHandle => (None, vec![]),
            _ => unreachable!("the scenario was checked: {step:?} is not for a loop"),
        }
    }

    /// Once the loop is closed a callback is lost, and anything else goes in silence.
    fn push(&mut self, entry: Entry) -> Vec<TaskStep> {
        match (self.closed, entry) {
            (false, _) => self.queue.push_back(entry),
            (true, Entry::Call(nonce)) => return self.lose(nonce).into_iter().collect(),
            (true, _) => {}
        }
        vec![]
    }

    /// It will never run, and is dropped.
    fn lose(&mut self, nonce: Nonce) -> Option<TaskStep> {
        self.tell(Told::Lost(0), 1);
        self.dropped(nonce)
    }

    /// What drops it enters its drop, if that does something.
    fn dropped(&self, nonce: Nonce) -> Option<TaskStep> {
        let does = !self.bodies[nonce].program(Part::Drop).is_empty();
        does.then_some(TaskStep::Enter(nonce, Part::Drop))
    }

    /// It begins, reads if it is called, carries out its program and ends; what was called is dropped behind that.
    fn enter(&mut self, nonce: Nonce, part: Part) -> Vec<TaskStep> {
        let saw = if part == Part::Call && nonce != POLL { self.read() } else { None };
        let mut amid: Vec<Nonce> = self.inside.iter().map(|(nonce, _)| *nonce).collect();
        amid.sort_unstable();
        let at = self.handed.len();
        self.handed.push(HandOver { part, amid, ..HandOver::new(nonce, saw) });
        self.inside.push((nonce, part));
        if nonce == POLL {
            return vec![TaskStep::Poll];
        }
        let program = self.bodies[nonce].program(part).iter().map(|(_, step)| TaskStep::Within(at, *step));
        let dropped = if part == Part::Call { self.dropped(nonce) } else { None };
        program.chain([TaskStep::Leave(nonce, part)]).chain(dropped).collect()
    }

    /// In its call or in its drop; that of what was called belongs to the call.
    fn panicked(&mut self, nonce: Nonce) {
        let is_called = self.handed.iter().any(|entry| (entry.nonce, entry.part) == (nonce, Part::Call));
        self.tell(if is_called { Told::CallbackPanicked(nonce) } else { Told::DropPanicked(nonce) }, 1);
    }

    /// Of the drainer: all that wait, one after the other, and another look.
    fn hand_over(&mut self) -> Vec<TaskStep> {
        let calls = mem::take(&mut self.waiting).into_iter().map(|nonce| TaskStep::Push(Entry::Call(nonce)));
        calls.chain([TaskStep::Look]).collect()
    }

    fn run(&mut self, entry: Entry) -> Vec<TaskStep> {
        match entry {
            Entry::Call(nonce) => vec![TaskStep::Enter(nonce, Part::Call)],
            Entry::Step if self.outcome.is_some() => vec![],
            Entry::Step => {
                self.queued = false;
                vec![TaskStep::Begin]
            }
            Entry::Other(nonce) => {
                self.spawned.iter_mut().for_each(|spawned| spawned.retain(|other| *other != nonce));
                vec![TaskStep::Enter(nonce, Part::Call)]
            }
            Entry::Main { brief } if brief || self.others == 0 => vec![TaskStep::Push(Entry::Stop)],
            Entry::Main { .. } => {
                self.main_waits = true;
                vec![]
            }
            Entry::Stop => {
                self.stopped = true;
                vec![]
            }
        }
    }

    fn poll(&mut self) -> Vec<TaskStep> {
        let over = TaskStep::Leave(POLL, Part::Call);
        if self.naps {
            return vec![over];
        }
        let polled = self.script.poll(self.polls);
        self.polls += 1;
        self.has_waker |= !polled.is_last();
        match polled {
            Polled::Waits => vec![over],
            Polled::Naps => {
                self.naps = true;
                vec![over]
            }
            Polled::WakesItself => vec![TaskStep::Wake, over],
            Polled::Ready => vec![over, TaskStep::Finish(Value::Finished(0))],
            Polled::Panics => vec![over, TaskStep::Finish(Value::Panicked)],
        }
    }

    fn read(&mut self) -> Option<Value> {
        self.retrieved |= self.outcome == Some(Value::Panicked);
        self.outcome
    }

    /// Empties the queue: the callbacks and functions that were in it.
    fn take_calls(&mut self) -> Vec<Nonce> {
        let calls = mem::take(&mut self.queue).into_iter();
        calls.filter_map(|entry| if let Entry::Call(nonce) = entry { Some(nonce) } else { None }).collect()
    }

    /// What was seen when all threads are through, and the loop is closed if nobody did so. The last row is
    /// how the task ended, unless handles are dropped: then nobody is left to ask.
    fn observation(mut self, scenario: &Scenario) -> Observation {
        let mut answers: Vec<_> = self.threads.iter().map(|thread| thread.answers.clone()).collect();
        if !self.closed {
            self.threads[0].moves.push(TaskStep::Abandon);
            while let Some(next) = self.after(0) {
                self = next;
            }
        }
        if self.outcome == Some(Value::Panicked) && !self.retrieved {
            self.tell(Told::NeverRetrieved, 1);
        }
        let end = (!scenario.drops_handles()).then_some(Answer::Outcome(self.outcome));
        answers.push(end.into_iter().collect());
        Observation { answers, handed: self.handed, told: self.told }
    }

    fn tell(&mut self, told: Told, times: usize) {
        if times > 0 {
            *self.told.entry(told).or_default() += times;
        }
    }
}
