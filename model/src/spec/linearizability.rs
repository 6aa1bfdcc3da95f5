//! Whether a history has an explanation: an order of the specification's steps with these answers and hand-overs, each
//! step between the tickets of its call.
//!
//! The search goes from ticket to ticket, and takes a step only when one is due: a call cannot end before its step was
//! taken, nor a callback be handed over before whoever hands it over owes it. Then it tries which of the calls that have
//! begun come first. It turns back at once where an answer is another one, or where what waits does so in another order
//! than that in which it is handed over; where it was before it does not go again.

use crate::observation::event::Event;
use crate::observation::history::History;
use crate::observation::{Answer, HandOver};
use crate::scenario::names::{Nonce, letter};
use crate::scenario::resolve::{Resolved, Step};
use crate::spec::interleavings::{Machine, World};
use std::collections::HashSet;
use std::fmt;

/// Where the search may go, at the most. A history of hundreds of calls takes some hundreds.
const MOST: usize = 100_000;

/// A history without an explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotLinearizable {
    /// The ticket that no search came past; behind the last one if something was left undone.
    pub at: usize,
    pub rule: String,
    history: Box<History>,
}

impl History {
    /// Explains it by the specification.
    ///
    /// # Errors
    ///
    /// If that cannot be done, or takes too long.
    pub fn check(&self) -> Result<(), NotLinearizable> {
        let at = match Search::new(self).run() {
            Ok(()) => return Ok(()),
            Err(at) => at,
        };
        let Some(at) = at else {
            let rule = format!("harness: no explanation was found in {MOST} steps, nor that there is none");
            return Err(NotLinearizable { at: 0, rule, history: Box::new(self.clone()) });
        };
        let timeless = match Search::new(&self.timeless()).run() {
            Ok(()) => "without the tickets there is one",
            Err(Some(_)) => "nor without the tickets",
            Err(None) => "whether there is one without the tickets is not known",
        };
        let rule = format!("{}: no order of the steps explains this history; {timeless}", self.property(at));
        Err(NotLinearizable { at, rule, history: Box::new(self.clone()) })
    }

    /// The same without times: everything begins before anything ends.
    fn timeless(&self) -> History {
        let mut history = self.clone();
        history.acts.sort_by_key(|(_, act)| match act {
            Event::Begins(_) => 0,
            Event::Ends(..) => 2,
            _ => 1,
        });
        history
    }

    /// What is promised there, as far as that can be told.
    fn property(&self, at: usize) -> &'static str {
        let any = |acts: &[(usize, Event)], is_it: &dyn Fn(&Event) -> bool| acts.iter().any(|(_, act)| is_it(act));
        let did = Some(Answer::Did(true));
        let (before, rest) = self.acts.split_at(at);
        match rest.first().map(|(_, act)| act) {
            Some(Event::Ends((_, step), answer)) => match step {
                Step::Complete(_) if *answer == did => {
                    let other =
                        |act: &Event| matches!(act, Event::Ends((_, Step::Complete(_)), answer) if *answer == did);
                    if any(before, &other) || any(&rest[1..], &other) { "P1" } else { "P5" }
                }
                Step::Complete(_) => "P1",
                Step::Read if *answer == Some(Answer::Outcome(None)) => "P3",
                Step::Read => "P2",
                Step::Remove(None) => "P10",
                Step::Remove(Some(_)) | Step::RemoveAll => "P9",
                // It waits where it is not handed over.
                Step::Add { nonce, .. } | Step::Poll(nonce) if any(rest, &|act| enters(act, *nonce)) => "P7",
                Step::Poll(_) => "P17",
                _ => "P5",
            },
            Some(Event::Enters(HandOver { nonce, .. })) => {
                let removes = |act: &Event| {
                    let removal = if let Event::Ends((_, Step::Remove(whom)), answer) = act {
                        Some((*whom, *answer))
                    } else {
                        None
                    };
                    removal == Some((Some(*nonce), did))
                };
                let completes =
                    |act: &Event| matches!(act, Event::Begins((_, Step::Complete(_) | Step::DropCompleter)));
                match () {
                    () if any(before, &|act| enters(act, *nonce)) => "P4",
                    () if any(&self.acts, &removes) => "P9",
                    () if !self.scenario.done && !any(before, &completes) => "P6",
                    () => "P7",
                }
            }
            Some(_) => "P8",
            None => "P5",
        }
    }
}

struct Search<'a> {
    acts: &'a [(usize, Event)],
    world: World,
    plan: Resolved,
    /// What each call of each thread answered.
    calls: Vec<Vec<Option<Answer>>>,
    /// What each thread answered, calls without an answer left out.
    answers: Vec<Vec<Answer>>,
    /// How many calls of each thread have begun and ended, at each ticket.
    begun: Vec<Vec<usize>>,
    ended: Vec<Vec<usize>>,
    /// In which order they are handed over, and the place of each therein.
    handed: Vec<Nonce>,
    places: Vec<Option<usize>>,
    furthest: usize,
}

