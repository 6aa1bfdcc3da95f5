//! The trace of one execution: its events in their order.

use super::{Answer, HandOver, Observation, Told};
use crate::scenario::names::{Nonce, Part, Task, Value, letter};
use crate::scenario::resolve::TaskStep;
use std::fmt;
use std::panic::Location;

/// The events of one execution, up to its end or to the point where it stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Number of the execution within the exploration, counted from 1.
    pub number: u64,
    /// The schedule, one digit for each step, if the engine can replay it.
    pub steps: String,
    pub events: Vec<(usize, Event)>,
    /// None if the execution did not finish.
    pub observation: Option<Observation>,
    pub broken: Vec<String>,
}

/// A place in a source file.
pub type Place = &'static Location<'static>;

/// One event of a thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The number of threads of the scenario.
    Has(usize),
    Begins(TaskStep),
    Ends(TaskStep, Option<Answer>),
    /// The type of what the lock guards, and the place of the call.
    Locks(&'static str, Place),
    /// The address of the lock, and the state that it guards, if that can be printed.
    Unlocks(usize, Option<String>),
    /// A lock is dropped. From now on another one may have its address.
    Frees(usize),
    /// Sets a write-once cell.
    Publishes,
    /// Reads a write-once cell: whether it was set, and the place of the call.
    Reads(bool, Place),
    /// Calls the scheduler with a callback of this task, or on a loop with an entry of its queue.
    Schedules(Option<Task>),
    Enters(HandOver),
    Leaves(Nonce, Part),
    /// Panics, as the scenario demands. The panic is caught, and then reported to a hook or to the caller.
    Panics,
    /// Catches a panic that reached the caller, as the scenario demands.
    Caught,
    Drops(Thing),
    /// Reports to a hook.
    Tells(Told),
    /// Breaks a rule.
    Breaks(String),
    /// The setup is finished, and the threads of the scenario begin.
    AllBegin,
    /// All threads of the scenario have finished.
    AllEnded,
    /// The observation is complete; later events are not part of it.
    AllTold,
}

impl Trace {
    /// Number of context switches between the threads of the scenario.
    pub fn switches(&self) -> usize {
        let threads = self.events.iter().skip_while(|(_, event)| *event != Event::AllBegin).skip(1);
        let threads: Vec<usize> =
            threads.take_while(|(_, event)| *event != Event::AllEnded).map(|(thread, _)| *thread).collect();
        threads.windows(2).filter(|pair| pair[0] != pair[1]).count()
    }
}

/// A value that must be dropped exactly once (P15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Thing {
    Callback(Nonce),
    Value(Value),
    /// The future of the loop's task.
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
