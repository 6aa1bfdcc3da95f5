//! What a verification found: counted as it comes, printed as a table, written as JSON.

use crate::check::fault::Fault;
use crate::engines::catalog::Engine;
use crate::project::sources::Core;
use crate::runner::count::Count;
use crate::runner::count::Outcomes;
use crate::runner::count::Scenarios;
use crate::runner::plan::Shard;
use crate::universe::Tier;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    pub green: bool,
    pub core: Core,
    /// A digest of what decides about executions besides it.
    pub sources: String,
    /// Which part of the deep run this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    pub scenarios: Scenarios,
    /// On the mutex stand-in.
    pub executions: u64,
    /// On both stand-ins: executions that were replayed step by step through the protocol.
    pub replayed: u64,
    /// On the mutex stand-in, which must be equal.
    pub outcomes: Outcomes,
    pub tiers: BTreeMap<Tier, Count>,
    /// The atomic stand-in, over the same programs: contained, and blind where the pinned list says.
    pub atomic: Count,
    /// Engines that give a second opinion or take a sample, each over programs of its own.
    pub others: BTreeMap<Engine, Count>,
    /// Allowed outcomes that loom does not show with the atomic stand-in.
    pub blind_spots: BTreeSet<String>,
    pub failures: Vec<Failure>,
    /// What is not as it is pinned.
    pub changes: Vec<String>,
    pub workers: usize,
    pub seconds: f64,
    /// Programs that an earlier run had done already, in seconds that are not counted here.
    #[serde(default)]
    pub resumed: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    pub scenario: String,
    pub engine: Engine,
    pub faults: BTreeSet<Fault>,
    pub what: String,
    /// Its smallest form, of the first few that fail in different ways.
    pub exhibit: Option<String>,
}

impl Report {
    /// Adds what was found in other programs, by the same means.
    pub fn include(&mut self, other: Report) {
        self.green &= other.green;
        self.scenarios.include(&other.scenarios);
        self.executions += other.executions;
        self.replayed += other.replayed;
        self.outcomes.include(&other.outcomes);
        other.tiers.iter().for_each(|(tier, count)| self.tiers.entry(*tier).or_default().include(count));
        other.others.iter().for_each(|(engine, count)| self.others.entry(*engine).or_default().include(count));
        self.atomic.include(&other.atomic);
        self.blind_spots.extend(other.blind_spots);
        self.failures.extend(other.failures);
        self.changes.extend(other.changes);
        self.workers += other.workers;
        self.seconds = self.seconds.max(other.seconds);
        self.resumed += other.resumed;
    }
}