impl<'a> Search<'a> {
    fn new(history: &'a History) -> Self {
        let plan = history.scenario.plan();
        let world = World::timed(&history.scenario);
        let agents = plan.threads.len() + 1;
        let (mut calls, mut begun, mut ended) =
            (vec![Vec::new(); agents], vec![vec![0; agents]], vec![vec![0; agents]]);
        let handed = world.start().shown.handed;
        let mut handed: Vec<Nonce> = handed.iter().map(|hand_over| hand_over.nonce).collect();
        for &(thread, ref act) in &history.acts {
            let (mut begins, mut ends) = (begun[begun.len() - 1].clone(), ended[ended.len() - 1].clone());
            match act {
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
        let places = (0..plan.bodies.len()).map(|nonce| handed.iter().position(|handed| *handed == nonce)).collect();
        let answers = calls.iter().map(|calls| calls.iter().copied().flatten().collect()).collect();
        Search { acts: &history.acts, world, plan, calls, answers, begun, ended, handed, places, furthest: 0 }
    }

    /// # Errors
    ///
    /// Which ticket it cannot come past; none if it gave up.
    fn run(mut self) -> Result<(), Option<usize>> {
        let mut seen = HashSet::new();
        let mut open = vec![(0, self.settled(self.world.start()))];
        let mut steps = 0;
        while let Some((at, machine)) = open.pop() {
            steps += 1;
            if steps > MOST {
                return Err(None);
            }
            self.furthest = self.furthest.max(at);
            match self.passes(at, &machine) {
                Passage::Through if at == self.acts.len() => return Ok(()),
                Passage::Through => open.push((at + 1, machine)),
                Passage::With(after) => open.push((at + 1, after)),
                Passage::Never => {}
                Passage::NotYet(thread) => {
                    let others = (0..machine.agents()).filter(|agent| *agent != thread);
                    // Whoever's turn it is goes first.
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

    /// Whether the search can go past this ticket.
    fn passes(&self, at: usize, machine: &Machine) -> Passage {
        let Some(&(thread, ref act)) = self.acts.get(at) else {
            let is_over = (0..machine.agents()).all(|agent| machine.is_idle(agent));
            return if is_over { Passage::Through } else { Passage::NotYet(machine.agents() - 1) };
        };
        let is_through = match act {
            Event::Begins(_) => true,
            Event::Ends(..) => machine.is_through(thread, self.ended[at][thread]),
            _ => false,
        };
        // A hand-over that begins or ends now has a ticket, which must be this one.
        let next = if is_through { None } else { self.world.after(machine, thread) };
        let timed = next.filter(|next| is_timed(machine, next));
        match (act, timed) {
            _ if is_through => Passage::Through,
            (Event::Enters(hand_over), Some(next)) if entered(machine, &next) == Some(hand_over) => Passage::With(next),
            (Event::Leaves(..), Some(next)) if entered(machine, &next).is_none() => Passage::With(next),
            (Event::Leaves(..), _) | (_, Some(_)) => Passage::Never,
            (_, None) => Passage::NotYet(thread),
        }
    }

    /// The agent's next step, if its call has begun and if no hand-over begins or ends by it, which has tickets.
    fn step(&self, at: usize, machine: &Machine, agent: usize) -> Option<Machine> {
        if machine.operation(agent).is_some_and(|call| call >= self.begun[at][agent]) {
            return None;
        }
        let next = self.world.after(machine, agent)?;
        if is_timed(machine, &next) || !self.is_right(&next, agent) { None } else { Some(self.settled(next)) }
    }

    /// Takes what needs no ticket as soon as it can be: what takes no lock and finds nothing, and what only this
    /// agent notices.
    fn settled(&self, mut machine: Machine) -> Machine {
        while let Some(next) = (0..machine.agents()).find_map(|agent| {
            let is_free = machine.is_leaving(agent)
                || machine.operation(agent).is_some_and(|call| self.is_unordered(agent, call));
            let next = if is_free { self.world.after(&machine, agent) } else { None };
            next.filter(|next| self.is_right(next, agent))
        }) {
            machine = next;
        }
        machine
    }

    /// True of what takes no lock of the core and did not find an outcome: only happens-before bounds it.
    fn is_unordered(&self, thread: usize, call: usize) -> bool {
        match self.plan.threads[thread][call].1 {
            Step::Remove(None) | Step::DropHandle | Step::Signal(_) | Step::Wait(_) => true,
            Step::Read => self.calls[thread].get(call) == Some(&Some(Answer::Outcome(None))),
            _ => false,
        }
    }

    /// False if this agent was answered otherwise, or if they are not handed over as they wait.
    fn is_right(&self, machine: &Machine, agent: usize) -> bool {
        let answered = machine.shown.answers.get(agent);
        let spec = machine.page(0);
        let places = spec.waiting().filter_map(|nonce| self.places[nonce]);
        answered.is_none_or(|answered| self.answers[agent].starts_with(answered))
            && spec.scheduled().iter().zip(&self.handed).all(|(scheduled, handed)| scheduled == handed)
            && places.is_sorted()
    }
}

fn enters(act: &Event, nonce: Nonce) -> bool {
    matches!(act, Event::Enters(entered) if entered.nonce == nonce)
}

/// What becomes of a search at a ticket.
enum Passage {
    Through,
    /// By the step that this ticket is of.
    With(Machine),
    /// Something must come before, and first of all of this agent.
    NotYet(usize),
    Never,
}

/// The hand-over that begins between the one and the other.
fn entered<'m>(before: &Machine, after: &'m Machine) -> Option<&'m HandOver> {
    after.shown.handed.get(before.shown.handed.len())
}

/// True if a hand-over begins or ends.
fn is_timed(before: &Machine, after: &Machine) -> bool {
    before.inside() != after.inside()
}

/// The rule, how far it goes, and the whole table.
impl fmt::Display for NotLinearizable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NotLinearizable { at, rule, history } = self;
        let what = match history.acts.get(*at) {
            Some((thread, Event::Ends(_, Some(answer)))) => format!("that T{thread} is answered {answer}"),
            Some((thread, Event::Ends(_, None))) => format!("that T{thread} is through with its call"),
            Some((thread, Event::Enters(hand_over))) => {
                format!("that T{thread} hands over {}", letter(hand_over.nonce))
            }
            Some((thread, _)) => format!("what T{thread} does"),
            None => "what is left undone".to_owned(),
        };
        write!(f, "{rule}\nexplained as far as ticket {at}, and not {what}\n{history}")
    }
}
