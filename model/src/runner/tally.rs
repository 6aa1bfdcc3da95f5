//! The tally of a run: counts by tier and engine, as verdicts arrive.

use super::report::{Failure, Report, Slow};
use crate::check::Verdict;
use crate::engines::catalog::Engine;
use crate::project::sources::{Core, sources_digest};
use crate::runner::baseline::Baseline;
use crate::runner::clients::Clients;
use crate::runner::count::{ByEngine, Count, Scenarios, include, sum};
use crate::runner::plan::Plan;
use crate::runner::workers::Job;
use crate::universe::Tier;
use data_encoding::HEXLOWER;
use std::collections::{BTreeMap, BTreeSet};

/// The most failures that are drawn.
const MOST_DRAWN: usize = 4;

/// The number of slowest programs that are kept.
pub(super) const MOST_SLOW: usize = 10;

/// The results so far.
#[derive(Default)]
pub struct Tally {
    /// The closed world, under each engine that explores it.
    pub explored: ByEngine,
    pub clients: Vec<Clients>,
    pub others: BTreeMap<Engine, Count>,
    pub failures: Vec<Failure>,
    /// The programs that took longest, the longest first.
    pub slowest: Vec<Slow>,
    /// Planned programs that were not begun, because the run was interrupted.
    pub left: usize,
}

impl Tally {
    /// Adds the verdict on one job.
    pub fn add(&mut self, tier: Option<Tier>, job: &Job, verdict: &Verdict) {
        match tier {
            Some(tier) => self.explored.entry(job.engine).or_default().entry(tier).or_default().add(verdict),
            None => self.others.entry(job.engine).or_default().add(verdict),
        }
        self.keep_slowest([Slow { seconds: verdict.seconds, scenario: job.scenario.clone(), engine: job.engine }]);
        if !verdict.is_good() {
            let (scenario, engine) = (job.scenario.clone(), job.engine);
            let (faults, what) = (verdict.faults.clone(), verdict.to_string());
            self.failures.push(Failure { scenario, engine, faults, what, counterexample: None });
        }
    }

    /// Adds the results of other programs.
    pub fn include(&mut self, other: Tally) {
        include(&mut self.explored, &other.explored);
        other.others.iter().for_each(|(engine, count)| self.others.entry(*engine).or_default().include(count));
        self.failures.extend(other.failures);
        self.keep_slowest(other.slowest);
    }

    fn keep_slowest(&mut self, others: impl IntoIterator<Item = Slow>) {
        self.slowest.extend(others);
        self.slowest.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        self.slowest.truncate(MOST_SLOW);
    }

    /// The number of programs that were played, each counted once for each engine.
    pub fn programs(&self) -> usize {
        sum(self.explored.values().flat_map(BTreeMap::values).chain(self.others.values())).programs
    }

    /// Sorts the failures by the length of the scenario, and returns the places of the first few of different kinds.
    pub fn failures_to_draw(&mut self) -> Vec<usize> {
        self.failures.sort_by_key(|failure| (failure.scenario.len(), failure.scenario.clone(), failure.engine));
        let mut kinds = BTreeSet::new();
        let first = |at: &usize| kinds.insert(self.failures[*at].faults.first());
        (0..self.failures.len()).filter(first).take(MOST_DRAWN).collect()
    }

    /// The final report, compared with the plan and with the baseline.
    pub fn report(self, plan: &Plan, baseline: Option<&Baseline>, workers: usize, seconds: f64) -> Report {
        let all = sum(self.explored.values().flat_map(BTreeMap::values));
        let generated = plan.programs();
        let cut = generated - all.programs + all.cut;
        let scenarios = Scenarios {
            generated,
            complete: generated - cut - all.bounded,
            bounded: all.bounded,
            cut,
            nontrivial: all.nontrivial,
        };
        let changes = baseline.map_or(Vec::new(), |baseline| baseline.changes(&self.baseline()));
        let explored = self.is_explored(plan) && cut == 0;
        Report {
            green: self.failures.is_empty() && changes.is_empty() && explored,
            core: Core::compiled(),
            sources: HEXLOWER.encode(&sources_digest()),
            shard: None,
            root: String::new(),
            scenarios,
            executions: all.executions,
            replayed: all.replayed,
            outcomes: all.outcomes,
            explored: self.explored,
            clients: self.clients,
            others: self.others,
            failures: self.failures,
            slowest: self.slowest,
            changes,
            workers,
            seconds,
            resumed: 0,
        }
    }

    /// True if each engine played all its planned programs, and only those that have a bound were bounded.
    fn is_explored(&self, plan: &Plan) -> bool {
        let mut parts: BTreeMap<Engine, usize> =
            self.others.iter().map(|(engine, count)| (*engine, count.programs)).collect();
        let explored = || self.explored.iter().map(|(engine, tiers)| (*engine, sum(tiers.values())));
        explored().for_each(|(engine, count)| *parts.entry(engine).or_default() += count.programs);
        let to_the_end = explored().all(|(engine, count)| count.bounded == 0 || engine.bound().is_some());
        to_the_end && parts == plan.parts() && !parts.is_empty()
    }

    /// The baseline that these counts make.
    pub fn baseline(&self) -> Baseline {
        let shuttle = self.others.get(&Engine::ShuttleEvery).copied().unwrap_or_default();
        Baseline::new(&self.explored, &self.clients, &shuttle)
    }
}
