//! What one execution of a scenario shows to its clients: the answers, and the hand-overs.

pub mod event;
pub mod history;

use crate::scenario::names::letter;
use crate::scenario::names::mark;
use crate::scenario::names::{Nonce, Part, TASKS, Task, Value};
use std::collections::BTreeMap;
use std::fmt;

/// What an operation answered. Those that answer nothing leave none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Answer {
    /// Of a removal or a completion.
    Did(bool),
    /// Of the removal of a tag.
    Count(usize),
    /// Of a read or a poll.
    Outcome(Option<Value>),
}

/// One callback handed over, and the outcome that it read then; an await that is woken reads none. Or what the
/// clone or drop of one does, if it does something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HandOver {
    pub nonce: Nonce,
    pub part: Part,
    pub saw: Option<Value>,
    /// What its program was answered.
    pub answers: Vec<Answer>,
    /// Those that had begun and not ended when it began.
    pub amid: Vec<Nonce>,
}

/// What a hook was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Told {
    /// A callback of this task was dropped without having run.
    Lost(Task),
    /// The scheduler of this task panicked.
    SchedulerPanicked(Task),
    CallbackPanicked(Nonce),
    DropPanicked(Nonce),
    WakerPanicked(Nonce),
    /// A task of a loop was abandoned.
    Abandoned,
    /// Nobody looked at the panic of a task of a loop.
    NeverRetrieved,
    /// A loop was closed before so many callbacks and functions had run.
    Closed(usize),
}

impl Told {
    /// One that whoever is to tell of it has caught.
    pub fn is_of_a_panic(self) -> bool {
        use Told::{CallbackPanicked, DropPanicked, SchedulerPanicked, WakerPanicked};
        matches!(self, CallbackPanicked(_) | DropPanicked(_) | SchedulerPanicked(_) | WakerPanicked(_))
    }
}

/// The answers of each thread, on a loop with how the task ended behind them, the hand-overs in their order, and how often a hook was told what.
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
        }
    }
}
