//! The printed tables: a report, its samples, its failures.

use super::report::{Failure, Report};
use crate::check::fault::Fault;
use crate::engines::catalog::{Engine, PREEMPTIONS};
use crate::project::sources::Core;
use crate::runner::count::Count;
use crate::runner::count::Outcomes;
use crate::runner::count::Scenarios;
use crate::runner::count::sum;
use std::collections::BTreeMap;
use std::fmt;

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
