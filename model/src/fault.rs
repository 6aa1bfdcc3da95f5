//! In which way an execution is wrong: the property that it breaks.

use crate::observation::{Answer, Observation, POLL, Told};
use crate::scenario::{Scenario, Step};
use crate::spec::{Nonce, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// The properties P1 to P22, in their order.
const NAMES: [&str; 22] = [
    "one completion",
    "published first",
    "monotone",
    "at most once",
    "at least once",
    "never early",
    "FIFO",
    "serial",
    "honest remove",
    "narrow remove",
    "late add",
    "re-entrancy",
    "no user code under lock",
    "panic containment",
    "drop once",
    "abandoned",
    "no lost wake-up",
    "progress",
    "drain ends",
    "bounded memory",
    "auto traits",
    "conformance",
];

/// What is wrong, in a few words. Two failures with the same words fail in the same way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// A property, by its number.
    Breaks(usize),
    /// An observation that breaks no property that could be named.
    NotAllowed,
    /// The engine or the harness gave up.
    Fails(String),
    /// An allowed observation was not seen.
    Missing,
}

impl Fault {
    /// Of a rule that an engine found broken. Properties stand in front: `P8: ..`.
    pub fn of_rule(rule: &str) -> Self {
        let property = rule.strip_prefix('P').and_then(|rest| rest.split_once(':'));
        match property.and_then(|(number, _)| number.parse().ok()) {
            Some(number @ 1..=22) => Fault::Breaks(number),
            _ if rule.starts_with("panicked: deadlock") => Fault::Breaks(18),
            // What follows are details of this one execution.
            _ => Fault::Fails(rule.split([';', '\n']).next().unwrap_or_default().to_owned()),
        }
    }

    /// Of an observation that is not allowed.
    pub fn of_observation(scenario: &Scenario, allowed: &BTreeSet<Observation>, extra: &Observation) -> Self {
        let number = Facts::new(scenario, extra).broken().or_else(|| is_only_misordered(allowed, extra).then_some(7));
        number.map_or(Fault::NotAllowed, Fault::Breaks)
    }

    /// Everything that is wrong with these broken rules and these observations.
    pub fn all<'a>(
        scenario: &Scenario,
        allowed: &BTreeSet<Observation>,
        broken: impl IntoIterator<Item = &'a String>,
        seen: impl IntoIterator<Item = &'a Observation>,
    ) -> BTreeSet<Self> {
        let extra = seen.into_iter().filter(|seen| !allowed.contains(seen));
        let extra = extra.map(|extra| Fault::of_observation(scenario, allowed, extra));
        broken.into_iter().map(|rule| Fault::of_rule(rule)).chain(extra).collect()
    }
}

/// `P7 FIFO`
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Breaks(number) => write!(f, "P{number} {}", NAMES[number - 1]),
            Fault::NotAllowed => f.write_str("not allowed by the specification"),
            Fault::Fails(what) => f.write_str(what),
            Fault::Missing => f.write_str("an allowed outcome is missing"),
        }
    }
}

/// The same answers and the same callbacks, in an order that is not allowed.
fn is_only_misordered(allowed: &BTreeSet<Observation>, extra: &Observation) -> bool {
    let sorted = |observation: &Observation| {
        let mut handed = observation.handed.clone();
        handed.sort();
        handed
    };
    allowed.iter().any(|allowed| allowed.answers == extra.answers && sorted(allowed) == sorted(extra))
}

/// What an observation says, drawn out of it.
#[derive(Default)]
struct Facts {
    /// How often the task was completed, according to those who did it.
    completions: usize,
    /// What the first of them wrote.
    written: Option<Value>,
    /// A completion was tried.
    tried: bool,
    /// The completer was dropped, or the loop closed.
    abandoned: bool,
    /// How many callbacks and functions the hook was told of that will never run.
    lost: usize,
    is_on_loop: bool,
    foreign_removed: bool,
    added: Vec<Nonce>,
    removed: Vec<Nonce>,
    removed_by_tag: usize,
    /// What removals left where it was.
    kept: Vec<Nonce>,
    /// The last waker of each await that was told to wait.
    wakers: Vec<Nonce>,
    handed: Vec<Nonce>,
    /// What the callbacks read.
    read: Vec<Option<Value>>,
    /// What each thread learned of the outcome, in its order.
    learned: Vec<Vec<Learned>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Learned {
    Refused,
    Read(Option<Value>),
}

impl Facts {
    fn new(scenario: &Scenario, observation: &Observation) -> Self {
        let mut facts = Facts {
            completions: usize::from(scenario.done),
            written: scenario.done.then_some(Value::Finished(0)),
            added: (0..scenario.setup.len()).collect(),
            is_on_loop: scenario.script().is_some(),
            abandoned: scenario.script().is_some(),
            lost: observation.answers.iter().flatten().filter(|answer| **answer == Answer::Told(Told::Lost)).count(),
            handed: observation.handed.iter().map(|hand_over| hand_over.nonce).filter(|nonce| *nonce != POLL).collect(),
            ..Facts::default()
        };
        for (steps, answers) in scenario.steps().iter().zip(&observation.answers) {
            let (mut answers, mut waker, mut learned) = (answers.iter(), None, Vec::new());
            for step in steps {
                learned.extend(facts.take_in(*step, &mut answers, &mut waker));
            }
            facts.wakers.extend(waker);
            facts.learned.push(learned);
        }
        let callbacks = observation.handed.iter().filter(|hand_over| facts.added.contains(&hand_over.nonce));
        facts.read = callbacks.map(|hand_over| hand_over.saw).collect();
        facts
    }

