//! What a verification found: counted as it comes, printed as a table, written as JSON.

use crate::core_files::Core;
use crate::crew::Job;
use crate::engines::Extent;
use crate::fault::Fault;
use crate::judge::{Engine, Verdict};
use crate::pinned::Pinned;
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
    /// On both stand-ins: executions that were replayed step by step through the protocol.
    pub replayed: u64,
    /// On the mutex stand-in, which must be equal.
    pub outcomes: Outcomes,
    pub tiers: BTreeMap<Tier, Count>,
    /// The atomic stand-in, over the same programs: contained, and blind where the pinned list says.
    pub atomic: Count,
    /// Allowed outcomes that loom does not show with the atomic stand-in.
    pub blind_spots: BTreeSet<String>,
    pub failures: Vec<Failure>,
    /// What is not as it is pinned.
    pub changes: Vec<String>,
    pub workers: usize,
    pub seconds: f64,
}

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
    /// Programs of which only executions with so many preemptions were explored.
    pub bounded: usize,
    /// Programs whose exploration did not end.
    pub cut: usize,
    /// Rules broken that no outcome shows.
    pub broken: usize,
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
        self.bounded += usize::from(matches!(verdict.extent, Extent::Bounded(_)));
        self.cut += usize::from(verdict.extent == Extent::Cut);
        self.broken += verdict.broken.len();
    }

    fn include(&mut self, other: &Count) {
        self.programs += other.programs;
        self.nontrivial += other.nontrivial;
        self.executions += other.executions;
        self.replayed += other.replayed;
        self.outcomes.allowed += other.outcomes.allowed;
        self.outcomes.observed += other.outcomes.observed;
        self.outcomes.extra += other.outcomes.extra;
        self.outcomes.missing += other.outcomes.missing;
        self.bounded += other.bounded;
        self.cut += other.cut;
        self.broken += other.broken;
    }
}

/// More than these are not looked at before they are repaired.
const MOST_EXHIBITS: usize = 4;

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
            let (faults, what) = (verdict.faults.clone(), verdict.to_string());
            self.failures.push(Failure { scenario, engine, faults, what, exhibit: None });
        }
    }

    /// Puts short scenarios first, and says which of the failures are to be shown: the first of each kind.
    pub fn to_exhibit(&mut self) -> Vec<usize> {
        self.failures.sort_by_key(|failure| (failure.scenario.len(), failure.scenario.clone(), failure.engine));
        let mut kinds = BTreeSet::new();
        let first = |at: &usize| kinds.insert(self.failures[*at].faults.first());
        (0..self.failures.len()).filter(first).take(MOST_EXHIBITS).collect()
    }

    /// Ends the count. `generated` is how many programs there were to explore.
    pub fn report(self, generated: usize, pinned: &Pinned, workers: usize, seconds: f64) -> Report {
        let mut all = Count::default();
        self.tiers.values().for_each(|count| all.include(count));
        let cut = generated - all.programs + all.cut;
        let scenarios = Scenarios {
            generated,
            complete: generated - cut - all.bounded,
            bounded: all.bounded,
            cut,
            nontrivial: all.nontrivial,
        };
        let changes = pinned.changes(&self.pinned());
        let explored = scenarios.complete == generated && self.atomic.programs == generated && generated > 0;
        Report {
            green: self.failures.is_empty() && changes.is_empty() && explored,
            core: Core::compiled(),
            scenarios,
            executions: all.executions,
            replayed: all.replayed + self.atomic.replayed,
            outcomes: all.outcomes,
            tiers: self.tiers,
            atomic: self.atomic,
            blind_spots: self.blind_spots,
            failures: self.failures,
            changes,
            workers,
            seconds,
        }
    }

    /// What would be pinned.
    pub fn pinned(&self) -> Pinned {
        Pinned::new(&self.tiers, &self.atomic, &self.blind_spots)
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
        let extent = match self.scenarios.complete == self.scenarios.generated {
            true => "every program, every interleaving, no bound",
            false => "NOT every interleaving: some are bounded or cut",
        };
        line(f, extent, head.map(str::to_owned))?;
        let mut all = Count::default();
        for (tier, count) in &self.tiers {
            line(f, tier.describe(), numbers(count))?;
            all.include(count);
        }
        line(f, "in all: observed must equal allowed", numbers(&all))?;
        line(f, "again with publication by an atomic: contained", numbers(&self.atomic))?;
        let executions = self.executions + self.atomic.executions;
        writeln!(
            f,
            "replayed through the protocol, lock section by lock section: {} of {executions} executions",
            self.replayed
        )?;
        writeln!(f, "(what loom misses with the atomic is pinned in model/pinned.json: {})", self.blind_spots.len())?;
        for tier in self.tiers.keys() {
            writeln!(f, "{:<52}  {}", tier.describe(), tier.alphabet())?;
        }
        let Core { sha256, code_lines, .. } = &self.core;
        writeln!(f, "core: {code_lines} lines of code, sha256 {sha256}")?;
        let (shown, others): (Vec<_>, Vec<_>) = self.failures.iter().partition(|failure| failure.exhibit.is_some());
        for Failure { scenario, engine, exhibit, .. } in shown {
            writeln!(f, "\n{}\nfound in {scenario} on {}", exhibit.as_deref().unwrap_or_default(), engine.name())?;
        }
        if !others.is_empty() {
            writeln!(f)?;
        }
        for Failure { scenario, engine, faults, .. } in others.iter().take(20) {
            let faults: Vec<String> = faults.iter().map(Fault::to_string).collect();
            writeln!(f, "FAIL {scenario} on {}: {}", engine.name(), faults.join(", "))?;
        }
        if others.len() > 20 {
            writeln!(f, "... and {} more, see the report", others.len() - 20)?;
        }
        if !self.changes.is_empty() {
            writeln!(f, "\nCHANGED against model/pinned.json; explain it, then accept it with --accept")?;
        }
        self.changes.iter().take(20).try_for_each(|change| writeln!(f, "  {change}"))?;
        let verdict = if self.green { "VERIFIED" } else { "NOT VERIFIED" };
        let each_second = (self.executions + self.atomic.executions) as f64 / self.seconds;
        let Report { seconds, workers, .. } = self;
        write!(f, "{verdict} in {seconds:.0} s with {workers} workers, {each_second:.0} executions a second")
    }
}
