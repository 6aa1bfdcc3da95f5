//! The report of a run: printed as a table, written as JSON.

use crate::check::fault::Fault;
use crate::engines::catalog::Engine;
use crate::project::sources::Core;
use crate::runner::clients::Clients;
use crate::runner::count::{ByEngine, Count, Outcomes, Scenarios, include};
use crate::runner::shard::Shard;
use crate::runner::tally::MOST_SLOW;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that a run found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    pub green: bool,
    pub core: Core,
    /// The digest of everything else on which executions depend.
    pub sources: String,
    /// The part of the deep run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// The root of the Merkle tree over the verdicts of the deep run, for an audit of its journal.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub root: String,
    pub scenarios: Scenarios,
    /// Executions of the closed world, under all engines.
    pub executions: u64,
    /// Executions that were replayed through the protocol step by step.
    pub replayed: u64,
    /// Outcomes of the closed world: observed must equal allowed.
    pub outcomes: Outcomes,
    /// The closed world, under each engine that explores it.
    pub explored: ByEngine,
    /// Every client of the kernel, explored all at once; none in a deep run.
    #[serde(default)]
    pub clients: Vec<Clients>,
    /// Engines that give a second opinion or sample executions, each with its own programs.
    pub others: BTreeMap<Engine, Count>,
    pub failures: Vec<Failure>,
    /// The programs that took longest, the longest first.
    #[serde(default)]
    pub slowest: Vec<Slow>,
    /// The differences from the baseline.
    pub changes: Vec<String>,
    pub workers: usize,
    pub seconds: f64,
    /// The number of programs from an earlier run, whose time is not counted here.
    #[serde(default)]
    pub resumed: usize,
}

/// One program that took long on one engine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Slow {
    pub seconds: f64,
    pub scenario: String,
    pub engine: Engine,
}

/// One program that failed on one engine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    pub scenario: String,
    pub engine: Engine,
    pub faults: BTreeSet<Fault>,
    pub what: String,
    /// The smallest form, drawn, if this is among the first failures of different kinds.
    pub counterexample: Option<String>,
}

impl Report {
    /// Adds the report of another shard.
    pub fn include(&mut self, other: Report) {
        self.green &= other.green;
        self.scenarios.include(&other.scenarios);
        self.executions += other.executions;
        self.replayed += other.replayed;
        self.outcomes.include(&other.outcomes);
        include(&mut self.explored, &other.explored);
        other.others.iter().for_each(|(engine, count)| self.others.entry(*engine).or_default().include(count));
        self.clients.extend(other.clients);
        self.failures.extend(other.failures);
        self.slowest.extend(other.slowest);
        self.slowest.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        self.slowest.truncate(MOST_SLOW);
        self.changes.extend(other.changes);
        self.workers += other.workers;
        self.seconds = self.seconds.max(other.seconds);
        self.resumed += other.resumed;
    }
}
