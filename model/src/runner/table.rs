//! Prints a report as tables: the closed world, the samples, the failures.

use super::report::{Failure, Report, Slow};
use crate::check::fault::Fault;
use crate::engines::catalog::Engine;
use crate::project::sources::Core;
use crate::runner::count::{Count, Outcomes, sum};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The table of the closed world, the samples, the failures and the verdict.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_closed_world(f)?;
        self.clients.iter().try_for_each(|clients| writeln!(f, "{clients}"))?;
        Samples(&self.others).fmt(f)?;
        for tier in self.explored.values().flat_map(BTreeMap::keys).collect::<BTreeSet<_>>() {
            writeln!(f, "{:<52}  {}", tier.describe(), tier.alphabet())?;
        }
        for (engine, tiers) in &self.explored {
            let programs = sum(tiers.values()).bounded;
            let bound = engine.bound().filter(|_| programs > 0);
            bound
                .iter()
                .try_for_each(|bound| writeln!(f, "BOUNDED, {programs} programs on {}: {bound}", engine.name()))?;
        }
        let Core { sha256, code_lines, .. } = &self.core;
        writeln!(f, "core: {code_lines} lines of code, sha256 {sha256}")?;
        self.write_times(f)?;
        Failures(&self.failures).fmt(f)?;
        self.write_changes(f)?;
        self.write_verdict(f)
    }
}

impl Report {
    fn write_closed_world(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let programs = if self.shard.is_some_and(|shard| shard.of > 1) { "this shard" } else { "every program" };
        let extent = match (self.scenarios.bounded, self.scenarios.cut) {
            (0, 0) => format!("{programs}, every interleaving, no bound"),
            (_, 0) => format!("{programs}, every interleaving unless BOUNDED"),
            _ => "NOT every interleaving: some programs are cut".to_owned(),
        };
        head(f, &extent)?;
        for (engine, tiers) in &self.explored {
            writeln!(f, "{}", engine.describe())?;
            tiers.iter().try_for_each(|(tier, count)| row(f, &format!("  {}", tier.describe()), count, true))?;
            let must = if engine.is_complete() { "equal" } else { "be" };
            row(f, &format!("  total: observed must {must} allowed"), &sum(tiers.values()), true)?;
        }
        let (replayed, executions) = (self.replayed, self.executions);
        writeln!(f, "conformance, each lock section a step of the protocol: {replayed} of {executions} executions")
    }

    /// The time of each tier under each engine, all workers together, and the slowest programs.
    fn write_times(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, count: &Count| writeln!(f, "{name:<52}  {:>7.1} s of work", count.seconds);
        for (engine, tiers) in &self.explored {
            line(engine.describe(), &sum(tiers.values()))?;
            tiers.iter().try_for_each(|(tier, count)| line(&format!("  {}", tier.describe()), count))?;
        }
        self.others.iter().try_for_each(|(engine, count)| line(engine.describe(), count))?;
        for Slow { seconds, scenario, engine } in &self.slowest {
            writeln!(
                f,
                "{:<52}  {seconds:>7.1} s of work  {scenario}",
                format!("among the slowest, {}", engine.name())
            )?;
        }
        self.clients.iter().try_for_each(|clients| {
            writeln!(f, "{:<52}  {:>7.1} s of work", "every client of the kernel", clients.seconds)
        })
    }

    fn write_changes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.changes.is_empty() {
            writeln!(f, "\nCHANGED from the baseline, model/pinned.json: explain it, then accept it with --accept")?;
        }
        self.changes.iter().take(MOST_LISTED).try_for_each(|change| writeln!(f, "  {change}"))
    }

    fn write_verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.green { "VERIFIED" } else { "NOT VERIFIED" };
        let shard = self.shard.map_or(String::new(), |shard| format!(" shard {shard} of the deep run"));
        let Report { seconds, workers, resumed, .. } = self;
        write!(f, "{verdict}{shard} in {seconds:.0} s with {workers} workers, ")?;
        let played = sum(self.explored.values().flat_map(BTreeMap::values).chain(self.others.values()));
        let (programs, executions) = (played.programs as f64 / seconds, played.executions as f64 / seconds);
        match resumed {
            0 => write!(f, "{programs:.0} programs and {executions:.0} executions a second"),
            _ => write!(f, "after {resumed} programs by an earlier run"),
        }
    }
}

/// The most changes, and the most failures without a drawing, that are printed.
const MOST_LISTED: usize = 20;

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

/// Writes the counts of a tier or an engine. Those that need the whole list of allowed outcomes are left out for samples,
/// where that list is not computed.
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

/// A table of the engines that do not explore the closed world.
pub struct Samples<'a>(pub &'a BTreeMap<Engine, Count>);

impl fmt::Display for Samples<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (complete, sampled): (Vec<_>, Vec<_>) = self.0.iter().partition(|(engine, _)| engine.is_complete());
        for (engine, count) in complete {
            row(f, &format!("{}: 2 threads x 1 operation", engine.describe()), count, true)?;
        }
        if !sampled.is_empty() {
            head(f, "BOUNDED, a sample, 5-8 threads: must be allowed")?;
        }
        sampled.iter().try_for_each(|(engine, count)| row(f, engine.describe(), count, false))
    }
}

/// The drawn failures, and one line for each of the others.
pub struct Failures<'a>(pub &'a [Failure]);

impl fmt::Display for Failures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (drawn, others): (Vec<_>, Vec<_>) = self.0.iter().partition(|failure| failure.counterexample.is_some());
        for Failure { scenario, engine, counterexample, .. } in drawn {
            let counterexample = counterexample.as_deref().unwrap_or_default();
            writeln!(f, "\n{counterexample}\nfound in {scenario} on {}", engine.name())?;
        }
        if !others.is_empty() {
            writeln!(f)?;
        }
        for Failure { scenario, engine, faults, .. } in others.iter().take(MOST_LISTED) {
            let faults: Vec<String> = faults.iter().map(Fault::to_string).collect();
            writeln!(f, "FAIL {scenario} on {}: {}", engine.name(), faults.join(", "))?;
        }
        if others.len() > MOST_LISTED {
            writeln!(f, "... and {} more in the report, in target/verify", others.len() - MOST_LISTED)?;
        }
        Ok(())
    }
}
