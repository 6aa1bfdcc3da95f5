//! The plan of a run: which programs are played on which engines.

use crate::engines::catalog::Engine;
use crate::runner::workers::Job;
use crate::scenario::Scenario;
use crate::universe::{Tier, sampled, smallest};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The jobs of a run, in order.
#[derive(Default)]
pub struct Plan {
    /// Each job with the program's tier, if the program belongs to the closed world.
    pub jobs: Vec<(Option<Tier>, Job)>,
}

/// One of several equal parts of a run, for one machine of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Counted from 1.
    pub index: usize,
    pub of: usize,
}

/// The engines that a scenario is played on if no other is named.
pub const STANDARD: [Engine; 3] = [Engine::Sections, Engine::LoomMutex, Engine::LoomAtomic];

/// The engines that explore a sample of executions. They play programs that are too large for the others.
pub const SAMPLERS: [Engine; 3] = [Engine::ShuttleRandom, Engine::ShuttlePct, Engine::Threads];

/// The number of sampled programs in every plain run.
pub const SAMPLED: usize = 100;

impl Plan {
    /// The closed world on coroutines, and much of it again under loom; its smallest programs on shuttle, and some sampled
    /// programs.
    pub fn everyday() -> Self {
        let mut plan = Plan::default();
        closed_world().iter().for_each(|(tier, program)| plan.add(Some(*tier), tier.everyday(), program));
        smallest().iter().for_each(|program| plan.add(None, &[Engine::ShuttleEvery], program));
        plan.jobs.extend(Plan::sampled(0..SAMPLED).jobs);
        plan
    }

    /// One shard of what the everyday run does not play under loom.
    pub fn deep(shard: Shard) -> Self {
        let mut plan = Plan::default();
        let programs = closed_world();
        for (tier, program) in shard.places(programs.len()).map(|at| &programs[at]) {
            plan.add(Some(*tier), &tier.deep(), program);
        }
        plan
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
    fn everyday(self) -> &'static [Engine] {
        use Tier::{Fours, LoopEnds, LoopNaps, LoopPrograms, LoopRuns, Programs, Tasks, Threes};
        match self {
            Threes | Fours | Tasks | Programs | LoopEnds => &[Engine::Sections],
            LoopRuns | LoopPrograms | LoopNaps => &[Engine::Sections, Engine::LoomMutex],
            _ => &[Engine::Sections, Engine::LoomAtomic],
        }
    }

    /// loom as far as the everyday run leaves it out. Programs of 4 threads are explored to a bound.
    pub(super) fn deep(self) -> Vec<Engine> {
        let on_loom: &[Engine] = match self {
            Tier::Threes => &[Engine::LoomMutex],
            Tier::Fours => &[Engine::LoomBounded],
            _ => &[Engine::LoomMutex, Engine::LoomAtomic],
        };
        on_loom.iter().copied().filter(|engine| !self.everyday().contains(engine)).collect()
    }
}

/// Every program of the closed world.
fn closed_world() -> Vec<(Tier, Scenario)> {
    let programs: Vec<(Tier, Scenario)> = Tier::ALL
        .into_iter()
        .flat_map(|tier| tier.programs().into_iter().map(move |program| (tier, program)))
        .collect();
    let expected: usize = Tier::ALL.into_iter().map(Tier::formula).sum();
    assert_eq!(programs.len(), expected, "the closed world has as many programs as its formula says");
    programs
}

impl Shard {
    /// The only shard of an undivided run.
    pub const WHOLE: Shard = Shard { index: 1, of: 1 };

    /// The places of the shard's jobs. Neighbouring jobs are alike and go to different shards, which balances the cost.
    pub fn places(self, jobs: usize) -> impl Iterator<Item = usize> {
        (self.index - 1..jobs).step_by(self.of)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((index, of)) if (1..=of).contains(&index) => Ok(Shard { index, of }),
            _ => Err(format!("`{text}` is not a shard; the second of four shards is 2/4")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_job_is_in_one_shard_and_shards_have_equal_size() {
        for of in [1, 2, 3, 7, 100] {
            let shares: Vec<Vec<usize>> = (1..=of).map(|index| Shard { index, of }.places(1000).collect()).collect();
            let mut all = shares.concat();
            all.sort_unstable();
            assert_eq!(all, (0..1000).collect::<Vec<_>>());
            let sizes = shares.iter().map(Vec::len);
            assert!(sizes.clone().max().zip(sizes.min()).is_some_and(|(most, least)| most - least <= 1));
        }
    }

    #[test]
    fn a_malformed_shard_is_refused() {
        assert_eq!("2/4".parse(), Ok(Shard { index: 2, of: 4 }));
        for wrong in ["", "2", "0/4", "5/4", "a/b", "1/0", "-1/2"] {
            let refused = wrong.parse::<Shard>().expect_err(wrong);
            assert_eq!(refused, format!("`{wrong}` is not a shard; the second of four shards is 2/4"));
        }
    }
}
