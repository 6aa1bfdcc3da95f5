//! Counts of programs, executions and outcomes, and their sums.

use crate::check::Verdict;
use crate::engines::Extent;
use crate::engines::catalog::Engine;
use crate::universe::Tier;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Programs of the closed world, by the extent of their exploration. Each is counted once for each engine.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Scenarios {
    pub generated: usize,
    /// Explored to the end, without a bound.
    pub complete: usize,
    /// Explored up to a stated bound.
    pub bounded: usize,
    /// Not explored to the end: abandoned by loom, crashed, or never started.
    pub cut: usize,
    /// Programs with more than one allowed outcome.
    pub nontrivial: usize,
}

/// Outcomes, summed over programs.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Outcomes {
    pub allowed: usize,
    pub observed: usize,
    pub extra: usize,
    pub missing: usize,
}

/// The counts of several programs together.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Count {
    pub programs: usize,
    pub nontrivial: usize,
    pub executions: u64,
    pub replayed: u64,
    pub outcomes: Outcomes,
    /// Programs of which some executions were explored: a sample, or those within the engine's bound.
    pub bounded: usize,
    /// Programs whose exploration did not end.
    pub cut: usize,
    /// Violations that the monitor saw and no outcome shows.
    pub broken: usize,
    /// The time of all workers together.
    #[serde(default)]
    pub seconds: f64,
}

impl Scenarios {
    pub(super) fn include(&mut self, other: &Scenarios) {
        self.generated += other.generated;
        self.complete += other.complete;
        self.bounded += other.bounded;
        self.cut += other.cut;
        self.nontrivial += other.nontrivial;
    }
}

impl Outcomes {
    pub(super) fn include(&mut self, other: &Outcomes) {
        self.allowed += other.allowed;
        self.observed += other.observed;
        self.extra += other.extra;
        self.missing += other.missing;
    }
}

impl Count {
    /// Adds one program.
    pub fn add(&mut self, verdict: &Verdict) {
        self.programs += 1;
        self.nontrivial += usize::from(verdict.allowed > 1);
        self.executions += verdict.executions;
        self.replayed += verdict.replayed;
        self.outcomes.allowed += verdict.allowed;
        self.outcomes.observed += verdict.observed;
        self.outcomes.extra += verdict.extra.len();
        self.outcomes.missing += verdict.missing.len();
        self.bounded +=
            usize::from(matches!(verdict.extent, Extent::Bounded(_) | Extent::FirstSleepSpurious(_) | Extent::Sampled));
        self.cut += usize::from(verdict.extent == Extent::Cut);
        self.broken += verdict.broken.len();
        self.seconds += verdict.seconds;
    }

    pub(super) fn include(&mut self, other: &Count) {
        self.programs += other.programs;
        self.nontrivial += other.nontrivial;
        self.executions += other.executions;
        self.replayed += other.replayed;
        self.outcomes.include(&other.outcomes);
        self.bounded += other.bounded;
        self.cut += other.cut;
        self.broken += other.broken;
        self.seconds += other.seconds;
    }
}

/// The counts of each tier of the closed world under each engine.
pub type ByEngine = BTreeMap<Engine, BTreeMap<Tier, Count>>;

/// Adds the counts of other programs.
pub(super) fn include(all: &mut ByEngine, others: &ByEngine) {
    for (engine, tiers) in others {
        let all = all.entry(*engine).or_default();
        tiers.iter().for_each(|(tier, count)| all.entry(*tier).or_default().include(count));
    }
}

/// The sum of all counts.
pub(super) fn sum<'a>(counts: impl Iterator<Item = &'a Count>) -> Count {
    let mut all = Count::default();
    counts.for_each(|count| all.include(count));
    all
}
