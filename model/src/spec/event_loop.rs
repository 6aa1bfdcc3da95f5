//! The specification of the event loop: its one task, its queue, its runs and its end. Its timers have a page of their
//! own, `timers.rs`.
//!
//! Every `Move` is one atomic step of a thread; the moves that it entails follow in the same thread. The allowed
//! observations are those of all orders of moves, and every one of them must be observed.
//!
//! * The queue is first in, first out (R31). A run takes the entry that it woke up for, and then as many entries as there
//!   are at that moment: its turn (R32). It ends after the turn in which the stop callback of its main future has run
//!   (D12). An entry belongs to one turn, however many callbacks it stands for.
//! * A wake puts a step of the task into the queue, unless one is there already or the task is done. A step leaves the
//!   queue before its poll begins, so that a wake during the poll leads to another step (P17). Time passes only when there
//!   is nothing else to do: then a nap ends, which is such a wake, and belongs to that turn (R32). If other threads nap, time
//!   passes only while each of them waits for its nap.
//! * A turn begins with the sleeps that are due, and then counts its batch (R32). A loop that waits, waits for the deadline
//!   that was the earliest when it fell asleep; a nudge, which is an entry, is how it learns of an earlier one (P17).
//! * A nap's waker is cloned by the poll, woken by the loop, and dropped by who takes it out: the loop after the wake, or the
//!   thread that polls the nap again or drops it.
//! * A future is dropped when its task ends, before the outcome is published, so that requests are granted meanwhile (D10);
//!   the future of a refused task is dropped by the thread that spawned it. Its panics are contained and reported (D5).
//! * A cancel request is granted until the task is done (D10). The next step finds it and does not poll; a request made
//!   during the poll still overrides a value, but not a panic (R55). A refused request counts as retrieving the outcome
//!   (R75).
//! * The program of a callback or function consists of steps of the loop's thread. The program of its drop consists of
//!   steps of the thread that drops it: the loop's after the call or at the close, or the thread that removes the callback
//!   or whose call is refused.
//! * Completion hands all waiting callbacks over to the queue as one entry; those added meanwhile follow as another (D16).
//!   They run one after another, in order, each with its drop, and nothing else of the queue between them. The panic of
//!   one does not keep the next from running (P14).
//! * Close abandons the task if it is not done (P16), counts the callbacks and functions in the queue, not the entries, and
//!   refuses later ones, also those that come from the drops of the counted ones. A callback that never runs is reported once (D4), and
//!   so is a panic that was never retrieved (D8).

use super::loop_state::{LoopState, Move, Queued};
use crate::observation::{Answer, HandOver, Observation, Told};
use crate::scenario::Scenario;
use crate::scenario::names::{Nonce, POLL, Part, Value};
use crate::scenario::poll_script::{Polled, Script};
use crate::scenario::resolve::Step;
use std::collections::{BTreeSet, HashSet};
use std::mem;

/// The exact set of observations that the specification of the loop allows.
pub fn allowed(scenario: &Scenario, script: Script) -> BTreeSet<Observation> {
    let mut observations = BTreeSet::new();
    let mut seen = HashSet::new();
    let mut open = vec![LoopState::new(scenario, script)];
    while let Some(state) = open.pop() {
        if state.threads.iter().all(|thread| thread.moves.is_empty()) {
            observations.insert(state.clone().observation(scenario));
        }
        let next = (0..state.threads.len()).filter_map(|thread| state.after(thread));
        open.extend(next.filter(|next| seen.insert(next.clone())));
    }
    observations
}

impl LoopState {
    /// The state after this thread's next move; none while it has to wait, or if it has finished.
    pub(super) fn after(&self, thread: usize) -> Option<LoopState> {
        let next = self.threads[thread].moves.last()?;
        let waits = match next {
            Move::Do(Step::Wait(flag)) => !self.raised.contains(flag),
            Move::Awaits(nonce) => !self.timers.is_woken(*nonce),
            Move::Until(deadline) => self.queue.is_empty() && !deadline.is_some_and(|deadline| self.is_over(deadline)),
            _ => false,
        };
        if waits {
            return None;
        }
        let mut state = self.clone();
        let next = state.threads[thread].moves.pop()?;
        let within = if let Move::Within(at, _) = next { Some(at) } else { None };
        let (answer, entailed) = state.carry_out(thread, next);
        let answers = match within {
            Some(at) => &mut state.handed[at].answers,
            None => &mut state.threads[thread].answers,
        };
        answers.extend(answer);
        state.threads[thread].moves.extend(entailed.into_iter().rev());
        Some(state)
    }

