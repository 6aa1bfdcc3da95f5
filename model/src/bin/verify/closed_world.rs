//! The commands that explore many programs: the plain run, the deep run and its shards, every client, the samples.

use super::arguments::Arguments;
use super::print;
use serde_json::{json, to_value};
use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};
use whendone_model::engines::sections::clients::Difference;
use whendone_model::project::copy::folder_in_target;
use whendone_model::project::files::write_atomically;
use whendone_model::runner::audit::root;
use whendone_model::runner::baseline::Baseline;
use whendone_model::runner::checkpoint::Checkpoint;
use whendone_model::runner::clients::{Clients, EVERYDAY};
use whendone_model::runner::estimate::Expected;
use whendone_model::runner::explore::Run;
use whendone_model::runner::interrupt;
use whendone_model::runner::merge::merge;
use whendone_model::runner::part::Found;
use whendone_model::runner::plan::Plan;
use whendone_model::runner::report::Report;
use whendone_model::runner::shard::Shard;
use whendone_model::runner::table::{Failures, Samples};
use whendone_model::runner::tally::Tally;

/// Explores the closed world and compares the counts with the baseline.
pub fn verify(arguments: &Arguments) -> Result<Found, Box<dyn Error>> {
    let at = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
    let mut baseline = match Baseline::read() {
        Err(_) if arguments.accept => Baseline::default(),
        read => read.map_err(|error| at(&Baseline::path(), error))?,
    };
    let start = Instant::now();
    let plan = Plan::everyday();
    let run = Run::new(arguments.workers, Duration::from_secs(arguments.limit))?;
    let path = folder_in_target("verify")?.join("everyday.checkpoint");
    let checkpoint = Checkpoint::of_everyday(&path, arguments.fresh)?;
    let resumed = resuming(&checkpoint, &plan);
    let clients = EVERYDAY.into_iter().map(|(calls, key)| Clients::explored(calls, key, |_| ()));
    let clients: Result<Vec<Clients>, Difference> = clients.collect();
    let mut tally = run.explore(&plan, Some(&checkpoint))?;
    if tally.left > 0 {
        return interrupted(tally.left, &plan);
    }
    run.draw_failures(&mut tally)?;
    let differs = clients.as_ref().err().map(differs);
    tally.clients = clients.unwrap_or_default();
    if arguments.accept && tally.failures.is_empty() && differs.is_none() {
        baseline = tally.baseline();
        baseline.write().map_err(|error| at(&Baseline::path(), error))?;
    }
    let report = tally.report(&plan, Some(&baseline), run.workers, start.elapsed().as_secs_f64());
    let mut report = Report { resumed, ..report };
    if let Some(differs) = differs {
        print(differs)?;
        report.green = false;
    }
    print(&report)?;
    write(&report, "report.json")?;
    // The next run is to play everything again.
    fs::remove_file(&path).map_err(|error| at(&path, error))?;
    Ok(found(&report))
}

fn found(report: &Report) -> Found {
    Found { exit: u8::from(!report.green), figures: to_value(report).unwrap_or_default(), ..Found::default() }
}

/// The number of programs that an earlier run has played; says so if there are any.
fn resuming(checkpoint: &Checkpoint, plan: &Plan) -> usize {
    let resumed = checkpoint.done.len();
    if resumed > 0 {
        eprintln!("resuming after {resumed} of {} programs; --fresh starts over", plan.jobs.len());
    }
    resumed
}

/// The end after Ctrl-C.
fn interrupted(left: usize, plan: &Plan) -> Result<Found, Box<dyn Error>> {
    let (all, done) = (plan.jobs.len(), plan.jobs.len() - left);
    print(format_args!("INTERRUPTED: {done} of {all} programs are done and kept; the same command resumes"))?;
    Ok(Found {
        exit: interrupt::EXIT,
        skipped: vec![format!("{left} of {all} programs, because the run was interrupted")],
        ..Found::default()
    })
}

pub fn differs(difference: &Difference) -> String {
    format!("a client of the kernel differs from the specification:\n{difference}")
}

