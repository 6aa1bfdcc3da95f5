//! `cargo verify`: explores the closed world, and says whether the core is what the specification says.

use clap::{Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use std::error::Error;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write, stderr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use std::{env, fs, thread};
use whendone_model::allowed::allowed;
use whendone_model::crew::{Job, be_a_worker, work};
use whendone_model::judge::{Engine, judge};
use whendone_model::pinned::Pinned;
use whendone_model::report::Tally;
use whendone_model::scenario::Scenario;
use whendone_model::universe::Tier;

/// Explores every small concurrent program over the core under loom, and checks that what clients
/// can see equals what the specification allows.
#[derive(Parser)]
#[command(name = "cargo verify", bin_name = "cargo verify")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Worker processes [default: one for each core]
    #[arg(long)]
    workers: Option<usize>,
    /// Seconds until a program counts as hanging
    #[arg(long, default_value_t = 120)]
    limit: u64,
    /// Pins the counts and the blind spots as they are now, if nothing else is wrong
    #[arg(long)]
    accept: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Runs one scenario and prints its outcomes, like a litmus test: `cargo verify scenario 'a ; C | A R0'`
    Scenario { text: String },
    #[command(hide = true)]
    Worker,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let green = match &arguments.command {
        None => verify(&arguments),
        Some(Command::Scenario { text }) => litmus(text),
        Some(Command::Worker) => be_a_worker().map(|()| true).map_err(Into::into),
    };
    match green {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Prints a line. Whoever reads may have stopped reading, which is no failure of ours.
fn print(line: impl Display) -> io::Result<()> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn verify(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let at = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
    let mut pinned = match Pinned::read() {
        Err(_) if arguments.accept => Pinned::default(),
        read => read.map_err(|error| at(&Pinned::path(), error))?,
    };
    let start = Instant::now();
    let workers = match arguments.workers {
        Some(workers) => workers.max(1),
        None => thread::available_parallelism()?.get(),
    };
    let programs: Vec<(Tier, Scenario)> = Tier::ALL
        .into_iter()
        .flat_map(|tier| tier.programs().into_iter().map(move |program| (tier, program)))
        .collect();
    let expected: usize = Tier::ALL.into_iter().map(Tier::formula).sum();
    assert_eq!(programs.len(), expected, "the closed world has as many programs as its formula says");
    let engines = [Engine::LoomMutex, Engine::LoomAtomic];
    let tier_of_job = |at: usize| programs[at / engines.len()].0;
    let text = |program: &Scenario| program.to_string();
    let jobs: Vec<Job> = programs
        .iter()
        .flat_map(|(_, program)| engines.map(|engine| Job { engine, scenario: text(program) }))
        .collect();
    let tally = Mutex::new(Tally::default());
    let progress = Progress::new(jobs.len());
    work(&jobs, workers, Duration::from_secs(arguments.limit), |at, verdict| {
        let mut tally = tally.lock().expect("never poisoned");
        tally.add(tier_of_job(at), &jobs[at], &verdict);
        progress.done(tally.failures.len());
    })?;
    progress.bar.finish_and_clear();
    let tally = tally.into_inner().expect("never poisoned");
    if arguments.accept && tally.failures.is_empty() {
        pinned = tally.pinned();
        pinned.write().map_err(|error| at(&Pinned::path(), error))?;
    }
    let report = tally.report(programs.len(), &pinned, workers, start.elapsed().as_secs_f64());
    print(&report)?;
    let target = env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    let folder = target.join("verify");
    fs::create_dir_all(&folder).map_err(|error| at(&folder, error))?;
    let file = folder.join("report.json");
    fs::write(&file, serde_json::to_string_pretty(&report)? + "\n").map_err(|error| at(&file, error))?;
    Ok(report.green)
}

/// A bar on a terminal, a line for each tenth elsewhere.
struct Progress {
    bar: ProgressBar,
}

impl Progress {
    fn new(jobs: usize) -> Self {
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} programs on two stand-ins, {eta} left, {msg}");
        Progress { bar: ProgressBar::new(jobs as u64).with_style(style.expect("a valid template")) }
    }

    fn done(&self, failures: usize) {
        self.bar.inc(1);
        self.bar.set_message(format!("{failures} failures"));
        let done = self.bar.position();
        if !stderr().is_terminal() && done.is_multiple_of((self.bar.length().unwrap_or(1) / 10).max(1)) {
            eprintln!(
                "{}% of the programs on two stand-ins, {failures} failures",
                100 * done / self.bar.length().unwrap_or(1)
            );
        }
    }
}

/// One scenario's outcomes, allowed and seen.
fn litmus(text: &str) -> Result<bool, Box<dyn Error>> {
    let scenario: Scenario = text.parse()?;
    let allowed = allowed(&scenario);
    print(&scenario)?;
    let mut green = true;
    for engine in [Engine::LoomMutex, Engine::LoomAtomic] {
        let observed = engine.observe(&scenario);
        let verdict = judge(&scenario, engine.is_complete(), &observed);
        green &= verdict.is_good();
        let (name, must) = match engine.is_complete() {
            true => ("outcome behind a mutex", "must be equal"),
            false => ("outcome behind an atomic", "must be contained"),
        };
        print(format_args!("\n{name}, {must}: {} executions, {}\n", observed.executions, observed.extent))?;
        print(format_args!("  allowed  executions  answers -> hand-overs"))?;
        for observation in allowed.iter().chain(observed.observations.keys().filter(|seen| !allowed.contains(seen))) {
            let is_allowed = if allowed.contains(observation) { "yes" } else { "NO" };
            let seen = observed.observations.get(observation).copied().unwrap_or(0);
            print(format_args!("  {is_allowed:<7}  {seen:>10}  {observation}"))?;
        }
        verdict.broken.iter().try_for_each(|broken| print(format_args!("  broken: {broken}")))?;
        print(format_args!("  {}", if verdict.is_good() { "ok" } else { "FAIL" }))?;
    }
    Ok(green)
}
