//! Counts of programs, executions and outcomes, and their sums.

use crate::check::Verdict;
use crate::engines::Extent;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Scenarios {
    pub generated: usize,
    /// Explored to the end, with no bound.
    pub complete: usize,
    /// Explored to the end of a stated bound.
    pub bounded: usize,
    /// Not explored to the end: given up by loom, crashed, or never started.
    pub cut: usize,
    /// More than one outcome is allowed.
    pub nontrivial: usize,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Outcomes {
    pub allowed: usize,
    pub observed: usize,
    pub extra: usize,
    pub missing: usize,
}

/// Sums over programs.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Count {
    pub programs: usize,
    pub nontrivial: usize,
    pub executions: u64,
    pub replayed: u64,
    pub outcomes: Outcomes,
    /// Programs of which only some executions were explored: a sample, or those with so many preemptions.
    pub bounded: usize,
    /// Programs whose exploration did not end.
    pub cut: usize,
    /// Rules broken that no outcome shows.
    pub broken: usize,
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
    pub fn add(&mut self, verdict: &Verdict) {
        self.programs += 1;
        self.nontrivial += usize::from(verdict.allowed > 1);
        self.executions += verdict.executions;
        self.replayed += verdict.replayed;
        self.outcomes.allowed += verdict.allowed;
        self.outcomes.observed += verdict.observed;
        self.outcomes.extra += verdict.extra.len();
        self.outcomes.missing += verdict.missing.len();
        self.bounded += usize::from(matches!(verdict.extent, Extent::Bounded(_) | Extent::Sampled));
        self.cut += usize::from(verdict.extent == Extent::Cut);
        self.broken += verdict.broken.len();
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
    }
}

/// Of all of them.
pub(super) fn sum<'a>(counts: impl Iterator<Item = &'a Count>) -> Count {
    let mut all = Count::default();
    counts.for_each(|count| all.include(count));
    all
}