/// Prints about how long the run takes.
pub fn estimated(arguments: &Arguments) -> Result<Found, Box<dyn Error>> {
    let plan = if arguments.deep { Plan::deep(arguments.share()) } else { Plan::everyday() };
    let run = Run::new(arguments.workers, Duration::from_secs(arguments.limit))?;
    print(Expected::of(&run, &plan, fastrand::u64(..))?)?;
    Ok(Found::default())
}

/// Explores larger programs, or one shard of them, and resumes an interrupted run.
pub fn verify_deep(arguments: &Arguments) -> Result<Found, Box<dyn Error>> {
    let start = Instant::now();
    let shard = arguments.share();
    let plan = Plan::deep(shard);
    let run = Run::new(arguments.workers, Duration::from_secs(arguments.limit))?;
    let name = shard.name();
    let path = folder_in_target("verify")?.join(format!("{name}.checkpoint"));
    // Bazel asks for this file of a program that knows what a shard is.
    env::var_os("TEST_SHARD_STATUS_FILE").map_or(Ok(()), |file| fs::write(file, ""))?;
    let checkpoint = Checkpoint::open(&path, shard, arguments.fresh)?;
    let resumed = resuming(&checkpoint, &plan);
    let mut tally = run.explore(&plan, Some(&checkpoint))?;
    if tally.left > 0 {
        return interrupted(tally.left, &plan);
    }
    run.draw_failures(&mut tally)?;
    let report = tally.report(&plan, None, run.workers, start.elapsed().as_secs_f64());
    let root = root(&Checkpoint::open(&path, shard, false)?.done);
    let report = Report { shard: Some(shard), root, resumed, ..report };
    print(&report)?;
    write(&report, &format!("{name}.json"))?;
    Ok(found(&report))
}

/// Adds the reports of all shards of this deep run.
pub fn merge_files(files: &[PathBuf], run: Shard) -> Result<Found, Box<dyn Error>> {
    let read = |file: &PathBuf| -> Result<(String, Report), String> {
        let name = file.display().to_string();
        let text = fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
        let report = serde_json::from_str(&text)
            .map_err(|error| format!("{name} is not a report of `cargo verify --deep`: {error}"))?;
        Ok((name, report))
    };
    let report = merge(files.iter().map(read).collect::<Result<_, _>>()?, run)?;
    print(&report)?;
    write(&report, &format!("{}.json", run.run_name()))?;
    Ok(found(&report))
}

/// Plays sampled programs on the engines that sample executions, until the time is over or one fails.
pub fn stress(arguments: &Arguments, seconds: u64, from: usize) -> Result<Found, Box<dyn Error>> {
    let start = Instant::now();
    let run = Run::new(arguments.workers, Duration::from_secs(arguments.limit))?;
    let mut tally = Tally::default();
    let mut next = from;
    let is_over = || start.elapsed() >= Duration::from_secs(seconds) || interrupt::is_asked();
    while tally.failures.is_empty() && !is_over() {
        let plan = Plan::sampled(next..next + AT_A_TIME);
        next += AT_A_TIME;
        tally.include(run.explore(&plan, None)?);
    }
    if tally.programs() == 0 {
        return Err("no program was played before the time was over: give it more with --seconds".into());
    }
    run.draw_failures(&mut tally)?;
    write!(io::stdout(), "{}{}", Samples(&tally.others), Failures(&tally.failures))?;
    let green = tally.failures.is_empty();
    let found = if green { "no failure in a sample" } else { "NOT VERIFIED, failures" };
    let (last, seconds) = (next.saturating_sub(1), start.elapsed().as_secs_f64());
    print(format_args!("{found} of the programs {from} to {last}, in {seconds:.0} s with {} workers", run.workers))?;
    let figures = json!({ "from": from, "to": last, "samples": tally.others, "failures": tally.failures });
    let exit = match (green, interrupt::is_asked()) {
        (false, _) => 1,
        (true, true) => interrupt::EXIT,
        (true, false) => 0,
    };
    Ok(Found { exit, figures, ..Found::default() })
}

/// The number of programs between two checks of the time.
const AT_A_TIME: usize = 20;

/// Writes a report to `target/verify`.
fn write(report: &Report, name: &str) -> Result<(), Box<dyn Error>> {
    let file = folder_in_target("verify")?.join(name);
    write_atomically(&file, serde_json::to_string_pretty(report)? + "\n")?;
    Ok(())
}