    /// Carries out one move: its answer, and the moves that the same thread makes next.
    fn carry_out(&mut self, thread: usize, next: Move) -> (Option<Answer>, Vec<Move>) {
        let entailed = match next {
            Move::Within(at, Step::Panic) => {
                self.panicked(at);
                vec![]
            }
            Move::Do(step) | Move::Within(_, step) => return self.operate(thread, step),
            Move::Wake if self.outcome.is_some() || mem::replace(&mut self.queued, true) => vec![],
            Move::Wake => vec![Move::Push(Queued::Step)],
            Move::Push(entry) => self.push(entry),
            Move::Look => self.look(),
            Move::Finished => {
                self.others -= 1;
                let wakes = self.others == 0 && mem::take(&mut self.main_waits);
                wakes.then_some(Move::Push(Queued::Main { brief: false })).into_iter().collect()
            }
            Move::Count(woken) => woken.map(Move::Run).into_iter().chain([Move::Batch(self.queue.len())]).collect(),
            Move::Batch(left) => self.continue_batch(left),
            Move::Run(entry) => self.run(entry),
            Move::Enter(nonce, part) => self.enter(nonce, part),
            Move::Leave(nonce, part) => {
                self.inside.retain(|entered| *entered != (nonce, part));
                vec![]
            }
            Move::Begin if self.cancel_requested => vec![Move::Finish(Value::Cancelled)],
            Move::Begin => vec![Move::Enter(POLL, Part::Call)],
            Move::Poll => self.poll(),
            Move::Finish(value) => self.finish(value),
            Move::Publish(value) => self.publish(value),
            Move::Abandon => self.abandon(),
            Move::Gather => {
                self.gathered = self.take_calls();
                vec![Move::Disconnect]
            }
            Move::Disconnect => return self.disconnect(),
            of_sleeps => return self.carry_out_on_sleeps(thread, of_sleeps),
        };
        (None, entailed)
    }

    /// Hands over the callbacks that came meanwhile, or ends the drain.
    fn look(&mut self) -> Vec<Move> {
        self.draining = !self.waiting.is_empty();
        if self.draining { self.hand_over() } else { vec![] }
    }

    fn continue_batch(&mut self, left: usize) -> Vec<Move> {
        match left {
            0 if mem::take(&mut self.stopped) => vec![],
            0 => vec![Move::Sleep],
            left => {
                let entry = self.queue.pop_front().expect("only the loop takes entries out");
                vec![Move::Run(entry), Move::Batch(left - 1)]
            }
        }
    }

    /// Drops the future, and with it the task's nap; then publishes the outcome.
    fn finish(&mut self, value: Value) -> Vec<Move> {
        self.timers.remove_waker(POLL);
        self.dropped(POLL).into_iter().chain([Move::Publish(value)]).collect()
    }

    fn publish(&mut self, value: Value) -> Vec<Move> {
        let overridden = self.cancel_requested && value != Value::Panicked;
        let value = if overridden { Value::Cancelled } else { value };
        self.outcome = Some(value);
        self.tell(Told::Abandoned, usize::from(value == Value::Abandoned));
        self.draining = true;
        self.hand_over()
    }

    fn abandon(&mut self) -> Vec<Move> {
        let others = self.spawned.take().unwrap_or_default();
        self.tell(Told::Abandoned, others.len());
        let task = self.outcome.is_none().then_some(Move::Finish(Value::Abandoned));
        let dropped: Vec<Move> = others.into_iter().filter_map(|nonce| self.dropped(nonce)).collect();
        task.into_iter().chain(dropped).chain([Move::EndSleeps]).collect()
    }

    fn disconnect(&mut self) -> (Option<Answer>, Vec<Move>) {
        self.closed = true;
        let (late, gathered) = (self.take_calls(), mem::take(&mut self.gathered));
        let unrun = gathered.len();
        self.tell(Told::Closed(unrun), usize::from(unrun > 0));
        let lost = late.into_iter().chain(gathered).filter_map(|nonce| self.lose(nonce)).collect();
        (Some(Answer::Count(unrun)), lost)
    }

