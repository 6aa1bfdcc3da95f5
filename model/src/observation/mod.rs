//! The observable result of one execution of a scenario: answers, hand-overs and reports.

pub mod event;
pub mod history;

use crate::scenario::names::{Nonce, Part, TASKS, Task, Value, letter, mark};
use std::collections::BTreeMap;
use std::fmt;

/// The return value of an operation; an operation that returns nothing leaves no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Answer {
    /// Whether a removal or a completion succeeded.
    Did(bool),
    /// The number of callbacks that a removal by tag found.
    Count(usize),
    /// The result of a read or a poll.
    Outcome(Option<Value>),
    /// The poll unwound, with the panic of its waker's clone.
    Panicked,
}

/// One callback handed over, with the outcome that it read then; a woken await reads none. A clone or a drop that has a
/// program is an entry of the same kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HandOver {
    pub nonce: Nonce,
    pub part: Part,
    pub saw: Option<Value>,
    /// The answers to its program.
    pub answers: Vec<Answer>,
    /// The hand-overs that were open when this one began.
    pub amid: Vec<Nonce>,
}

/// A report to a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Told {
    /// A callback of this task was dropped before it ran.
    Lost(Task),
    /// The scheduler of this task panicked.
    SchedulerPanicked(Task),
    CallbackPanicked(Nonce),
    DropPanicked(Nonce),
    WakerPanicked(Nonce),
    /// A task of a loop was abandoned.
    Abandoned,
    /// The panic of a task of a loop was never retrieved.
    NeverRetrieved,
    /// A loop was closed before this number of callbacks and functions had run.
    Closed(usize),
}

impl Told {
    /// Whether it reports a panic that the task layer caught.
    pub fn is_of_a_panic(self) -> bool {
        use Told::{CallbackPanicked, DropPanicked, SchedulerPanicked, WakerPanicked};
        matches!(self, CallbackPanicked(_) | DropPanicked(_) | SchedulerPanicked(_) | WakerPanicked(_))
    }
}

/// The answers of each thread, the hand-overs in their order, and the number of reports of each kind. On a loop, a last
/// row of answers holds the outcome of the task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Observation {
    pub answers: Vec<Vec<Answer>>,
    pub handed: Vec<HandOver>,
    pub told: BTreeMap<Told, usize>,
}

impl HandOver {
    pub fn new(nonce: Nonce, saw: Option<Value>) -> Self {
        HandOver { nonce, part: Part::Call, saw, answers: Vec::new(), amid: Vec::new() }
    }
}

/// `true | 2, v0 -> a b saw v0`, `true -> a{false} saw v0 ~a{v0} saw nothing; told: a panicked`
impl fmt::Display for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, answers) in self.answers.iter().enumerate() {
            let answers = if answers.is_empty() { "-".to_owned() } else { join(answers) };
            write!(f, "{}{answers}", if i == 0 { "" } else { " | " })?;
        }
        f.write_str(" ->")?;
        for (i, hand_over) in self.handed.iter().enumerate() {
            write!(f, " {hand_over}")?;
            let is_call = hand_over.part == Part::Call;
            if is_call && self.handed.get(i + 1).is_none_or(|next| next.saw != hand_over.saw || next.part != Part::Call)
            {
                match hand_over.saw {
                    Some(value) => write!(f, " saw {value}")?,
                    None => f.write_str(" saw nothing")?,
                }
            }
        }
        for (i, (told, times)) in self.told.iter().enumerate() {
            write!(f, "{}{told}", if i == 0 { "; told: " } else { ", " })?;
            if *times > 1 {
                write!(f, " {times} times")?;
            }
        }
        Ok(())
    }
}

fn join(answers: &[Answer]) -> String {
    answers.iter().map(Answer::to_string).collect::<Vec<_>>().join(", ")
}

/// `a`, `~b{true, v0}`, `c{v0}amid a`
impl fmt::Display for HandOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", mark(self.part), letter(self.nonce))?;
        if !self.answers.is_empty() {
            write!(f, "{{{}}}", join(&self.answers))?;
        }
        if !self.amid.is_empty() {
            let amid: Vec<String> = self.amid.iter().map(|nonce| letter(*nonce)).collect();
            write!(f, " amid {}", amid.join(" and "))?;
        }
        Ok(())
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Told::Lost(task) => write!(f, "{} lost a callback", TASKS[*task]),
            Told::SchedulerPanicked(task) => write!(f, "the scheduler of {} panicked", TASKS[*task]),
            Told::CallbackPanicked(nonce) => write!(f, "{} panicked", letter(*nonce)),
            Told::DropPanicked(nonce) => write!(f, "the drop of {} panicked", letter(*nonce)),
            Told::WakerPanicked(nonce) => write!(f, "the waker {} panicked", letter(*nonce)),
            Told::Abandoned => f.write_str("a task was abandoned"),
            Told::NeverRetrieved => f.write_str("a panic was never retrieved"),
            Told::Closed(unrun) => write!(f, "closed before {unrun} had run"),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Did(did) => write!(f, "{did}"),
            Answer::Count(count) => write!(f, "{count}"),
            Answer::Outcome(Some(value)) => write!(f, "{value}"),
            Answer::Outcome(None) => f.write_str("pending"),
            Answer::Panicked => f.write_str("panicked"),
        }
    }
}
