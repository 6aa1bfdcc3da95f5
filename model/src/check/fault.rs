//! The way in which a scenario fails: the property that an execution breaks.

use crate::observation::{Answer, HandOver, Observation, Told};
use crate::protocol::properties::has_twice;
use crate::scenario::names::{Nonce, POLL, Part, SCHEDULER, Task, Value};
use crate::scenario::resolve::{Step, TaskStep};
use crate::scenario::{Scenario, Scheduler};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// The short names of the properties P1 to P22, in their order, as in docs/RULES.md.
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

/// A failure in a few words. Two failures with equal faults fail in the same way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Breaks the property with this number.
    Breaks(usize),
    /// Shows an observation that is not allowed, and that contradicts no property by name.
    NotAllowed,
    /// Makes the engine or the harness give up.
    Fails(String),
    /// Does not show an allowed observation.
    Missing,
}

impl Fault {
    /// Classifies a violation reported by an engine; a leading `P8:` names the property.
    pub fn of_rule(rule: &str) -> Self {
        let property = rule.strip_prefix('P').and_then(|rest| rest.split_once(':'));
        match property.and_then(|(number, _)| number.parse().ok()) {
            Some(number @ 1..=22) => Fault::Breaks(number),
            _ if rule.trim_start_matches("panicked: ").starts_with("deadlock") => Fault::Breaks(18),
            // What follows are details of this one execution.
            _ => Fault::Fails(rule.split([';', '\n']).next().unwrap_or_default().to_owned()),
        }
    }

    /// Classifies an observation that is not allowed.
    pub fn of_observation(scenario: &Scenario, allowed: &BTreeSet<Observation>, extra: &Observation) -> Self {
        let tasks = 0..scenario.resolved().tasks;
        let mut numbers = tasks.filter_map(|task| Facts::new(scenario, extra, task).broken());
        let number = numbers.next();
        let number = number.or_else(|| is_only_misreported(allowed, extra).then_some(14));
        let number = number.or_else(|| is_only_overlapping(allowed, extra).then_some(8));
        let number = number.or_else(|| is_only_misordered(allowed, extra).then_some(7));
        number.map_or(Fault::NotAllowed, Fault::Breaks)
    }

    /// The faults of these broken rules and of these observations.
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

/// True if everything but the reports to the hook is allowed.
fn is_only_misreported(allowed: &BTreeSet<Observation>, extra: &Observation) -> bool {
    allowed.iter().any(|allowed| allowed.answers == extra.answers && allowed.handed == extra.handed)
}

/// True if the answers and the order of the callbacks are allowed, and one runs inside another that must not.
fn is_only_overlapping(allowed: &BTreeSet<Observation>, extra: &Observation) -> bool {
    allowed.iter().any(|allowed| allowed.answers == extra.answers && apart(allowed) == apart(extra))
}

/// True if the answers and the set of callbacks are allowed, and only their order is not.
fn is_only_misordered(allowed: &BTreeSet<Observation>, extra: &Observation) -> bool {
    let sorted = |observation: &Observation| {
        let mut handed = apart(observation);
        handed.sort();
        handed
    };
    allowed.iter().any(|allowed| allowed.answers == extra.answers && sorted(allowed) == sorted(extra))
}

/// The hand-overs without the callbacks that they began in.
fn apart(observation: &Observation) -> Vec<HandOver> {
    let mut handed = observation.handed.clone();
    handed.iter_mut().for_each(|hand_over| hand_over.amid.clear());
    handed
}

/// The facts about one task that an observation contains.
#[derive(Default)]
struct Facts {
    task: Task,
    /// True if the task's scheduler runs nothing.
    is_refused: bool,
    /// The number of completions that were answered `true`.
    completions: usize,
    /// The outcome that the first of them wrote.
    written: Option<Value>,
    /// True if a completion was tried.
    tried: bool,
    /// True if the completer was dropped, or the loop closed.
    abandoned: bool,
    is_on_loop: bool,
    /// The number of callbacks and functions that a loop's hook reported as lost.
    lost: usize,
    foreign_removed: bool,
    added: Vec<Nonce>,
    removed: Vec<Nonce>,
    removed_by_tag: usize,
    /// The callbacks whose removal was answered `false`.
    kept: Vec<Nonce>,
    /// The last waker of each await that was answered `pending`.
    wakers: Vec<Nonce>,
    handed: Vec<Nonce>,
    /// The outcomes that the callbacks read.
    read: Vec<Option<Value>>,
    /// The outcomes that each thread and program learned, in its order.
    learned: Vec<Vec<Learned>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Learned {
    Refused,
    Read(Option<Value>),
}

impl Facts {
    fn new(scenario: &Scenario, observation: &Observation, task: Task) -> Self {
        let plan = scenario.resolved();
        let of_task = |nonce: Nonce| nonce != SCHEDULER && plan.registrations[nonce].task == task;
        let done = task == 0 && scenario.done;
        let is_refused = matches!(scenario.scheduler, Some(Scheduler::Refuse | Scheduler::Panic));
        let completions = usize::from(done);
        let mut facts = Facts { task, is_refused, completions, ..Facts::default() };
        facts.written = done.then_some(Value::Finished(0));
        if scenario.script().is_some() {
            (facts.is_on_loop, facts.abandoned) = (true, true);
            facts.lost = observation.told.get(&Told::Lost(task)).copied().unwrap_or(0);
        }
        facts.program(plan.setup.iter().filter(|(_, step)| matches!(step, Step::Add { .. })), &[], &of_task);
        for (steps, answers) in plan.threads.iter().zip(&observation.answers) {
            facts.program(steps, answers, &of_task);
        }
        let handed = || observation.handed.iter().filter(|hand_over| hand_over.nonce != POLL);
        for hand_over in &observation.handed {
            facts.program(plan.program(hand_over.nonce, hand_over.part), &hand_over.answers, &of_task);
        }
        let calls = handed().filter(|hand_over| hand_over.part == Part::Call && of_task(hand_over.nonce));
        facts.handed = calls.clone().map(|hand_over| hand_over.nonce).collect();
        let callbacks = calls.filter(|hand_over| facts.added.contains(&hand_over.nonce));
        facts.read = callbacks.map(|hand_over| hand_over.saw).collect();
        facts
    }