    /// Carries out an operation of the scenario.
    fn operate(&mut self, thread: usize, step: Step) -> (Option<Answer>, Vec<Move>) {
        match step {
            Step::Add { nonce, .. } if self.outcome.is_some() && !self.draining => {
                self.draining = true;
                (None, vec![Move::Push(call(nonce)), Move::Look])
            }
            Step::Add { nonce, .. } => {
                self.waiting.push(nonce);
                (None, vec![])
            }
            Step::Remove(nonce) => self.remove(nonce),
            Step::Complete(_) => {
                let requested = self.read().is_none();
                self.cancel_requested |= requested;
                (Some(Answer::Did(requested)), vec![Move::Wake])
            }
            Step::Read => (Some(Answer::Outcome(self.read())), vec![]),
            Step::Wake => (None, self.has_waker.then_some(Move::Wake).into_iter().collect()),
            Step::Soon(nonce) => (Some(Answer::Did(!self.closed)), self.push(call(nonce))),
            Step::Run => (None, vec![Move::Push(Queued::Main { brief: false }), Move::Sleep]),
            Step::RunBriefly => (None, vec![Move::Push(Queued::Main { brief: true }), Move::Sleep]),
            Step::Spawn(nonce) => (None, self.spawn(nonce)),
            Step::Nap { nonce, length } => (None, self.nap(nonce, length)),
            Step::DropNap(length) => (None, self.drop_nap(thread, length)),
            Step::AwaitNap(length) => (None, self.await_nap(thread, length)),
            Step::Close => (None, vec![Move::Abandon]),
            Step::Signal(flag) => {
                self.raised.push(flag);
                (None, vec![])
            }
            Step::Wait(_) | Step::DropHandle => (None, vec![]),
            _ => unreachable!("the scenario was checked: {step:?} is not supported on a loop"),
        }
    }

    fn remove(&mut self, nonce: Option<Nonce>) -> (Option<Answer>, Vec<Move>) {
        let place = self.waiting.iter().position(|waiting| Some(*waiting) == nonce);
        let removed = place.filter(|_| self.outcome.is_none()).map(|place| self.waiting.remove(place));
        let dropped = removed.and_then(|nonce| self.dropped(nonce));
        (Some(Answer::Did(removed.is_some())), dropped.into_iter().collect())
    }

    fn spawn(&mut self, nonce: Nonce) -> Vec<Move> {
        match &mut self.spawned {
            Some(spawned) => {
                spawned.push(nonce);
                vec![Move::Push(Queued::Other(nonce))]
            }
            None => {
                self.tell(Told::Abandoned, 1);
                self.dropped(nonce).into_iter().collect()
            }
        }
    }

    /// Appends to the queue. Once the loop is closed, a callback is lost, and any other entry is dropped silently.
    fn push(&mut self, entry: Queued) -> Vec<Move> {
        match (self.closed, entry) {
            (false, entry) => self.queue.push_back(entry),
            (true, Queued::Calls(nonces)) => return nonces.iter().filter_map(|nonce| self.lose(*nonce)).collect(),
            (true, _) => {}
        }
        vec![]
    }

    /// Reports a callback that will never run, and drops it.
    fn lose(&mut self, nonce: Nonce) -> Option<Move> {
        self.tell(Told::Lost(0), 1);
        self.dropped(nonce)
    }

    /// The move that drops it, if its drop has a program.
    pub(super) fn dropped(&self, nonce: Nonce) -> Option<Move> {
        self.does(nonce, Part::Drop).then_some(Move::Enter(nonce, Part::Drop))
    }

    pub(super) fn does(&self, nonce: Nonce, part: Part) -> bool {
        !self.plan.0.program(nonce, part).is_empty()
    }

