//! The page for the event loop: what its one task, its queue, its runs and its end mean.
//!
//! Every `Move` is one atomic step, of the loop's thread or of another; what it entails follows as
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
//! * What a callback or function does when its turn comes, its program, are steps of the loop's thread.
//! * Completion hands over to the queue one callback after another; what is added meanwhile follows (D16).
//! * Close abandons the task that is not done (P16), counts what stands in the queue, and refuses what
//!   comes later. Whatever never runs is told of once (D4). So is a panic that nobody looked at (D8).

use crate::observation::{Answer, HandOver, Observation, POLL, Told};
use crate::scenario::{Body, Part, Scenario, Step};
use crate::script::{Polled, Script};
use crate::spec::{Nonce, Value};
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
enum Move {
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
    /// The step looks whether it is to cancel.
    Begin,
    Poll,
    Finish(Value),
    /// No task is taken any more; those that are not done are abandoned.
    Abandon,
    /// What stands in the queue will never run.
    Gather,
    /// The channel goes, with what was pushed since.
    Disconnect(usize),
}

/// The loop, its task, and where each thread stands.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Page {
    script: Script,
    /// By the callback's or function's name: its program.
    programs: Rc<[Vec<Step>]>,
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
    handed: Vec<HandOver>,
    told: BTreeMap<Told, usize>,
}

