//! What a verification found: counted as it comes, printed as a table, written as JSON.

use crate::core_files::Core;
use crate::crew::Job;
use crate::judge::{Engine, Verdict};
use crate::universe::Tier;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    pub green: bool,
    pub core: Core,
    pub scenarios: Scenarios,
    /// On the mutex stand-in, which must be equal.
    pub executions: u64,
    /// On the mutex stand-in, which must be equal.
    pub outcomes: Outcomes,
    pub tiers: BTreeMap<Tier, Count>,
    /// The atomic stand-in, over the same programs: contained, and blind where the pinned list says.
    pub atomic: Count,
    /// Allowed outcomes that loom does not show with the atomic stand-in.
    pub blind_spots: Vec<String>,
    pub failures: Vec<Failure>,
    pub workers: usize,
    pub seconds: f64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Scenarios {
    pub generated: usize,
    /// Explored to the end, with no bound.
    pub complete: usize,
    /// Explored to the end of a stated bound. There are none in these tiers.
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
    pub outcomes: Outcomes,
    /// Programs whose exploration did not end.
    pub cut: usize,
    /// Rules broken that no outcome shows.
    pub broken: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    pub scenario: String,
    pub engine: Engine,
    pub what: String,
}

impl Count {
    pub fn add(&mut self, verdict: &Verdict) {
        self.programs += 1;
        self.nontrivial += usize::from(verdict.allowed > 1);
        self.executions += verdict.executions;
        self.outcomes.allowed += verdict.allowed;
        self.outcomes.observed += verdict.observed;
        self.outcomes.extra += verdict.extra.len();
        self.outcomes.missing += verdict.missing.len();
        self.cut += usize::from(!verdict.ended);
        self.broken += verdict.broken.len();
    }
}

/// Everything found so far.
#[derive(Default)]
pub struct Tally {
    pub tiers: BTreeMap<Tier, Count>,
    pub atomic: Count,
    pub blind_spots: BTreeSet<String>,
    pub failures: Vec<Failure>,
}

impl Tally {
    pub fn add(&mut self, tier: Tier, job: &Job, verdict: &Verdict) {
        match job.engine {
            Engine::LoomAtomic => {
                self.atomic.add(verdict);
                self.blind_spots.extend(verdict.missing.iter().map(|missing| format!("{} => {missing}", job.scenario)));
            }
            _ => self.tiers.entry(tier).or_default().add(verdict),
        }
        if !verdict.is_good() {
            let (scenario, engine) = (job.scenario.clone(), job.engine);
            self.failures.push(Failure { scenario, engine, what: verdict.to_string() });
        }
    }

    /// Ends the count. `generated` is how many programs there were to explore; `pinned` what the
    /// atomic stand-in is known to miss in them.
    pub fn report(mut self, generated: usize, pinned: &BTreeSet<String>, workers: usize, seconds: f64) -> Report {
        let sum = |of: fn(&Count) -> usize| self.tiers.values().map(of).sum::<usize>();
        let counted = sum(|count| count.programs);
        let cut = generated - counted + sum(|count| count.cut);
        let scenarios = Scenarios {
            generated,
            complete: generated - cut,
            bounded: 0,
            cut,
            nontrivial: sum(|count| count.nontrivial),
        };
        let outcomes = Outcomes {
            allowed: sum(|count| count.outcomes.allowed),
            observed: sum(|count| count.outcomes.observed),
            extra: sum(|count| count.outcomes.extra),
            missing: sum(|count| count.outcomes.missing),
        };
        let executions = self.tiers.values().map(|count| count.executions).sum();
        let pinned_wrong = |which: &str, spot: &String| Failure {
            scenario: spot.clone(),
            engine: Engine::LoomAtomic,
            what: format!(
                "{which} the pinned list of blind spots: explain it, then accept it with --accept-blind-spots"
            ),
        };
        self.failures.extend(self.blind_spots.difference(pinned).map(|spot| pinned_wrong("is missing from", spot)));
        self.failures
            .extend(pinned.difference(&self.blind_spots).map(|spot| pinned_wrong("is seen now, against", spot)));
        let skipped = self.atomic.programs != generated;
        Report {
            green: self.failures.is_empty() && cut == 0 && !skipped && generated > 0,
            core: Core::compiled(),
            scenarios,
            executions,
            outcomes,
            tiers: self.tiers,
            atomic: self.atomic,
            blind_spots: self.blind_spots.into_iter().collect(),
            failures: self.failures,
            workers,
            seconds,
        }
    }
}

/// A table that is read in ten seconds.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["programs", "branching", "executions", "allowed", "observed", "extra", "missing", "broken", "cut"];
        let line = |f: &mut fmt::Formatter<'_>, name: &str, cells: [String; 9]| {
            write!(f, "{name:<52}")?;
            cells
                .iter()
                .zip(head)
                .try_for_each(|(cell, head)| write!(f, "  {cell:>width$}", width = head.len().max(7)))?;
            writeln!(f)
        };
        let numbers = |count: &Count| {
            let outcomes = &count.outcomes;
            let Count { programs, nontrivial, executions, cut, broken, .. } = count;
            let Outcomes { allowed, observed, extra, missing } = outcomes;
            [
                programs.to_string(),
                nontrivial.to_string(),
                executions.to_string(),
                allowed.to_string(),
                observed.to_string(),
                extra.to_string(),
                missing.to_string(),
                broken.to_string(),
                cut.to_string(),
            ]
        };
        line(f, "every program, every interleaving, no bound", head.map(str::to_owned))?;
        for (tier, count) in &self.tiers {
            line(f, tier.describe(), numbers(count))?;
        }
        let mut sum = Count { executions: self.executions, outcomes: self.outcomes, ..Count::default() };
        sum.programs = self.tiers.values().map(|count| count.programs).sum();
        sum.nontrivial = self.scenarios.nontrivial;
        sum.broken = self.tiers.values().map(|count| count.broken).sum();
        sum.cut = self.scenarios.cut;
        line(f, "in all: observed must equal allowed", numbers(&sum))?;
        line(f, "again with publication by an atomic: contained", numbers(&self.atomic))?;
        writeln!(
            f,
            "(what loom misses with the atomic is pinned in model/blind_spots.txt: {})",
            self.blind_spots.len()
        )?;
        let Core { sha256, code_lines, .. } = &self.core;
        writeln!(f, "core: {code_lines} lines of code, sha256 {sha256}")?;
        for failure in self.failures.iter().take(20) {
            writeln!(f, "\nFAIL {} on {:?}\n{}", failure.scenario, failure.engine, failure.what)?;
        }
        if self.failures.len() > 20 {
            writeln!(f, "\n... and {} more, see the report", self.failures.len() - 20)?;
        }
        let verdict = if self.green { "VERIFIED" } else { "NOT VERIFIED" };
        write!(f, "{verdict} in {:.0} s with {} workers", self.seconds, self.workers)
    }
}
