//! `cargo verify audit`: the journal of somebody else's deep run.

use super::arguments::Arguments;
use super::print;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Duration;
use whendone_model::runner::audit::{replayed, root};
use whendone_model::runner::checkpoint::of_another_run;
use whendone_model::runner::explore::Run;
use whendone_model::runner::plan::Plan;
use whendone_model::runner::report::Report;

/// Compares the journal of a deep run with its report, and plays some of its programs again.
pub fn audit(arguments: &Arguments, journal: &Path, sample: usize, seed: u64) -> Result<bool, Box<dyn Error>> {
    let (shard, verdicts) = of_another_run(journal)?;
    let plan = Plan::deep(shard);
    let report = journal.with_extension("json");
    let text = fs::read_to_string(&report).map_err(|error| format!("{}: {error}", report.display()))?;
    let report: Report = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", report.display()))?;
    let found = root(&verdicts);
    let is_whole = verdicts.keys().copied().eq(0..plan.jobs.len());
    let mut places: Vec<usize> = verdicts.keys().copied().filter(|at| *at < plan.jobs.len()).collect();
    fastrand::Rng::with_seed(seed).shuffle(&mut places);
    places.truncate(sample);
    let run = Run::new(arguments.workers, Duration::from_secs(arguments.limit))?;
    let different = replayed(&run, &plan, &verdicts, &places)?;
    print(format_args!(
        "journal of shard {shard}: {} verdicts of {} programs, root {found}",
        verdicts.len(),
        plan.jobs.len()
    ))?;
    if !is_whole {
        print("NOT WHOLE: the journal does not have one verdict for each program")?;
    }
    if found != report.root {
        print(format_args!("FORGED: the report has the root {}", report.root))?;
    }
    different.iter().try_for_each(|line| print(format_args!("DIFFERENT {line}")))?;
    print(format_args!("played again: {}, seed {seed}, {} different", places.len(), different.len()))?;
    Ok(is_whole && found == report.root && different.is_empty() && !places.is_empty())
}
