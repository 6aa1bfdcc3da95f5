//! The specification beside an execution: the states that explain everything that was seen so far.
//!
//! Each call takes effect at one moment between its begin and its end. It is taken to be the call's first lock section,
//! its publication of the outcome, or its read of it. A state that is reached so, and agrees with each answer and
//! each hand-over, is an explanation of the execution. Where it does not agree, the moment was not decided there: from then
//! on, every order of the open calls is tried, and all states are kept that agree. If none does, then no order of the
//! calls explains the execution, and the specification refuses it.
//!
//! A read that finds no outcome takes no lock, so only happens-before bounds it: it is refused only on a thread that has
//! seen the task done before. Programs on a loop have a specification of their own, and no states here.

use super::interleavings::Interleavings;
use super::machine::Machine;
use crate::observation::event::Event;
use crate::observation::{Answer, HandOver};
use crate::scenario::Scenario;
use crate::scenario::names::{Nonce, Part, SCHEDULER, TASKS, Task, letter};
use crate::scenario::resolve::{Step, TaskStep};
use std::cell::Cell;
use std::collections::{BTreeSet, HashMap, HashSet};

/// The states that explain the events so far.
pub struct Explained {
    interleavings: Interleavings,
    states: HashSet<State>,
    /// True as long as each call takes effect at its own moment.
    is_decided: bool,
    past: Vec<(usize, Event)>,
    /// What each lock guarded last, by its address.
    guarded: HashMap<usize, String>,
    /// True once more orders than the limit were possible. Nothing is refused then.
    is_given_up: Cell<bool>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    machine: Machine,
    /// The callbacks and wakers that were handed over.
    handed: BTreeSet<Nonce>,
    /// The tasks that a thread has seen done.
    known: BTreeSet<(usize, Task)>,
    /// The calls that have begun and not ended, those of a thread from the outermost to the innermost.
    calls: Vec<Call>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Call {
    thread: usize,
    step: TaskStep,
    /// The answer, once the call has taken effect.
    answer: Option<Option<Answer>>,
}

/// The limit of the states that are tried at once.
const MOST: usize = 10_000;

impl Explained {
    /// None for a program on a loop.
    pub fn new(scenario: &Scenario) -> Option<Self> {
        if scenario.script().is_some() {
            return None;
        }
        let interleavings = Interleavings::of_calls(scenario);
        let states = HashSet::from([State::new(&interleavings)]);
        let (past, guarded, is_given_up) = Default::default();
        Some(Explained { interleavings, states, is_decided: true, past, guarded, is_given_up })
    }

    /// The states in words: one, or all that are possible; none once the execution was refused.
    pub fn states(&self) -> BTreeSet<String> {
        let states: HashSet<State> = match self.is_decided {
            true => self.states.clone(),
            false => self.states.iter().flat_map(|state| self.reachable(state)).collect(),
        };
        states.iter().map(|state| state.describe(&self.interleavings)).collect()
    }

    /// Follows an event, and returns the reason if no state explains it. What follows the observation is not judged.
    pub fn follow(&mut self, thread: usize, event: &Event) -> Option<String> {
        let is_over = matches!(self.past.last(), Some((_, Event::AllTold)));
        if is_over || self.states.is_empty() {
            return None;
        }
        let is_moment = self.is_moment(thread, event);
        self.past.push((thread, event.clone()));
        let decided = std::mem::take(&mut self.states);
        self.states = self.after(decided, thread, event, is_moment);
        if self.states.is_empty() && self.is_decided {
            self.is_decided = false;
            let start = HashSet::from([State::new(&self.interleavings)]);
            self.states =
                self.past.iter().fold(start, |states, (thread, event)| self.after(states, *thread, event, false));
        }
        if self.is_given_up.get() {
            self.states.clear();
        }
        (self.states.is_empty() && !self.is_given_up.get()).then(|| refusal(event))
    }