    /// Begins a call or a drop: reads the outcome if it is a call, carries out the program, ends, and drops a called one.
    fn enter(&mut self, nonce: Nonce, part: Part) -> Vec<Move> {
        let saw = if part == Part::Call && self.reads(nonce) { self.read() } else { None };
        let mut amid: Vec<Nonce> = self.inside.iter().map(|(nonce, _)| *nonce).collect();
        amid.sort_unstable();
        let at = self.handed.len();
        self.handed.push(HandOver { part, amid, ..HandOver::new(nonce, saw) });
        self.inside.push((nonce, part));
        let program = self.plan.0.program(nonce, part).iter().map(|(_, step)| Move::Within(at, *step));
        if (nonce, part) == (POLL, Part::Call) {
            return program.filter(|_| self.polls == 0).chain([Move::Poll]).collect();
        }
        let dropped = if part == Part::Call { self.dropped(nonce) } else { None };
        program.chain([Move::Leave(nonce, part)]).chain(dropped).collect()
    }

    /// Whether its call reads the outcome of the task.
    fn reads(&self, nonce: Nonce) -> bool {
        self.plan.0.registrations.get(nonce).is_some_and(|registration| !registration.is_waker)
    }

    /// Reports a panic in the program of this entry. A panic in the drop of a callback after its call belongs to the call.
    fn panicked(&mut self, at: usize) {
        let (nonce, part) = (self.handed[at].nonce, self.handed[at].part);
        let is_called = self.handed.iter().any(|entry| (entry.nonce, entry.part) == (nonce, Part::Call));
        let registration = self.plan.0.registrations.get(nonce);
        let told = match (registration, part) {
            (None, _) => Told::DropPanicked(nonce),
            (Some(future), Part::Call) if future.is_future => Told::NeverRetrieved,
            (Some(future), _) if future.is_future => Told::DropPanicked(nonce),
            (Some(waker), _) if waker.is_waker => Told::WakerPanicked(nonce),
            _ if is_called => Told::CallbackPanicked(nonce),
            _ => Told::DropPanicked(nonce),
        };
        self.tell(told, 1);
    }

    /// Hands over all waiting callbacks as one entry, if there are any, and then looks again.
    fn hand_over(&mut self) -> Vec<Move> {
        let nonces = mem::take(&mut self.waiting);
        let calls = (!nonces.is_empty()).then(|| Move::Push(Queued::Calls(nonces.into())));
        calls.into_iter().chain([Move::Look]).collect()
    }

    fn run(&mut self, entry: Queued) -> Vec<Move> {
        match entry {
            Queued::Calls(nonces) => nonces.iter().map(|nonce| Move::Enter(*nonce, Part::Call)).collect(),
            Queued::Step if self.outcome.is_some() => vec![],
            Queued::Step => {
                self.queued = false;
                vec![Move::Begin]
            }
            Queued::Other(nonce) => {
                self.spawned.iter_mut().for_each(|spawned| spawned.retain(|other| *other != nonce));
                vec![Move::Enter(nonce, Part::Call)]
            }
            Queued::Nudge => vec![],
            Queued::Main { brief } if brief || self.others == 0 => vec![Move::Push(Queued::Stop)],
            Queued::Main { .. } => {
                self.main_waits = true;
                vec![]
            }
            Queued::Stop => {
                self.stopped = true;
                vec![]
            }
        }
    }

    fn poll(&mut self) -> Vec<Move> {
        let over = Move::Leave(POLL, Part::Call);
        if self.timers.has_waker(POLL) {
            return vec![over];
        }
        let polled = self.script.poll(self.polls);
        self.polls += 1;
        self.has_waker |= !polled.is_last();
        match polled {
            Polled::Waits => vec![over],
            Polled::Naps => {
                let key = self.timers.begin(1);
                self.timers.set(key, POLL, true);
                vec![over]
            }
            Polled::WakesItself => vec![Move::Wake, over],
            Polled::Ready => vec![over, Move::Finish(Value::Finished(0))],
            Polled::Panics => vec![over, Move::Finish(Value::Panicked)],
        }
    }

    fn read(&mut self) -> Option<Value> {
        self.retrieved |= self.outcome == Some(Value::Panicked);
        self.outcome
    }

    /// Empties the queue, and returns the callbacks and functions that were in it.
    fn take_calls(&mut self) -> Vec<Nonce> {
        let entries = mem::take(&mut self.queue);
        let calls = |entry: &Queued| if let Queued::Calls(nonces) = entry { nonces.to_vec() } else { vec![] };
        entries.iter().flat_map(calls).collect()
    }
}

/// The entry of a single callback or function.
fn call(nonce: Nonce) -> Queued {
    Queued::Calls([nonce].into())
}
