//! The reports of all shards of a deep run, merged into one.

use crate::runner::plan::Shard;
use crate::runner::report::Report;
use crate::universe::Tier;
use std::collections::BTreeSet;

/// One report of all. Each is named by the file that it was read from.
///
/// # Errors
///
/// If they are not the shards of one run, each of them once.
pub fn merge(reports: Vec<(String, Report)>) -> Result<Report, String> {
    let mut reports = reports.into_iter();
    let (first_name, mut merged) = reports.next().ok_or("there is nothing to merge")?;
    let shard_of = |name: &str, report: &Report| {
        report
            .shard
            .ok_or_else(|| format!("{name} is no report of a shard: `cargo verify --deep --shard 1/4` writes one"))
    };
    let Shard { index, of } = shard_of(&first_name, &merged)?;
    let mut there = BTreeSet::from([index]);
    for (name, report) in reports {
        let shard = shard_of(&name, &report)?;
        if report.core.sha256 != merged.core.sha256 || report.sources != merged.sources {
            return Err(format!("{name} and {first_name} are of different cores, engines or players"));
        }
        if shard.of != of {
            return Err(format!("{name} is shard {shard}, and {first_name} is one of {of}"));
        }
        if !there.insert(shard.index) {
            return Err(format!("{name} is shard {shard}, which is there already"));
        }
        merged.include(report);
    }
    let missing: Vec<String> =
        (1..=of).filter(|index| !there.contains(index)).map(|index| Shard { index, of }.to_string()).collect();
    if !missing.is_empty() {
        return Err(format!("shards are missing: {}", missing.join(", ")));
    }
    let expected: usize = Tier::DEEP.into_iter().map(Tier::formula).sum();
    if merged.scenarios.generated != expected {
        return Err(format!("together they have {} programs, not {expected}", merged.scenarios.generated));
    }
    merged.shard = None;
    Ok(merged)
}
