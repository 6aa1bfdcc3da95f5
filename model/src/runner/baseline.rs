//! The baseline: the counts of the last accepted run. A changed count is a finding.

use crate::engines::catalog::Engine;
use crate::project::copy::project;
use crate::project::files::write_atomically;
use crate::project::origin;
use crate::project::sources::Core;
use crate::runner::clients::Clients;
use crate::runner::count::{ByEngine, Count};
use crate::universe::Tier;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::{fmt, io};

/// The path of the file, from the root of the project.
const PINNED: &str = "model/pinned.json";

/// The contents of `model/pinned.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// The digest of the core of that run: the verified one.
    pub core: String,
    /// The closed world, under each engine that explores it.
    explored: BTreeMap<Engine, BTreeMap<Tier, Explored>>,
    /// Every client of the kernel: the states and the choices of each part.
    pub clients: Vec<(usize, u64)>,
    /// The smallest programs with every schedule, under shuttle.
    shuttle: Explored,
}

/// The counts that must not change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Explored {
    programs: usize,
    branching: usize,
    executions: u64,
}

impl Baseline {
    /// The baseline that a run with these counts would leave.
    pub fn new(all: &ByEngine, clients: &[Clients], shuttle: &Count) -> Self {
        let explored = |count: &Count| Explored {
            programs: count.programs,
            branching: count.nontrivial,
            executions: count.executions,
        };
        let of_tiers =
            |tiers: &BTreeMap<Tier, Count>| tiers.iter().map(|(tier, count)| (*tier, explored(count))).collect();
        Baseline {
            core: Core::compiled().sha256,
            explored: all.iter().map(|(engine, tiers)| (*engine, of_tiers(tiers))).collect(),
            clients: clients.iter().map(|clients| (clients.states, clients.choices)).collect(),
            shuttle: explored(shuttle),
        }
    }

    /// The programs of the closed world under each engine, and their executions.
    pub fn totals(&self) -> impl Iterator<Item = (Engine, usize, u64)> {
        self.explored.iter().map(|(engine, tiers)| {
            let executions = tiers.values().map(|explored| explored.executions).sum();
            (*engine, tiers.values().map(|explored| explored.programs).sum(), executions)
        })
    }

    /// The path of the file.
    pub fn path() -> PathBuf {
        project().join(PINNED)
    }

    /// Reads the file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is malformed.
    pub fn read() -> io::Result<Self> {
        Ok(serde_json::from_str(&origin::text(PINNED)?)?)
    }

    /// Writes the file.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write(&self) -> io::Result<()> {
        write_atomically(&Self::path(), serde_json::to_string_pretty(self)? + "\n")
    }

    /// The differences between this baseline and a new run, one line each.
    pub fn changes(&self, now: &Baseline) -> Vec<String> {
        let mut changes = Vec::new();
        let print = |explored: Option<&Explored>| explored.map_or("nothing".to_owned(), Explored::to_string);
        let mut compare = |name: &str, before: Option<&Explored>, now: Option<&Explored>| {
            if before != now {
                changes.push(format!("{name}: {} before, {} now", print(before), print(now)));
            }
        };
        let keys = |baseline: &Baseline| -> BTreeSet<(Engine, Tier)> {
            let keys = baseline.explored.iter();
            keys.flat_map(|(engine, tiers)| tiers.keys().map(|tier| (*engine, *tier))).collect()
        };
        for (engine, tier) in &keys(self) | &keys(now) {
            let name = format!("{}, {}", tier.describe(), engine.describe());
            let of = |baseline: &Baseline| baseline.explored.get(&engine).and_then(|tiers| tiers.get(&tier)).copied();
            compare(&name, of(self).as_ref(), of(now).as_ref());
        }
        compare("shuttle, every schedule", Some(&self.shuttle), Some(&now.shuttle));
        if self.clients != now.clients {
            let (before, now) = (&self.clients, &now.clients);
            changes.push(format!("every client, states and choices: {before:?} before, {now:?} now"));
        }
        changes
    }
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Explored { programs, branching, executions } = self;
        write!(f, "{programs} programs, {branching} branching, {executions} executions")
    }
}
