//! The events of one execution, in their order: its trace.

use super::{Answer, HandOver, Observation, Told};
use crate::scenario::names::Value;
use crate::scenario::names::{Nonce, Part, Task, letter};
use crate::scenario::resolve::TaskStep;
use std::fmt;

/// One execution, as far as it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Its place in the exploration, counted from 1.
    pub number: u64,
    /// Which task took each step, a digit for each, if the machine can be told to take them again.
    pub steps: String,
    pub acts: Vec<(usize, Event)>,
    /// None if it did not come to its end.
    pub observation: Option<Observation>,
    pub broken: Vec<String>,
}

/// What a thread does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The scenario has so many threads.
    Has(usize),
    Begins(TaskStep),
    Ends(TaskStep, Option<Answer>),
    Locks,
    /// Which lock, by its address, and what it guarded then, if that prints itself.
    Unlocks(usize, Option<String>),
    /// A lock is no more. Another one may lie at its address from now on.
    Frees(usize),
    /// Writes into a write-once cell.
    Publishes,
    /// Looks into a write-once cell, and whether something was there.
    Reads(bool),
    /// Calls the scheduler: with a callback of this task, or on a loop with whatever is queued there.
    Schedules(Option<Task>),
    Enters(HandOver),
    Leaves(Nonce, Part),
    /// Panics, as the scenario says. That is contained, and then a hook is told.
    Panics,
    Drops(Thing),
    /// Tells a hook.
    Tells(Told),
    /// Breaks a rule.
    Breaks(String),
    /// The setup is through, and the threads of the scenario begin.
    AllBegin,
    /// All threads of the scenario are through.
    AllEnded,
    /// What comes now is no part of the observation.
    AllTold,
}

impl Trace {
    /// How often another thread goes on while the threads of the scenario run.
    pub fn switches(&self) -> usize {
        let threads = self.acts.iter().skip_while(|(_, act)| *act != Event::AllBegin).skip(1);
        let threads: Vec<usize> =
            threads.take_while(|(_, act)| *act != Event::AllEnded).map(|(thread, _)| *thread).collect();
        threads.windows(2).filter(|pair| pair[0] != pair[1]).count()
    }
}

/// What is dropped once, and only once (P15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Thing {
    Callback(Nonce),
    Value(Value),
    /// Of the loop's task.
    Future,
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Thing::Callback(nonce) => f.write_str(&letter(*nonce)),
            Thing::Value(value) => value.fmt(f),
            Thing::Future => f.write_str("the future"),
        }
    }
}
