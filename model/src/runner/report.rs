//! What a verification found: counted as it comes, printed as a table, written as JSON.

use crate::check::fault::Fault;
use crate::check::{Engine, PREEMPTIONS, Verdict};
use crate::engines::Extent;
use crate::project::sources::Core;
use crate::project::sources::sources_digest;
use crate::runner::baseline::Pinned;
use crate::runner::plan::{Plan, Shard};
use crate::runner::workers::Job;
use crate::universe::Tier;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

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

impl Scenarios {
    fn include(&mut self, other: &Scenarios) {
        self.generated += other.generated;
        self.complete += other.complete;
        self.bounded += other.bounded;
        self.cut += other.cut;
        self.nontrivial += other.nontrivial;
    }
}

impl Outcomes {
    fn include(&mut self, other: &Outcomes) {
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

    fn include(&mut self, other: &Count) {
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
fn sum<'a>(counts: impl Iterator<Item = &'a Count>) -> Count {
    let mut all = Count::default();
    counts.for_each(|count| all.include(count));
    all
}

/// More than these are not looked at before they are repaired.
const MOST_EXHIBITS: usize = 4;

/// Everything found so far.
#[derive(Default)]
pub struct Tally {
    pub tiers: BTreeMap<Tier, Count>,
    pub atomic: Count,
    pub others: BTreeMap<Engine, Count>,
    pub blind_spots: BTreeSet<String>,
    pub failures: Vec<Failure>,
}

impl Tally {
    pub fn add(&mut self, tier: Option<Tier>, job: &Job, verdict: &Verdict) {
        match (job.engine, tier) {
            (Engine::LoomAtomic, _) => {
                self.atomic.add(verdict);
                self.blind_spots.extend(verdict.missing.iter().map(|missing| format!("{} => {missing}", job.scenario)));
            }
            (_, Some(tier)) => self.tiers.entry(tier).or_default().add(verdict),
            (engine, None) => self.others.entry(engine).or_default().add(verdict),
        }
        if !verdict.is_good() {
            let (scenario, engine) = (job.scenario.clone(), job.engine);
            let (faults, what) = (verdict.faults.clone(), verdict.to_string());
            self.failures.push(Failure { scenario, engine, faults, what, exhibit: None });
        }
    }

    /// Adds what was found in other programs.
    pub fn include(&mut self, other: Tally) {
        other.tiers.iter().for_each(|(tier, count)| self.tiers.entry(*tier).or_default().include(count));
        other.others.iter().for_each(|(engine, count)| self.others.entry(*engine).or_default().include(count));
        self.atomic.include(&other.atomic);
        self.blind_spots.extend(other.blind_spots);
        self.failures.extend(other.failures);
    }

    /// Puts short scenarios first, and says which of the failures are to be shown: the first of each kind.
    pub fn to_exhibit(&mut self) -> Vec<usize> {
        self.failures.sort_by_key(|failure| (failure.scenario.len(), failure.scenario.clone(), failure.engine));
        let mut kinds = BTreeSet::new();
        let first = |at: &usize| kinds.insert(self.failures[*at].faults.first());
        (0..self.failures.len()).filter(first).take(MOST_EXHIBITS).collect()
    }

    /// Ends the count of what was planned, on so many workers.
    pub fn report(self, plan: &Plan, pinned: Option<&Pinned>, workers: usize, seconds: f64) -> Report {
        let all = sum(self.tiers.values());
        let generated = plan.programs();
        let cut = generated - all.programs + all.cut;
        let scenarios = Scenarios {
            generated,
            complete: generated - cut - all.bounded,
            bounded: all.bounded,
            cut,
            nontrivial: all.nontrivial,
        };
        let changes = pinned.map_or(Vec::new(), |pinned| pinned.changes(&self.pinned()));
        let explored = self.is_explored(plan) && cut == 0;
        Report {
            green: self.failures.is_empty() && changes.is_empty() && explored,
            core: Core::compiled(),
            sources: HEXLOWER.encode(&sources_digest()),
            shard: None,
            scenarios,
            executions: all.executions,
            replayed: all.replayed + self.atomic.replayed,
            outcomes: all.outcomes,
            tiers: self.tiers,
            atomic: self.atomic,
            others: self.others,
            blind_spots: self.blind_spots,
            failures: self.failures,
            changes,
            workers,
            seconds,
            resumed: 0,
        }
    }

    /// Everything that was planned was played, and nothing is bounded that should not be.
    fn is_explored(&self, plan: &Plan) -> bool {
        let mut parts: BTreeMap<Engine, usize> =
            self.others.iter().map(|(engine, count)| (*engine, count.programs)).collect();
        self.tiers.iter().for_each(|(tier, count)| *parts.entry(tier.engine()).or_default() += count.programs);
        if self.atomic.programs > 0 {
            parts.insert(Engine::LoomAtomic, self.atomic.programs);
        }
        let to_the_end =
            self.tiers.iter().all(|(tier, count)| count.bounded == 0 || tier.engine() == Engine::LoomBounded);
        to_the_end && parts == plan.parts() && !parts.is_empty()
    }

    /// What would be pinned.
    pub fn pinned(&self) -> Pinned {
        let shuttle = self.others.get(&Engine::ShuttleEvery).copied().unwrap_or_default();
        Pinned::new(&self.tiers, &self.atomic, &shuttle, &self.blind_spots)
    }
}

/// A table that is read in ten seconds.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Scenarios { bounded, cut, .. } = self.scenarios;
        head(
            f,
            match (bounded, cut) {
                (0, 0) => "every program, every interleaving, no bound",
                (_, 0) => "every program, every interleaving unless BOUNDED",
                _ => "NOT every interleaving: some are cut",
            },
        )?;
        for (tier, count) in &self.tiers {
            row(f, tier.describe(), count, true)?;
        }
        row(f, "in all: observed must equal allowed", &sum(self.tiers.values()), true)?;
        if self.atomic.programs > 0 {
            row(f, "again with publication by an atomic: contained", &self.atomic, true)?;
            writeln!(
                f,
                "(what loom misses with the atomic is pinned in model/pinned.json: {})",
                self.blind_spots.len()
            )?;
        }
        writeln!(
            f,
            "replayed through the protocol, lock section by lock section: {} of {} executions",
            self.replayed,
            self.executions + self.atomic.executions
        )?;
        Samples(&self.others).fmt(f)?;
        for tier in self.tiers.keys() {
            writeln!(f, "{:<52}  {}", tier.describe(), tier.alphabet())?;
        }
        if bounded > 0 {
            writeln!(f, "BOUNDED: at most {PREEMPTIONS} preemptions in an execution, observed must be allowed")?;
        }
        let Core { sha256, code_lines, .. } = &self.core;
        writeln!(f, "core: {code_lines} lines of code, sha256 {sha256}")?;
        Failures(&self.failures).fmt(f)?;
        if !self.changes.is_empty() {
            writeln!(f, "\nCHANGED against model/pinned.json; explain it, then accept it with --accept")?;
        }
        self.changes.iter().take(20).try_for_each(|change| writeln!(f, "  {change}"))?;
        let verdict = if self.green { "VERIFIED" } else { "NOT VERIFIED" };
        let shard = self.shard.map_or(String::new(), |shard| format!(" shard {shard} of the deep tier"));
        let Report { seconds, workers, resumed, .. } = self;
        let played = sum(self.tiers.values().chain([&self.atomic]).chain(self.others.values()));
        let (programs, executions) = (played.programs as f64 / seconds, played.executions as f64 / seconds);
        write!(f, "{verdict}{shard} in {seconds:.0} s with {workers} workers, ")?;
        match resumed {
            0 => write!(f, "{programs:.0} programs and {executions:.0} executions a second"),
            _ => write!(f, "and {resumed} programs by an earlier run"),
        }
    }
}

