//! A shard: one of several equal parts of a run, named on the command line or by the system that started the job.

use crate::engines::catalog::Engine;
use crate::runner::own_table::tier_name;
use crate::universe::Tier;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// One of several equal parts of a run, for one machine of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Counted from 1.
    pub index: usize,
    pub of: usize,
    /// The only tier of the run, unless it has all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// The only engine of the run, unless each tier has its own ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<Engine>,
}

/// The variables in which a system names the shard of a job: the index, the number of the first index, and how many there
/// are.
struct Protocol {
    system: &'static str,
    index: &'static str,
    first: First,
    of: &'static str,
}

enum First {
    Is(usize),
    In(&'static str),
}

/// Kubernetes tells a job its index and not their number: its manifest passes that as `WHENDONE_SHARDS`.
const PROTOCOLS: [Protocol; 4] = [
    Protocol { system: "Bazel", index: "TEST_SHARD_INDEX", first: First::Is(0), of: "TEST_TOTAL_SHARDS" },
    Protocol { system: "Kubernetes", index: "JOB_COMPLETION_INDEX", first: First::Is(0), of: "WHENDONE_SHARDS" },
    Protocol {
        system: "Slurm",
        index: "SLURM_ARRAY_TASK_ID",
        first: First::In("SLURM_ARRAY_TASK_MIN"),
        of: "SLURM_ARRAY_TASK_COUNT",
    },
    Protocol { system: "GitLab", index: "CI_NODE_INDEX", first: First::Is(1), of: "CI_NODE_TOTAL" },
];

impl Shard {
    /// The only shard of an undivided run.
    pub const WHOLE: Shard = Shard { index: 1, of: 1, tier: None, engine: None };

    /// The name of the shard's files and of its part: `deep-2-of-4`, or `deep-fours-2-of-4` of one tier alone.
    pub fn name(self) -> String {
        let Shard { index, of, .. } = self;
        format!("{}-{index}-of-{of}", self.run_name())
    }

    /// The name of the files and of the part of the whole run: `deep`, `deep-fours` of one tier alone, or
    /// `deep-pairs-loom-futex` of one tier on another engine than its own.
    pub fn run_name(self) -> String {
        let names = [self.tier.map(tier_name), self.engine.map(|engine| engine.name().to_owned())];
        ["deep".to_owned()].into_iter().chain(names.into_iter().flatten()).collect::<Vec<_>>().join("-")
    }

    /// The engines of the run that play the programs of this tier.
    pub(super) fn engines(self, tier: Tier) -> Vec<Engine> {
        self.engine.map_or_else(|| tier.deep(), |engine| vec![engine])
    }

    /// The reason why the run's engine does not play the whole tier.
    pub fn objection(self) -> Option<String> {
        let (tier, engine) = (self.tier?, self.engine?);
        let objection = tier.programs().iter().find_map(|program| engine.objection(program))?;
        Some(format!("not every program of the tier {} can be played: {objection}", tier_name(tier)))
    }

    /// The places of the shard's jobs. Neighbouring jobs are alike and go to different shards, which balances the cost.
    pub fn places(self, jobs: usize) -> impl Iterator<Item = usize> {
        (self.index - 1..jobs).step_by(self.of)
    }

    /// The shard that the environment names, by the protocol of Bazel and googletest, Kubernetes' indexed jobs, Slurm's
    /// arrays or GitLab's parallel jobs.
    ///
    /// # Errors
    ///
    /// If it names none, if two systems do, or if a variable is missing or no number.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let named: Vec<_> = PROTOCOLS.iter().filter(|protocol| variable(protocol.index).is_some()).collect();
        let number = |name: &str| {
            let text = variable(name).ok_or(format!("the environment lacks {name}"))?;
            text.parse::<usize>().map_err(|_| format!("{name} is `{text}`, which is no number"))
        };
        let [Protocol { system, index, first, of }] = named.as_slice() else {
            let names = PROTOCOLS.iter().map(|protocol| protocol.index).collect::<Vec<_>>().join(", ");
            let found = if named.is_empty() { "none" } else { "more than one" };
            return Err(format!("--shard auto needs one of {names} in the environment, and {found} is there"));
        };
        let first = match first {
            First::Is(first) => *first,
            First::In(name) => number(name)?,
        };
        let (index, of) = (number(index)?, number(of)?);
        match index.checked_sub(first) {
            Some(at) if at < of => Ok(Shard { index: at + 1, of, ..Shard::WHOLE }),
            _ => Err(format!("{system} gives this job the number {index}, and there are {of} from {first} on")),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)?;
        self.tier.map_or(Ok(()), |tier| write!(f, " of the tier {}", tier_name(tier)))?;
        self.engine.map_or(Ok(()), |engine| write!(f, " on {}", engine.name()))
    }
}

