//! The linearizability check of a history: the search for an order of the specification's steps that gives these answers
//! and hand-overs, with each step between the tickets of its call.
//!
//! The search is that of Wing and Gong (Testing and verifying concurrent objects, 1993) with the memoization of Lowe
//! (Testing for linearizability, 2017): it never visits the same ticket with the same machine twice. It advances from
//! ticket to ticket, and takes steps only when a ticket requires one: a call cannot end before its step, and a callback
//! cannot be handed over before an agent owes it. Then it tries every call that has begun as the next one. It backtracks
//! as soon as an answer differs, or callbacks wait in another order than that in which they are handed over.

use crate::observation::event::Event;
use crate::observation::history::History;
use crate::observation::{Answer, HandOver};
use crate::scenario::names::{Nonce, letter};
use crate::scenario::resolve::{Resolved, Step};
use crate::spec::interleavings::Interleavings;
use crate::spec::machine::Machine;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

/// Limit of the search in steps. A history of hundreds of calls takes some hundreds.
const MOST: usize = 100_000;

/// A history that is not linearizable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotLinearizable {
    /// The first ticket that no order of steps can explain; one past the last if a call or hand-over is missing at the end.
    pub at: usize,
    pub rule: String,
    history: Box<History>,
}

impl History {
    /// Checks that the history is linearizable.
    ///
    /// # Errors
    ///
    /// If it is not, or if the search exceeds its limit.
    pub fn check(&self) -> Result<(), NotLinearizable> {
        let at = match Search::new(self).run() {
            Ok(()) => return Ok(()),
            Err(at) => at,
        };
        let Some(at) = at else {
            let rule = format!("harness: undecided after {MOST} steps of the search");
            return Err(NotLinearizable { at: 0, rule, history: Box::new(self.clone()) });
        };
        let timeless = match Search::new(&self.timeless()).run() {
            Ok(()) => "without its times, one does",
            Err(Some(_)) => "without its times, none does either",
            Err(None) => "without its times, this is undecided",
        };
        let rule = format!("{}: no order of the steps explains this history; {timeless}", self.property(at));
        Err(NotLinearizable { at, rule, history: Box::new(self.clone()) })
    }

    /// This history without times: every call begins before any ends.
    fn timeless(&self) -> History {
        let mut history = self.clone();
        history.events.sort_by_key(|(_, event)| match event {
            Event::Begins(_) => 0,
            Event::Ends(..) => 2,
            _ => 1,
        });
        history
    }

    /// The property that this ticket violates, as far as it can be determined.
    fn property(&self, at: usize) -> &'static str {
        match self.events.get(at).map(|(_, event)| event) {
            Some(Event::Ends((_, step), answer)) => self.property_of_answer(at, *step, *answer),
            Some(Event::Enters(HandOver { nonce, .. })) => self.property_of_hand_over(at, *nonce),
            Some(_) => "P8",
            None => "P5",
        }
    }

    fn property_of_answer(&self, at: usize, step: Step, answer: Option<Answer>) -> &'static str {
        let is_completion = |(_, event): &(usize, Event)| matches!(event, Event::Ends((_, Step::Complete(_)), DID));
        match step {
            Step::Complete(_) if answer == DID => {
                let mut others = self.events.iter().enumerate().filter(|(place, _)| *place != at);
                if others.any(|(_, event)| is_completion(event)) { "P1" } else { "P5" }
            }
            Step::Complete(_) => "P1",
            Step::Read | Step::Print if answer == Some(Answer::Outcome(None)) => "P3",
            Step::Read | Step::Print => "P2",
            Step::Remove(None) => "P10",
            Step::Remove(Some(_)) | Step::RemoveAll => "P9",
            // It waits in one place and is handed over in another.
            Step::Add { nonce, .. } | Step::Poll(nonce) | Step::PollAgain(nonce)
                if enters(&self.events[at..], nonce) =>
            {
                "P7"
            }
            Step::Poll(_) | Step::PollAgain(_) => "P17",
            _ => "P5",
        }
    }

    fn property_of_hand_over(&self, at: usize, nonce: Nonce) -> &'static str {
        let before = &self.events[..at];
        let is_removal = |(_, event): &(usize, Event)| match event {
            Event::Ends((_, Step::Remove(removed)), answer) => (*removed, *answer) == (Some(nonce), DID),
            _ => false,
        };
        let completes =
            |(_, event): &(usize, Event)| matches!(event, Event::Begins((_, Step::Complete(_) | Step::DropCompleter)));
        if enters(before, nonce) {
            "P4"
        } else if self.events.iter().any(is_removal) {
            "P9"
        } else if !self.scenario.done && !before.iter().any(completes) {
            "P6"
        } else {
            "P7"
        }
    }
}

