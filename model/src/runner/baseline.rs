//! What a run found when somebody last explained it: a count that changes is a finding.

use crate::project::sources::Core;
use crate::runner::count::Count;
use crate::universe::Tier;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The file `model/pinned.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// The digest of the core that it was found with: the verified one.
    pub core: String,
    tiers: BTreeMap<Tier, Explored>,
    atomic: Explored,
    /// The smallest programs, every schedule under shuttle.
    shuttle: Explored,
    /// What loom misses with the atomic stand-in: scenario and outcome.
    blind_spots: BTreeSet<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Explored {
    programs: usize,
    branching: usize,
    executions: u64,
}

impl Baseline {
    pub fn new(tiers: &BTreeMap<Tier, Count>, atomic: &Count, shuttle: &Count, blind_spots: &BTreeSet<String>) -> Self {
        let explored = |count: &Count| Explored {
            programs: count.programs,
            branching: count.nontrivial,
            executions: count.executions,
        };
        Baseline {
            core: Core::compiled().sha256,
            tiers: tiers.iter().map(|(tier, count)| (*tier, explored(count))).collect(),
            atomic: explored(atomic),
            shuttle: explored(shuttle),
            blind_spots: blind_spots.clone(),
        }
    }

    pub fn path() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("pinned.json")
    }

    /// # Errors
    ///
    /// If the file cannot be read, or is malformed.
    pub fn read() -> io::Result<Self> {
        Ok(serde_json::from_str(&fs::read_to_string(Self::path())?)?)
    }

    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write(&self) -> io::Result<()> {
        fs::write(Self::path(), serde_json::to_string_pretty(self)? + "\n")
    }

    /// What is not as it was, one line for each.
    pub fn changes(&self, now: &Baseline) -> Vec<String> {
        let mut changes = Vec::new();
        let mut compare = |name: &str, pinned: Option<&Explored>, now: Option<&Explored>| {
            if pinned != now {
                changes.push(format!("{name}: pinned {pinned:?}, now {now:?}"));
            }
        };
        for tier in self.tiers.keys().chain(now.tiers.keys()).collect::<BTreeSet<_>>() {
            compare(tier.describe(), self.tiers.get(tier), now.tiers.get(tier));
        }
        compare("publication by an atomic", Some(&self.atomic), Some(&now.atomic));
        compare("every schedule under shuttle", Some(&self.shuttle), Some(&now.shuttle));
        changes.extend(now.blind_spots.difference(&self.blind_spots).map(|spot| format!("missed only now: {spot}")));
        changes.extend(self.blind_spots.difference(&now.blind_spots).map(|spot| format!("seen only now: {spot}")));
        changes
    }
}
