//! The state of the event loop's specification, and the moves of its threads.

use crate::observation::{Answer, HandOver, Observation, Told};
use crate::scenario::Scenario;
use crate::scenario::names::{Nonce, Part, Value};
use crate::scenario::poll_script::Script;
use crate::scenario::resolve::{Resolved, Step};
use crate::spec::timers::{Key, Time, Timers};
use std::collections::{BTreeMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

/// An entry of the queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Queued {
    /// Callbacks that were handed over together, in their order, or a function to be called soon.
    Calls(Rc<[Nonce]>),
    /// A poll of the task.
    Step,
    /// A poll of another task, which ends it.
    Other(Nonce),
    /// A poll of the main future: ready when the other threads have finished, or at once.
    Main { brief: bool },
    /// The callback of the main future, which ends the run.
    Stop,
    /// A reason to ask the timers again.
    Nudge,
}

/// One atomic step of a thread.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Move {
    /// An operation of the thread.
    Do(Step),
    /// A step of the program of this entry among the hand-overs.
    Within(usize, Step),
    Wake,
    Push(Queued),
    /// The drainer looks for callbacks that came meanwhile.
    Look,
    /// A thread other than the loop's has finished.
    Finished,
    /// A poll of the thread's nap, with this waker, after the waker's clone.
    PollNap(u8, Nonce),
    /// A thread waits until this waker of its nap is woken.
    Awaits(Nonce),
    /// Sets the timer of a nap, and stores its waker.
    SetNap(u8, Key, Nonce),
    /// The loop reads its next deadline.
    Sleep,
    /// The loop waits until there is an entry, or the deadline is reached.
    Until(Option<Time>),
    /// The loop takes the sleeps that are due.
    Due,
    /// Wakes the waker of a sleep.
    Fire(Nonce),
    /// The loop woke up for this entry, or at a deadline, and counts its batch.
    Count(Option<Queued>),
    /// This number of entries of the batch is left.
    Batch(usize),
    Run(Queued),
    /// A call, poll or drop begins, and ends.
    Enter(Nonce, Part),
    Leave(Nonce, Part),
    /// The step checks for a cancel request.
    Begin,
    Poll,
    /// The task ends with this value: its future is dropped, and then the value published.
    Finish(Value),
    Publish(Value),
    /// The loop accepts no more tasks, and abandons those that are not done.
    Abandon,
    /// The loop accepts no more sleeps, and ends those that are left.
    EndSleeps,
    /// The loop gathers the entries of the queue, which will never run.
    Gather,
    /// The channel is dropped, with later entries; then the gathered ones are.
    Disconnect,
}

/// The state of the loop, of its task and of each thread.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct LoopState {
    pub(super) script: Script,
    pub(super) plan: Plan,
    pub(super) queue: VecDeque<Queued>,
    pub(super) stopped: bool,
    pub(super) closed: bool,
    /// Number of unfinished threads other than the loop's.
    pub(super) others: usize,
    /// Whether the main future has left its waker.
    pub(super) main_waits: bool,

    pub(super) outcome: Option<Value>,
    /// Callbacks that wait for completion, or once the task is done for the drainer's next look.
    pub(super) waiting: Vec<Nonce>,
    pub(super) draining: bool,
    pub(super) queued: bool,
    pub(super) cancel_requested: bool,
    pub(super) polls: usize,
    pub(super) has_waker: bool,
    pub(super) timers: Timers,
    /// Whether other threads nap. Then time waits for them.
    pub(super) has_naps: bool,
    pub(super) retrieved: bool,
    /// The other tasks that are not done; none once the loop accepts no more.
    pub(super) spawned: Option<Vec<Nonce>>,

    pub(super) threads: Vec<ThreadState>,
    pub(super) raised: Vec<u8>,
    /// Entries left in the queue when the loop was closed, until they are dropped.
    pub(super) gathered: Vec<Nonce>,
    /// Calls, polls and drops that have begun and not ended.
    pub(super) inside: Vec<(Nonce, Part)>,
    pub(super) handed: Vec<HandOver>,
    pub(super) told: BTreeMap<Told, usize>,
}

#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct ThreadState {
    /// The moves to come, as a stack.
    pub(super) moves: Vec<Move>,
    pub(super) answers: Vec<Answer>,
    /// The naps of the thread by their length: the key of each and the waker of its last poll, if that found it pending.
    pub(super) naps: BTreeMap<u8, (Key, Option<Nonce>)>,
}

/// The scenario with its names resolved. All states of one search share it, so it counts as equal everywhere.
#[derive(Clone)]
pub(super) struct Plan(pub(super) Arc<Resolved>);

impl PartialEq for Plan {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Plan {}

impl Hash for Plan {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl LoopState {
    /// The state after the setup: the task is spawned, and its callbacks are added.
    pub(super) fn new(scenario: &Scenario, script: Script) -> Self {
        let thread = |(number, steps): (usize, Vec<Step>)| {
            let last = (number > 0).then_some(Move::Finished);
            let moves = last.into_iter().chain(steps.into_iter().rev().map(Move::Do)).collect();
            ThreadState { moves, ..ThreadState::default() }
        };
        let plan = scenario.resolved();
        let added = |step| if let Step::Add { nonce, .. } = step { Some(nonce) } else { None };
        let waiting = plan.setup.iter().filter_map(|(_, step)| added(*step)).collect();
        LoopState {
            script,
            plan: Plan(plan.clone()),
            queue: VecDeque::from([Queued::Step]),
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
            timers: Timers::default(),
            has_naps: scenario.has_naps(),
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

    /// The observation once all threads have finished; the loop is closed, if none did. The last row is the outcome of
    /// the task, unless handles are dropped: then none is left to read it.
    pub(super) fn observation(mut self, scenario: &Scenario) -> Observation {
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

    pub(super) fn tell(&mut self, told: Told, times: usize) {
        if times > 0 {
            *self.told.entry(told).or_default() += times;
        }
    }
}