/// `2/4`, or `auto` for the shard that the environment names.
impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Self::from_environment(|name| std::env::var(name).ok());
        }
        let parts = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((index, of)) if (1..=of).contains(&index) => Ok(Shard { index, of, ..Shard::WHOLE }),
            _ => Err(format!("`{text}` is not a shard; the second of four shards is 2/4")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Shard;

    #[test]
    fn each_job_is_in_one_shard_and_shards_have_equal_size() {
        for of in [1, 2, 3, 7, 100] {
            let shard = |index| Shard { index, of, ..Shard::WHOLE };
            let shares: Vec<Vec<usize>> = (1..=of).map(|index| shard(index).places(1000).collect()).collect();
            let mut all = shares.concat();
            all.sort_unstable();
            assert_eq!(all, (0..1000).collect::<Vec<_>>());
            let sizes = shares.iter().map(Vec::len);
            assert!(sizes.clone().max().zip(sizes.min()).is_some_and(|(most, least)| most - least <= 1));
        }
    }

    #[test]
    fn a_malformed_shard_is_refused() {
        assert_eq!("2/4".parse(), Ok(Shard { index: 2, of: 4, ..Shard::WHOLE }));
        for wrong in ["", "2", "0/4", "5/4", "a/b", "1/0", "-1/2"] {
            let refused = wrong.parse::<Shard>().expect_err(wrong);
            assert_eq!(refused, format!("`{wrong}` is not a shard; the second of four shards is 2/4"));
        }
    }

    fn named_by(environment: &[(&str, &str)]) -> Result<Shard, String> {
        let value =
            |wanted: &str| environment.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).into());
        Shard::from_environment(value)
    }

    #[test]
    fn each_system_names_the_second_of_three_shards_in_its_own_way() {
        let second = Ok(Shard { index: 2, of: 3, ..Shard::WHOLE });
        assert_eq!(named_by(&[("TEST_SHARD_INDEX", "1"), ("TEST_TOTAL_SHARDS", "3")]), second);
        assert_eq!(named_by(&[("JOB_COMPLETION_INDEX", "1"), ("WHENDONE_SHARDS", "3")]), second);
        assert_eq!(named_by(&[("CI_NODE_INDEX", "2"), ("CI_NODE_TOTAL", "3")]), second);
        let slurm = |id| {
            let array = [("SLURM_ARRAY_TASK_ID", id), ("SLURM_ARRAY_TASK_MIN", "7"), ("SLURM_ARRAY_TASK_COUNT", "3")];
            named_by(&array)
        };
        assert_eq!(slurm("8"), second);
        assert!(slurm("10").expect_err("there are three").contains("10, and there are 3 from 7 on"));
    }

    #[test]
    fn an_environment_that_names_no_shard_or_two_is_refused() {
        assert!(named_by(&[]).expect_err("none").contains("and none is there"));
        let two =
            [("TEST_SHARD_INDEX", "1"), ("TEST_TOTAL_SHARDS", "3"), ("CI_NODE_INDEX", "2"), ("CI_NODE_TOTAL", "3")];
        assert!(named_by(&two).expect_err("two").contains("more than one is there"));
        let lacking = named_by(&[("TEST_SHARD_INDEX", "1")]).expect_err("it lacks the number");
        assert_eq!(lacking, "the environment lacks TEST_TOTAL_SHARDS");
        let wrong = named_by(&[("TEST_SHARD_INDEX", "x"), ("TEST_TOTAL_SHARDS", "3")]).expect_err("no number");
        assert_eq!(wrong, "TEST_SHARD_INDEX is `x`, which is no number");
    }
}