    fn take_in<'a>(
        &mut self,
        step: Step,
        answers: &mut impl Iterator<Item = &'a Answer>,
        waker: &mut Option<Nonce>,
    ) -> Option<Learned> {
        match step {
            Step::Add { nonce, .. } => self.added.push(nonce),
            Step::Remove(nonce) => match (nonce, answers.next() == Some(&Answer::Did(true))) {
                (Some(nonce), true) => self.removed.push(nonce),
                (Some(nonce), false) => self.kept.push(nonce),
                (None, did) => self.foreign_removed |= did,
            },
            Step::RemoveAll => {
                if let Some(Answer::Count(count)) = answers.next() {
                    self.removed_by_tag += count;
                }
            }
            Step::Complete(value) => {
                self.tried = true;
                if answers.next() != Some(&Answer::Did(true)) {
                    return Some(Learned::Refused);
                }
                // To the task of a loop it is a request.
                if !self.is_on_loop {
                    self.completions += 1;
                    self.written.get_or_insert(value);
                }
            }
            Step::Read | Step::Poll(_) => {
                let Some(Answer::Outcome(outcome)) = answers.next() else { return None };
                if let Step::Poll(nonce) = step {
                    *waker = outcome.is_none().then_some(nonce);
                }
                return Some(Learned::Read(*outcome));
            }
            Step::DropAwait => *waker = None,
            Step::DropCompleter => self.abandoned = true,
            Step::Signal(_) | Step::Wait(_) | Step::DropHandle => {}
            Step::Wake | Step::Soon(_) | Step::Spawn(_) | Step::Run | Step::RunBriefly | Step::Close => {}
        }
        None
    }

    /// The number of the first property that these facts contradict.
    fn broken(&self) -> Option<usize> {
        let done = self.completions > 0 || self.abandoned;
        let gone = |nonce| self.handed.contains(nonce) || self.removed.contains(nonce);
        let left = self.added.iter().filter(|nonce| !gone(nonce)).count();
        let rules = [
            (1, self.completions > 1 || (self.tried && !done)),
            (4, has_twice(&self.handed)),
            (6, !done && !self.handed.is_empty()),
            (10, self.foreign_removed),
            (9, has_twice(&self.removed) || self.removed.iter().any(|nonce| self.handed.contains(nonce))),
            (9, !done && self.removed_by_tag == 0 && self.kept.iter().any(|nonce| !gone(nonce))),
            (3, self.reads_nothing_after(|learned| matches!(learned, Learned::Read(Some(_))))),
            (2, self.reads_nothing_after(|learned| learned == Learned::Refused)),
            (2, self.read.contains(&None) || self.values().len() > 1),
            (5, done && left > self.removed_by_tag + self.lost),
            (17, done && self.wakers.iter().any(|waker| !self.handed.contains(waker))),
        ];
        rules.into_iter().find(|(_, broken)| *broken).map(|(number, _)| number)
    }

    fn reads_nothing_after(&self, knows: impl Fn(Learned) -> bool) -> bool {
        self.learned.iter().any(|learned| {
            let later = learned.iter().skip_while(|learned| !knows(**learned));
            later.into_iter().any(|learned| *learned == Learned::Read(None))
        })
    }

    /// Every outcome that was written or read, of which there can be but one.
    fn values(&self) -> BTreeSet<Value> {
        let learned = self.learned.iter().flatten();
        let learned = learned.filter_map(|learned| if let Learned::Read(read) = learned { *read } else { None });
        learned.chain(self.read.iter().copied().flatten()).chain(self.written).collect()
    }
}

fn has_twice(nonces: &[Nonce]) -> bool {
    nonces.iter().enumerate().any(|(at, nonce)| nonces[..at].contains(nonce))
}