    /// True if the thread's innermost call takes effect now.
    fn is_moment(&mut self, thread: usize, event: &Event) -> bool {
        let is_changed = match event {
            Event::Unlocks(lock, Some(contents)) => {
                self.guarded.insert(*lock, contents.clone()).as_ref() != Some(contents)
            }
            _ => false,
        };
        let state = self.states.iter().next().filter(|_| self.is_decided);
        let call = state.and_then(|state| state.calls.iter().rfind(|call| call.thread == thread));
        let Some(Call { step: (_, step), answer: None, .. }) = call else { return false };
        match (event, step) {
            (Event::Reads(..), Step::Read | Step::Print) => true,
            (Event::Publishes, Step::Complete(_) | Step::DropCompleter) => true,
            // An add that comes too early to be a late one tries again.
            (Event::Unlocks(_, Some(_)), Step::Add { .. }) => is_changed,
            (Event::Unlocks(_, Some(_)), step) => !matches!(step, Step::Read | Step::Print),
            _ => false,
        }
    }

    /// The states after an event that agree with it.
    fn after(&self, states: HashSet<State>, thread: usize, event: &Event, is_moment: bool) -> HashSet<State> {
        let agrees = |state: State| match event {
            Event::Begins(step) if concerns_a_cell(step.1) => Some(state.begins(thread, *step)),
            Event::Ends((_, step), answer) if concerns_a_cell(*step) => self.ends(state, thread, *answer),
            Event::Enters(HandOver { part: Part::Call, nonce, .. }) if *nonce == SCHEDULER => Some(state),
            Event::Enters(entered) if entered.part == Part::Call => state.enters(entered, &self.interleavings),
            Event::AllTold => state.owes_nothing(&self.interleavings).then_some(state),
            _ if is_moment => {
                let innermost = state.calls.iter().rposition(|call| call.thread == thread);
                Some(innermost.map_or_else(|| state.clone(), |at| self.takes_effect(&state, at)))
            }
            _ => Some(state),
        };
        let is_seen = matches!(event, Event::Ends(..) | Event::Enters(_) | Event::AllTold);
        match is_seen && !self.is_decided {
            true => states.iter().flat_map(|state| self.reachable(state)).filter_map(agrees).collect(),
            false => states.into_iter().filter_map(agrees).collect(),
        }
    }

    /// The state itself, and those after any of the open calls, in any order.
    fn reachable(&self, state: &State) -> HashSet<State> {
        let (mut reached, mut open) = (HashSet::from([state.clone()]), vec![state.clone()]);
        while let Some(state) = open.pop() {
            if reached.len() > MOST {
                self.is_given_up.set(true);
                break;
            }
            let waits = (0..state.calls.len()).filter(|at| state.calls[*at].answer.is_none());
            let next: Vec<State> = waits.map(|at| self.takes_effect(&state, at)).collect();
            open.extend(next.into_iter().filter(|next| reached.insert(next.clone())));
        }
        reached
    }

    fn takes_effect(&self, state: &State, at: usize) -> State {
        let mut state = state.clone();
        let Call { thread, step, .. } = state.calls[at];
        state.calls[at].answer = Some(self.interleavings.take_effect(&mut state.machine, thread, step));
        state
    }

    /// Ends the thread's innermost call. One that took no lock takes effect now, where that is decided.
    fn ends(&self, mut state: State, thread: usize, answer: Option<Answer>) -> Option<State> {
        let at = state.calls.iter().rposition(|call| call.thread == thread)?;
        if self.is_decided && state.calls[at].answer.is_none() && answer != Some(Answer::Panicked) {
            state = self.takes_effect(&state, at);
        }
        let Call { step: (task, step), answer: explained, .. } = state.calls.remove(at);
        let found_nothing = matches!(step, Step::Read | Step::Print | Step::PollAgain(_))
            && answer == Some(Answer::Outcome(None))
            && explained.is_some()
            && !state.known.contains(&(thread, task));
        if matches!(step, Step::Complete(_)) || matches!(answer, Some(Answer::Outcome(Some(_)))) {
            state.known.insert((thread, task));
        }
        // A poll whose waker panics has no effect.
        let is_right = if answer == Some(Answer::Panicked) { explained.is_none() } else { explained == Some(answer) };
        (is_right || found_nothing).then_some(state)
    }
}

impl State {
    fn new(interleavings: &Interleavings) -> Self {
        let (handed, known, calls) = Default::default();
        State { machine: interleavings.untouched(), handed, known, calls }
    }