const DID: Option<Answer> = Some(Answer::Did(true));

/// The search for an explanation.
struct Search<'a> {
    events: &'a [(usize, Event)],
    interleavings: Interleavings,
    plan: Arc<Resolved>,
    /// The answer to each call of each thread.
    calls: Vec<Vec<Option<Answer>>>,
    /// The answers to each thread, calls without one left out.
    answers: Vec<Vec<Answer>>,
    /// Numbers of calls of each thread that have begun and ended, at each ticket.
    begun: Vec<Vec<usize>>,
    ended: Vec<Vec<usize>>,
    /// The callbacks in the order of their hand-overs, and the place of each in it.
    handed: Vec<Nonce>,
    places: Vec<Option<usize>>,
    furthest: usize,
}

impl<'a> Search<'a> {
    fn new(history: &'a History) -> Self {
        let plan = history.scenario.resolved().clone();
        let interleavings = Interleavings::timed(&history.scenario);
        let agents = plan.threads.len() + 1;
        let (mut calls, mut begun, mut ended) =
            (vec![Vec::new(); agents], vec![vec![0; agents]], vec![vec![0; agents]]);
        let handed = interleavings.start().shown.handed;
        let mut handed: Vec<Nonce> = handed.iter().map(|hand_over| hand_over.nonce).collect();
        for &(thread, ref event) in &history.events {
            let (mut begins, mut ends) = (begun[begun.len() - 1].clone(), ended[ended.len() - 1].clone());
            match event {
                Event::Begins(_) => begins[thread] += 1,
                Event::Ends(_, answer) => {
                    ends[thread] += 1;
                    calls[thread].push(*answer);
                }
                Event::Enters(hand_over) => handed.push(hand_over.nonce),
                _ => {}
            }
            begun.push(begins);
            ended.push(ends);
        }
        let places =
            (0..plan.registrations.len()).map(|nonce| handed.iter().position(|handed| *handed == nonce)).collect();
        let answers = calls.iter().map(|calls| calls.iter().copied().flatten().collect()).collect();
        Search {
            events: &history.events,
            interleavings,
            plan,
            calls,
            answers,
            begun,
            ended,
            handed,
            places,
            furthest: 0,
        }
    }

    /// Searches for an explanation.
    ///
    /// # Errors
    ///
    /// With the ticket that it cannot pass; none if it exceeds its limit.
    fn run(mut self) -> Result<(), Option<usize>> {
        let mut seen = HashSet::new();
        let mut open = vec![(0, self.settled(self.interleavings.start()))];
        let mut steps = 0;
        while let Some((at, machine)) = open.pop() {
            steps += 1;
            if steps > MOST {
                return Err(None);
            }
            self.furthest = self.furthest.max(at);
            match self.passes(at, &machine) {
                Passage::Free if at == self.events.len() => return Ok(()),
                Passage::Free => open.push((at + 1, machine)),
                Passage::With(after) => open.push((at + 1, after)),
                Passage::Never => {}
                Passage::NotYet(thread) => {
                    let others = (0..machine.agents()).filter(|agent| *agent != thread);
                    // The agent that the ticket waits for comes last on the stack, and so is tried first.
                    let next: Vec<_> =
                        others.chain([thread]).filter_map(|agent| self.step(at, &machine, agent)).collect();
                    if next.len() < 2 || seen.insert((at, machine)) {
                        open.extend(next.into_iter().map(|next| (at, next)));
                    }
                }
            }
        }
        Err(Some(self.furthest))
    }