const HEAD: [&str; 9] =
    ["programs", "branching", "executions", "allowed", "observed", "extra", "missing", "broken", "cut"];

fn head(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    cells(f, name, HEAD.map(str::to_owned))
}

fn cells(f: &mut fmt::Formatter<'_>, name: &str, cells: [String; 9]) -> fmt::Result {
    write!(f, "{name:<52}")?;
    let mut wide = cells.iter().zip(HEAD);
    wide.try_for_each(|(cell, head)| write!(f, "  {cell:>width$}", width = head.len().max(7)))?;
    writeln!(f)
}

/// A sample does not say what is allowed and not seen.
fn row(f: &mut fmt::Formatter<'_>, name: &str, count: &Count, is_listed: bool) -> fmt::Result {
    let Count { programs, nontrivial, executions, outcomes, cut, broken, .. } = count;
    let Outcomes { allowed, observed, extra, missing } = outcomes;
    let listed = |number: &usize| if is_listed { number.to_string() } else { "-".to_owned() };
    cells(
        f,
        name,
        [
            programs.to_string(),
            listed(nontrivial),
            executions.to_string(),
            listed(allowed),
            observed.to_string(),
            extra.to_string(),
            listed(missing),
            broken.to_string(),
            cut.to_string(),
        ],
    )
}

/// What the other engines saw: a table of its own.
pub struct Samples<'a>(pub &'a BTreeMap<Engine, Count>);

impl fmt::Display for Samples<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (complete, sampled): (Vec<_>, Vec<_>) = self.0.iter().partition(|(engine, _)| engine.is_complete());
        for (engine, count) in complete {
            row(f, &format!("{}: 2 threads x 1 operation", engine.describe()), count, true)?;
        }
        if !sampled.is_empty() {
            head(f, "BOUNDED, a sample of 5-8 threads: must be allowed")?;
        }
        sampled.iter().try_for_each(|(engine, count)| row(f, engine.describe(), count, false))
    }
}

/// The first of each kind as it was shown, and the names of others.
pub struct Failures<'a>(pub &'a [Failure]);

impl fmt::Display for Failures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shown, others): (Vec<_>, Vec<_>) = self.0.iter().partition(|failure| failure.exhibit.is_some());
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
        Ok(())
    }
}