    fn begins(mut self, thread: usize, step: TaskStep) -> Self {
        self.calls.push(Call { thread, step, answer: None });
        self
    }

    /// The callbacks and wakers of a task that are still to be called, in their order.
    fn owed<'a>(&'a self, task: Task, interleavings: &'a Interleavings) -> impl Iterator<Item = Nonce> + 'a {
        let scheduled = self.machine.cell(task).scheduled().iter().copied();
        scheduled.filter(|nonce| !self.handed.contains(nonce) && interleavings.order(*nonce).is_some())
    }

    /// Calls this one, if it is the next of its task, and sees the outcome.
    fn enters(mut self, HandOver { nonce, saw, .. }: &HandOver, interleavings: &Interleavings) -> Option<Self> {
        let order = interleavings.order(*nonce);
        let next =
            self.owed(interleavings.task_of(*nonce), interleavings).find(|other| interleavings.order(*other) == order);
        let outcome = interleavings.reads(*nonce).and_then(|task| self.machine.cell(task).outcome());
        let is_right = next == Some(*nonce) && outcome == *saw;
        self.handed.insert(*nonce);
        is_right.then_some(self)
    }

    fn owes_nothing(&self, interleavings: &Interleavings) -> bool {
        (0..self.machine.tasks.len()).all(|task| self.owed(task, interleavings).next().is_none())
    }

    /// `x: pending, waiting a b; y: done v0, to hand over c`; `done v0` if nothing is left.
    fn describe(&self, interleavings: &Interleavings) -> String {
        let letters = |what: &str, nonces: Vec<Nonce>| match &nonces[..] {
            [] => String::new(),
            nonces => format!(", {what} {}", nonces.iter().map(|nonce| letter(*nonce)).collect::<Vec<_>>().join(" ")),
        };
        let tasks = self.machine.tasks.len();
        let describe = |task: Task| {
            let cell = self.machine.cell(task);
            let name = if tasks > 1 { format!("{}: ", TASKS[task]) } else { String::new() };
            match cell.outcome() {
                None => format!("{name}pending{}", letters("waiting", cell.waiting().collect())),
                Some(outcome) => {
                    let owed = letters("to hand over", self.owed(task, interleavings).collect());
                    format!("{name}done {outcome}{owed}")
                }
            }
        };
        (0..tasks).map(describe).collect::<Vec<_>>().join("; ")
    }
}

/// True for an operation that reads or changes a cell.
fn concerns_a_cell(step: Step) -> bool {
    use Step::{Add, Complete, DropAwait, DropCompleter, Poll, PollAgain, Print, Read, Remove, RemoveAll};
    let is_change = matches!(step, Add { .. } | Remove(_) | RemoveAll | Complete(_) | DropCompleter | DropAwait);
    is_change || matches!(step, Read | Print | Poll(_) | PollAgain(_))
}

fn refusal(event: &Event) -> String {
    match event {
        Event::Ends(_, Some(answer)) => format!("no order of the calls explains the answer {answer}"),
        Event::Enters(entered) => {
            format!("in no order of the calls is {} handed over now, with this outcome", letter(entered.nonce))
        }
        Event::AllTold => "in every order of the calls a hand-over is missing".to_owned(),
        _ => "no order of the calls explains this".to_owned(),
    }
}
