//! Merges the reports of all shards of a deep run.

use crate::runner::audit::root_of_roots;
use crate::runner::plan::Plan;
use crate::runner::report::Report;
use crate::runner::shard::Shard;
use std::collections::BTreeMap;

/// Adds the reports of a deep run, or of one tier of it, each given with the name of its file. `run` is the whole of which they
/// are the shards.
///
/// # Errors
///
/// If the reports are not from one run, or a shard is missing or there twice.
pub fn merge(reports: Vec<(String, Report)>, run: Shard) -> Result<Report, String> {
    let mut reports = reports.into_iter();
    let (first_name, mut merged) = reports.next().ok_or("no reports to merge")?;
    let Shard { index, of, .. } = shard_of(&first_name, &merged, run)?;
    let mut present = BTreeMap::from([(index, merged.root.clone())]);
    for (name, report) in reports {
        let shard = shard_of(&name, &report, run)?;
        if report.core.sha256 != merged.core.sha256 || report.sources != merged.sources {
            return Err(format!(
                "{name} and {first_name} are from different cores, engines or players; run all shards on one commit"
            ));
        }
        if shard.of != of {
            return Err(format!("{name} is shard {shard}, but {first_name} is one of {of} shards"));
        }
        if present.insert(shard.index, report.root.clone()).is_some() {
            return Err(format!("{name} is shard {shard}, which another report is already"));
        }
        merged.include(report);
    }
    let missing: Vec<String> =
        (1..=of).filter(|index| !present.contains_key(index)).map(|index| format!("{index}/{of}")).collect();
    if !missing.is_empty() {
        return Err(format!("missing shards: {}; run each with `cargo verify --deep --shard ..`", missing.join(", ")));
    }
    let expected = Plan::all_of_deep(run);
    if merged.scenarios.generated != expected {
        return Err(format!("the reports cover {} programs instead of {expected}", merged.scenarios.generated));
    }
    merged.root = root_of_roots(present.values().map(String::as_str));
    merged.shard = (run != Shard::WHOLE).then_some(run);
    Ok(merged)
}

/// The shard whose report this is, if it is one of this run.
fn shard_of(name: &str, report: &Report, run: Shard) -> Result<Shard, String> {
    let none = || format!("{name} is not the report of a shard; `cargo verify --deep --shard 1/4` writes one");
    let shard = report.shard.ok_or_else(none)?;
    if (shard.tier, shard.engine) == (run.tier, run.engine) {
        return Ok(shard);
    }
    Err(format!("{name} is of the run {}; to be merged: {}; see --tier and --engine", shard.run_name(), run.run_name()))
}