    /// Whether the search can pass this ticket.
    fn passes(&self, at: usize, machine: &Machine) -> Passage {
        let Some(&(thread, ref event)) = self.events.get(at) else {
            let is_over = (0..machine.agents()).all(|agent| machine.is_idle(agent));
            return if is_over { Passage::Free } else { Passage::NotYet(machine.agents() - 1) };
        };
        let is_free = match event {
            Event::Begins(_) => true,
            Event::Ends(..) => machine.has_finished(thread, self.ended[at][thread]),
            _ => false,
        };
        // A hand-over that begins or ends has a ticket; if the next step is one, this ticket must be its.
        let next = if is_free { None } else { self.interleavings.after(machine, thread) };
        let timed = next.filter(|next| is_timed(machine, next));
        match (event, timed) {
            _ if is_free => Passage::Free,
            (Event::Enters(hand_over), Some(next)) if entered(machine, &next) == Some(hand_over) => Passage::With(next),
            (Event::Leaves(..), Some(next)) if entered(machine, &next).is_none() => Passage::With(next),
            (Event::Leaves(..), _) | (_, Some(_)) => Passage::Never,
            (_, None) => Passage::NotYet(thread),
        }
    }

    /// The machine after the agent's next step, if its call has begun, and if the step needs no ticket of its own: it
    /// neither begins nor ends a hand-over.
    fn step(&self, at: usize, machine: &Machine, agent: usize) -> Option<Machine> {
        if machine.operation(agent).is_some_and(|call| call >= self.begun[at][agent]) {
            return None;
        }
        let next = self.interleavings.after(machine, agent)?;
        if is_timed(machine, &next) || !self.is_right(&next, agent) { None } else { Some(self.settled(next)) }
    }

    /// Takes every possible step that no other agent can notice: operations that take no lock and find nothing, and the
    /// end of a drain.
    fn settled(&self, mut machine: Machine) -> Machine {
        while let Some(next) = (0..machine.agents()).find_map(|agent| {
            let is_free = machine.is_leaving(agent)
                || machine.operation(agent).is_some_and(|call| self.is_unordered(agent, call));
            let next = if is_free { self.interleavings.after(&machine, agent) } else { None };
            next.filter(|next| self.is_right(next, agent))
        }) {
            machine = next;
        }
        machine
    }

    /// Whether the call takes no lock of the core and finds no outcome: only happens-before bounds it.
    fn is_unordered(&self, thread: usize, call: usize) -> bool {
        match self.plan.threads[thread][call].1 {
            Step::Remove(None) | Step::DropHandle | Step::Signal(_) | Step::Wait(_) | Step::Panic => true,
            Step::Read | Step::Print => self.calls[thread].get(call) == Some(&Some(Answer::Outcome(None))),
            _ => false,
        }
    }

    /// Whether the answers to this agent and the order of callbacks agree with the history.
    fn is_right(&self, machine: &Machine, agent: usize) -> bool {
        let answered = machine.shown.answers.get(agent);
        let spec = machine.cell(0);
        let places = spec.waiting().filter_map(|nonce| self.places[nonce]);
        answered.is_none_or(|answered| self.answers[agent].starts_with(answered))
            && spec.scheduled().iter().zip(&self.handed).all(|(scheduled, handed)| scheduled == handed)
            && places.is_sorted()
    }
}

/// Whether this callback is handed over among these events.
fn enters(events: &[(usize, Event)], nonce: Nonce) -> bool {
    events.iter().any(|(_, event)| matches!(event, Event::Enters(entered) if entered.nonce == nonce))
}

/// The result of the search at a ticket.
enum Passage {
    Free,
    /// The ticket is that of a step, which leads to this machine.
    With(Machine),
    /// Another step must come before, most likely of this agent.
    NotYet(usize),
    Never,
}

/// The hand-over that begins with this step.
fn entered<'m>(before: &Machine, after: &'m Machine) -> Option<&'m HandOver> {
    after.shown.handed.get(before.shown.handed.len())
}

/// Whether a hand-over begins or ends with this step.
fn is_timed(before: &Machine, after: &Machine) -> bool {
    before.inside() != after.inside()
}

/// The violated property, the first unexplained ticket, and the table of the history.
impl fmt::Display for NotLinearizable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NotLinearizable { at, rule, history } = self;
        let what = match history.events.get(*at) {
            Some((thread, Event::Ends(_, Some(answer)))) => format!("the answer {answer} to T{thread}"),
            Some((thread, Event::Ends(_, None))) => format!("the end of a call of T{thread}"),
            Some((thread, Event::Enters(hand_over))) => {
                format!("the hand-over of {} by T{thread}", letter(hand_over.nonce))
            }
            Some((thread, _)) => format!("the next event of T{thread}"),
            None => "the end: some work is left undone".to_owned(),
        };
        write!(f, "{rule}\nexplained up to ticket {at}; unexplained: {what}\n{history}")
    }
}
