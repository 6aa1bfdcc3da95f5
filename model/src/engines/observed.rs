//! The result of an exploration: what was observed, and how much of it was explored.

use crate::observation::Observation;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The observations of one scenario on one engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    pub executions: u64,
    /// The number of executions whose conformance was checked to their end.
    pub replayed: u64,
    pub extent: Extent,
    /// Each observation, with the number of executions that showed it.
    pub observations: BTreeMap<Observation, u64>,
    /// Each broken rule, with the number of executions that broke it.
    pub broken: BTreeMap<String, u64>,
}

impl Observed {
    /// Adds the executions of the part that follows in the order of the exploration, which ends as that part does.
    pub fn append(&mut self, next: Observed) {
        self.executions += next.executions;
        self.replayed += next.replayed;
        self.extent = next.extent;
        next.observations.into_iter().for_each(|(seen, times)| *self.observations.entry(seen).or_default() += times);
        next.broken.into_iter().for_each(|(rule, times)| *self.broken.entry(rule).or_default() += times);
    }
}

/// The extent of an exploration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// Cut short: given up, crashed, or never begun.
    #[default]
    Cut,
    /// A sample of the executions.
    Sampled,
    /// Every execution with at most this many preemptions.
    Bounded(usize),
    /// Every execution in which no sleep ends without a wake-up, and every one in which the first sleep on each word does; with
    /// at most this many preemptions, or with any number.
    FirstSleepSpurious(Option<usize>),
    /// Every execution.
    Complete,
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Extent::Cut => f.write_str("not to the end"),
            Extent::Sampled => f.write_str("a sample"),
            Extent::Bounded(preemptions) => write!(f, "at most {preemptions} preemptions"),
            Extent::FirstSleepSpurious(None) => write!(f, "any preemptions, {SPURIOUS}"),
            Extent::FirstSleepSpurious(Some(preemptions)) => write!(f, "at most {preemptions} preemptions, {SPURIOUS}"),
            Extent::Complete => f.write_str("no bound"),
        }
    }
}

/// The bound of the engine [`futex`](super::futex) on sleeps that end without a wake-up.
pub const SPURIOUS: &str = "spurious wake-ups in no sleep, or in the first one on each word";