#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Thread {
    /// What it will do, the next one last.
    moves: Vec<Move>,
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
            let last = (number > 0).then_some(Move::Through);
            let moves = last.into_iter().chain(steps.into_iter().rev().map(Move::Do)).collect();
            Thread { moves, answers: Vec::new() }
        };
        let plan = scenario.plan();
        let added = |step| if let Step::Add { nonce, .. } = step { Some(nonce) } else { None };
        let program = |body: &Body| body.program(Part::Call).iter().map(|(_, step)| *step).collect();
        Page {
            script,
            programs: plan.bodies.iter().map(program).collect(),
            queue: VecDeque::from([Entry::Step]),
            stopped: false,
            closed: false,
            others: scenario.threads.len() - 1,
            main_waits: false,
            outcome: None,
            waiting: plan.setup.iter().filter_map(|(_, step)| added(*step)).collect(),
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
            handed: Vec::new(),
            told: BTreeMap::new(),
        }
    }

    /// The page after the next move of this thread; none if it has to wait, or is at its end.
    fn after(&self, thread: usize) -> Option<Page> {
        let next = *self.threads[thread].moves.last()?;
        let waits = match next {
            Move::Do(Step::Wait(flag)) => !self.raised.contains(&flag),
            Move::Sleep => self.queue.is_empty() && !self.naps,
            _ => false,
        };
        if waits {
            return None;
        }
        let mut page = self.clone();
        page.threads[thread].moves.pop();
        let (answer, entailed) = page.carry_out(next);
        let answers = match next {
            Move::Within(at, _) => &mut page.handed[at].answers,
            _ => &mut page.threads[thread].answers,
        };
        answers.extend(answer);
        page.threads[thread].moves.extend(entailed.into_iter().rev());
        Some(page)
    }

    /// One move: its answer, and what the same thread does next.
    fn carry_out(&mut self, next: Move) -> (Option<Answer>, Vec<Move>) {
        let entailed = match next {
            Move::Within(at, Step::Panic) => {
                self.tell(Told::CallbackPanicked(self.handed[at].nonce), 1);
                vec![]
            }
            Move::Do(step) | Move::Within(_, step) => return self.operate(step),
            Move::Wake if self.outcome.is_some() || mem::replace(&mut self.queued, true) => vec![],
            Move::Wake => vec![Move::Push(Entry::Step)],
            Move::Push(entry) => {
                self.push(entry);
                vec![]
            }
            Move::Look if self.waiting.is_empty() => {
                self.draining = false;
                vec![]
            }
            Move::Look => self.hand_over(),
            Move::Through => {
                self.others -= 1;
                let wakes = self.others == 0 && mem::take(&mut self.main_waits);
                wakes.then_some(Move::Push(Entry::Main { brief: false })).into_iter().collect()
            }
            Move::Sleep => match self.queue.pop_front() {
                Some(woken) => vec![Move::Count(Some(woken))],
                None => {
                    self.naps = false;
                    vec![Move::Wake, Move::Count(None)]
                }
            },
            Move::Count(woken) => woken.map(Move::Run).into_iter().chain([Move::Batch(self.queue.len())]).collect(),
            Move::Batch(0) if mem::take(&mut self.stopped) => vec![],
            Move::Batch(0) => vec![Move::Sleep],
            Move::Batch(left) => {
                let entry = self.queue.pop_front().expect("the loop alone takes out");
                vec![Move::Run(entry), Move::Batch(left - 1)]
            }
            Move::Run(entry) => self.run(entry),
            Move::Begin if self.cancel_requested => vec![Move::Finish(Value::Cancelled)],
            Move::Begin => vec![Move::Poll],
            Move::Poll => self.poll(),
            Move::Finish(value) => {
                let beaten = self.cancel_requested && value != Value::Panicked;
                let value = if beaten { Value::Cancelled } else { value };
                self.outcome = Some(value);
                self.naps = false;
                self.tell(Told::Abandoned, usize::from(value == Value::Abandoned));
                self.draining = true;
                self.hand_over()
            }
            Move::Abandon => {
                let others = self.spawned.take().unwrap_or_default();
                self.tell(Told::Abandoned, others.len());
                let task = self.outcome.is_none().then_some(Move::Finish(Value::Abandoned));
                task.into_iter().chain([Move::Gather]).collect()
            }
            Move::Gather => {
                let unrun = self.lose_all();
                self.tell(Told::Closed(unrun), usize::from(unrun > 0));
                vec![Move::Disconnect(unrun)]
            }
            Move::Disconnect(unrun) => {
                self.closed = true;
                self.lose_all();
                return (Some(Answer::Count(unrun)), vec![]);
            }
        };
        (None, entailed)
    }

    fn operate(&mut self, step: Step) -> (Option<Answer>, Vec<Move>) {
        match step {
            Step::Add { nonce, .. } if self.outcome.is_some() && !self.draining => {
                self.draining = true;
                (None, vec![Move::Push(Entry::Call(nonce)), Move::Look])
            }
            Step::Add { nonce, .. } => {
                self.waiting.push(nonce);
                (None, vec![])
            }
            Step::Remove(nonce) => {
                let place = self.waiting.iter().position(|waiting| Some(*waiting) == nonce);
                let place = place.filter(|_| self.outcome.is_none());
                (Some(Answer::Did(place.map(|place| self.waiting.remove(place)).is_some())), vec![])
            }
            Step::Complete(_) => {
                let requested = self.read().is_none();
                self.cancel_requested |= requested;
                (Some(Answer::Did(requested)), vec![Move::Wake])
            }
            Step::Read => (Some(Answer::Outcome(self.read())), vec![]),
            Step::Wake => (None, self.has_waker.then_some(Move::Wake).into_iter().collect()),
            Step::Soon(nonce) => (Some(Answer::Did(self.push(Entry::Call(nonce)))), vec![]),
            Step::Run => (None, vec![Move::Push(Entry::Main { brief: false }), Move::Sleep]),
            Step::RunBriefly => (None, vec![Move::Push(Entry::Main { brief: true }), Move::Sleep]),
            Step::Spawn(nonce) => {
                match &mut self.spawned {
                    Some(spawned) => spawned.push(nonce),
                    None => self.tell(Told::Abandoned, 1),
                }
                (None, vec![Move::Push(Entry::Other(nonce))])
            }
            Step::Close => (None, vec![Move::Abandon]),
            Step::Signal(flag) => {
                self.raised.push(flag);
                (None, vec![])
            }
            Step::Wait(_) | Step::DropHandle => (None, vec![]),
            _ => unreachable!("the scenario was checked: {step:?} is not for a loop"),
        }
    }

    /// False if the loop is closed. Then a callback is lost, and anything else goes in silence.
    fn push(&mut self, entry: Entry) -> bool {
        match (self.closed, entry) {
            (false, _) => self.queue.push_back(entry),
            (true, Entry::Call(_)) => self.tell(Told::Lost(0), 1),
            (true, _) => {}
        }
        !self.closed
    }

    /// Of the drainer: all that wait, one after the other, and another look.
    fn hand_over(&mut self) -> Vec<Move> {
        let calls = mem::take(&mut self.waiting).into_iter().map(|nonce| Move::Push(Entry::Call(nonce)));
        calls.chain([Move::Look]).collect()
    }

    fn run(&mut self, entry: Entry) -> Vec<Move> {
        match entry {
            Entry::Call(nonce) => {
                let (saw, at) = (self.read(), self.handed.len());
                self.handed.push(HandOver::new(nonce, saw));
                self.programs[nonce].iter().map(|step| Move::Within(at, *step)).collect()
            }
            Entry::Step if self.outcome.is_some() => vec![],
            Entry::Step => {
                self.queued = false;
                vec![Move::Begin]
            }
            Entry::Other(nonce) => {
                let saw = self.read();
                self.spawned.iter_mut().for_each(|spawned| spawned.retain(|other| *other != nonce));
                self.handed.push(HandOver::new(nonce, saw));
                vec![]
            }
            Entry::Main { brief } if brief || self.others == 0 => vec![Move::Push(Entry::Stop)],
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

    fn poll(&mut self) -> Vec<Move> {
        self.handed.push(HandOver::new(POLL, None));
        if self.naps {
            return vec![];
        }
        let polled = self.script.poll(self.polls);
        self.polls += 1;
        self.has_waker |= !polled.is_last();
        match polled {
            Polled::Waits => vec![],
            Polled::Naps => {
                self.naps = true;
                vec![]
            }
            Polled::WakesItself => vec![Move::Wake],
            Polled::Ready => vec![Move::Finish(Value::Finished(0))],
            Polled::Panics => vec![Move::Finish(Value::Panicked)],
        }
    }

    fn read(&mut self) -> Option<Value> {
        self.retrieved |= self.outcome == Some(Value::Panicked);
        self.outcome
    }

    /// Empties the queue, and says how many callbacks and functions were in it.
    fn lose_all(&mut self) -> usize {
        let lost = mem::take(&mut self.queue).into_iter().filter(|entry| matches!(entry, Entry::Call(_))).count();
        self.tell(Told::Lost(0), lost);
        lost
    }

    /// What was seen when all threads are through, and the loop is closed if nobody did so. The last row is
    /// how the task ended, unless its last handle was dropped on the way.
    fn observation(mut self, scenario: &Scenario) -> Observation {
        let mut answers: Vec<_> = self.threads.iter().map(|thread| thread.answers.clone()).collect();
        if !self.closed {
            self.threads[0].moves.push(Move::Abandon);
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
