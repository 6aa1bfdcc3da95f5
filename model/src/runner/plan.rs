//! The plan of a run: which programs are played on which engines.

use crate::engines::catalog::Engine;
use crate::runner::shard::Shard;
use crate::runner::workers::Job;
use crate::scenario::Scenario;
use crate::universe::{Tier, number, program, sampled, smallest};
use std::collections::BTreeMap;

/// The jobs of a run, in order.
#[derive(Default)]
pub struct Plan {
    /// Each job with the program's tier, if the program belongs to the closed world.
    pub jobs: Vec<(Option<Tier>, Job)>,
}

/// The engines that a scenario is played on if no other is named.
pub const STANDARD: [Engine; 3] = [Engine::Sections, Engine::LoomMutex, Engine::LoomAtomic];

/// The engines of the deep run.
pub const DEEP: [Engine; 4] = [Engine::LoomMutex, Engine::LoomAtomic, Engine::LoomBounded, Engine::LoomFutexBounded];

/// The engines that explore a sample of executions. They play programs that are too large for the others.
pub const SAMPLERS: [Engine; 3] = [Engine::ShuttleRandom, Engine::ShuttlePct, Engine::Threads];

/// The number of sampled programs in every plain run.
pub const SAMPLED: usize = 100;

impl Plan {
    /// The closed world on coroutines, and much of it again under loom; its smallest programs on shuttle, and some sampled
    /// programs.
    pub fn everyday() -> Self {
        let mut plan = Plan::default();
        closed_world(0..number()).for_each(|(tier, program)| plan.add(Some(tier), tier.everyday(), &program));
        smallest().iter().for_each(|program| plan.add(None, &[Engine::ShuttleEvery], program));
        plan.jobs.extend(Plan::sampled(0..SAMPLED).jobs);
        plan
    }

    /// One shard of what the everyday run does not play under loom, or of a tier on the engine that the shard names.
    pub fn deep(shard: Shard) -> Self {
        let mut plan = Plan::default();
        let mut add = |(tier, program): (Tier, Scenario)| plan.add(Some(tier), &shard.engines(tier), &program);
        match shard.tier {
            None => closed_world(shard.places(number())).for_each(add),
            Some(tier) => {
                let numbers = shard.places(tier.formula());
                numbers.filter_map(|number| tier.program(number)).for_each(|program| add((tier, program)));
            }
        }
        plan
    }

    /// The number of programs that all shards of this deep run play together, by the formulas of their tiers.
    pub fn all_of_deep(run: Shard) -> usize {
        let tiers = Tier::ALL.into_iter().filter(|tier| run.tier.is_none_or(|only| only == *tier));
        tiers.map(|tier| run.engines(tier).len() * tier.formula()).sum()
    }

    /// The sampled programs with these numbers, on the engines that sample executions.
    pub fn sampled(numbers: impl IntoIterator<Item = usize>) -> Self {
        let mut plan = Plan::default();
        numbers.into_iter().for_each(|number| plan.add(None, &SAMPLERS, &sampled::program(number)));
        plan
    }

    fn add(&mut self, tier: Option<Tier>, engines: &[Engine], program: &Scenario) {
        let job = |&engine: &Engine| (tier, Job { engine, scenario: program.to_string(), draw: false });
        self.jobs.extend(engines.iter().map(job));
    }

    /// The number of programs of the closed world, each counted once for each engine that explores it.
    pub fn programs(&self) -> usize {
        self.jobs.iter().filter(|(tier, _)| tier.is_some()).count()
    }

    /// The number of programs for each engine.
    pub fn parts(&self) -> BTreeMap<Engine, usize> {
        let mut parts = BTreeMap::new();
        self.jobs.iter().for_each(|(_, job)| *parts.entry(job.engine).or_default() += 1);
        parts
    }
}

impl Tier {
    /// The engines of the everyday run. Of loom's two stand-ins the atomic shows more than the mutex, and takes more time.
    pub(super) fn everyday(self) -> &'static [Engine] {
        use Tier::{Fours, LoopEnds, LoopNaps, LoopPrograms, LoopRuns, Programs, Tasks, Threes};
        match self {
            Threes | Fours | Tasks | Programs | LoopEnds => &[Engine::Sections],
            LoopRuns | LoopPrograms | LoopNaps => &[Engine::Sections, Engine::LoomMutex],
            _ => &[Engine::Sections, Engine::LoomAtomic],
        }
    }

    /// loom as far as the everyday run leaves it out. Programs of 4 threads are explored to a bound, and the kernel's programs of
    /// 2 threads on std's own locks.
    pub(super) fn deep(self) -> Vec<Engine> {
        let on_loom: &[Engine] = match self {
            Tier::Threes => &[Engine::LoomMutex],
            Tier::Fours => &[Engine::LoomBounded],
            Tier::Pairs | Tier::Signals => &[Engine::LoomMutex, Engine::LoomAtomic, Engine::LoomFutexBounded],
            _ => &[Engine::LoomMutex, Engine::LoomAtomic],
        };
        on_loom.iter().copied().filter(|engine| !self.everyday().contains(engine)).collect()
    }
}

/// The programs of the closed world with these numbers.
fn closed_world(numbers: impl Iterator<Item = usize>) -> impl Iterator<Item = (Tier, Scenario)> {
    let expected: usize = Tier::ALL.into_iter().map(Tier::formula).sum();
    assert_eq!(number(), expected, "the closed world has as many programs as its formula says");
    numbers.filter_map(program)
}