    /// Adds the facts from one thread, or from one callback's program.
    fn program<'a>(
        &mut self,
        steps: impl IntoIterator<Item = &'a TaskStep>,
        answers: &[Answer],
        of_task: &impl Fn(Nonce) -> bool,
    ) {
        let (mut answers, mut waker, mut learned) = (answers.iter(), None, Vec::new());
        for &(task, step) in steps {
            let is_answered =
                matches!(step, Step::Remove(_) | Step::RemoveAll | Step::Complete(_) | Step::Read | Step::Poll(_))
                    || matches!(
                        step,
                        Step::PollAgain(_) | Step::Print | Step::Soon(_) | Step::Nap { .. } | Step::Close
                    );
            let answer = if is_answered { answers.next().copied() } else { None };
            let is_ours = match step {
                Step::Remove(Some(nonce)) => of_task(nonce),
                Step::DropAwait => true,
                _ => task == self.task,
            };
            learned.extend(if is_ours { self.step(step, answer, &mut waker) } else { None });
        }
        self.wakers.extend(waker);
        self.learned.push(learned);
    }

    /// Adds the facts from one answered step, and returns the outcome that it learned.
    fn step(&mut self, step: Step, answer: Option<Answer>, waker: &mut Option<Nonce>) -> Option<Learned> {
        match step {
            Step::Add { nonce, .. } => self.added.push(nonce),
            Step::Remove(nonce) => match (nonce, answer == Some(Answer::Did(true))) {
                (Some(nonce), true) => self.removed.push(nonce),
                (Some(nonce), false) => self.kept.push(nonce),
                (None, did) => self.foreign_removed |= did,
            },
            Step::RemoveAll => {
                if let Some(Answer::Count(count)) = answer {
                    self.removed_by_tag += count;
                }
            }
            Step::Complete(value) => {
                self.tried = true;
                if answer != Some(Answer::Did(true)) {
                    return Some(Learned::Refused);
                }
                // For the task of a loop a cancellation is only a request.
                if !self.is_on_loop {
                    self.completions += 1;
                    self.written.get_or_insert(value);
                }
            }
            Step::Read | Step::Print | Step::Poll(_) | Step::PollAgain(_) => {
                let Some(Answer::Outcome(outcome)) = answer else { return None };
                if let Step::Poll(nonce) | Step::PollAgain(nonce) = step {
                    *waker = outcome.is_none().then_some(nonce);
                }
                return Some(Learned::Read(outcome));
            }
            Step::DropAwait => *waker = None,
            Step::DropCompleter => self.abandoned = true,
            Step::Signal(_) | Step::Wait(_) | Step::DropHandle | Step::Panic => {}
            Step::Wake | Step::Soon(_) | Step::Spawn(_) | Step::Run | Step::RunBriefly | Step::Close => {}
            Step::Nap { .. } | Step::DropNap(_) | Step::AwaitNap(_) => {}
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
            (5, done && !self.is_refused && left > self.removed_by_tag + self.lost),
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

    /// The outcomes that were written or read: in a correct execution there is at most one.
    fn values(&self) -> BTreeSet<Value> {
        let learned = self.learned.iter().flatten();
        let learned = learned.filter_map(|learned| if let Learned::Read(read) = learned { *read } else { None });
        learned.chain(self.read.iter().copied().flatten()).chain(self.written).collect()
    }
}
