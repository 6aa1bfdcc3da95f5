//! `cargo verify`: explores the closed world, and says whether the core is what the specification says.

use clap::{Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use stateright::Model;
use std::error::Error;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write, stderr};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use std::{env, fs, panic, thread};
use whendone_model::allowed::allowed;
use whendone_model::canary::sing;
use whendone_model::claims::{Protocol, SIZE};
use whendone_model::countermodel::show;
use whendone_model::crew::{Job, be_a_worker, work};
use whendone_model::exhibit::Exhibit;
use whendone_model::facts::tie;
use whendone_model::judge::{Engine, Verdict, judge};
use whendone_model::pinned::Pinned;
use whendone_model::proof::{Proof, Theory};
use whendone_model::report::{Failure, Tally};
use whendone_model::scenario::Scenario;
use whendone_model::solver::Solver;
use whendone_model::token::Token;
use whendone_model::universe::Tier;
use whendone_model::vendored::{Vendored, mutants};

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
    /// Verifies another copy of the core: a folder with the files of src/kernel
    #[arg(long, value_name = "PATH", global = true)]
    core: Option<PathBuf>,
    /// Pins the counts and the blind spots as they are now, if nothing else is wrong
    #[arg(long)]
    accept: bool,
    /// Shows for each outcome that a scenario may have how it comes about, as `scenario --explain` does
    #[arg(long, value_name = "SCENARIO")]
    explain: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs one scenario and prints its outcomes, like a litmus test: `cargo verify scenario 'a ; C | A R0'`
    Scenario {
        text: String,
        /// Shows for each allowed outcome how it comes about
        #[arg(long)]
        explain: bool,
    },
    /// Runs the one execution again that a replay token names, and shows it
    Replay { token: String },
    /// Proves the protocol for any number of threads and callbacks, with two solvers
    Proof,
    /// Serves the protocol's states for a browser, to be clicked through
    Explore {
        #[arg(long, default_value_t = 3000)]
        port: u16,
    },
    /// Plants the seeded bugs and says which check notices each
    Mutants {
        /// Another table of bugs: an auditor's own
        #[arg(long)]
        file: Option<PathBuf>,
        /// `--all` for every check, not only the first that notices it; names, or parts of them, for a selection
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    #[command(hide = true)]
    Worker,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let checked = || sing().map_err(Into::into);
    let green = match (&arguments.command, &arguments.explain) {
        (Some(Command::Mutants { file, rest }), _) => {
            mutants(file.as_deref(), rest).map(|end| end.success()).map_err(Into::into)
        }
        _ if arguments.core.is_some() => verify_another(&arguments),
        (None, None) => checked().and_then(|()| verify(&arguments)),
        (None, Some(text)) | (Some(Command::Scenario { text, explain: true }), _) => explain(text),
        (Some(Command::Scenario { text, explain: false }), _) => checked().and_then(|()| litmus(text)),
        (Some(Command::Replay { token }), _) => replay(token),
        (Some(Command::Proof), _) => prove(),
        (Some(Command::Explore { port }), _) => explore(*port),
        // Whoever asked says what was lost.
        (Some(Command::Worker), _) => Ok(be_a_worker(|job: Job| job.verdict()).is_ok()),
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
        .flat_map(|(_, program)| engines.map(|engine| Job { engine, scenario: text(program), exhibit: false }))
        .collect();
    let tally = Mutex::new(Tally::default());
    let progress = Progress::new(jobs.len());
    work(&jobs, workers, Duration::from_secs(arguments.limit), |at, answer: Result<Verdict, String>| {
        let verdict = answer.unwrap_or_else(Verdict::lost);
        let mut tally = tally.lock().expect("never poisoned");
        tally.add(tier_of_job(at), &jobs[at], &verdict);
        progress.done(tally.failures.len());
    })?;
    progress.bar.finish_and_clear();
    let mut tally = tally.into_inner().expect("never poisoned");
    exhibit(&mut tally, workers, Duration::from_secs(arguments.limit))?;
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

/// The same on another copy of the core.
fn verify_another(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let path = arguments.core.as_deref().ok_or("--core wants a folder")?;
    let vendored = Vendored::find(path)?;
    print(match vendored.different.as_slice() {
        [] => "the core there is byte for byte the one of this project".to_owned(),
        different => format!(
            "not the core of this project: {} differ, {} lines of code",
            different.join(", "),
            vendored.code_lines
        ),
    })?;
    let mut rest: Vec<_> = env::args_os().skip(1).collect();
    let at = rest.iter().position(|argument| argument == "--core");
    match at {
        Some(at) => drop(rest.drain(at..at + 2)),
        None => rest.retain(|argument| !argument.to_string_lossy().starts_with("--core=")),
    }
    Ok(vendored.run(rest)?.success())
}

/// Has the first failures of each kind shown, by workers again: a failure may be the end of them.
fn exhibit(tally: &mut Tally, workers: usize, limit: Duration) -> io::Result<()> {
    let places = tally.to_exhibit();
    let job = |&at: &usize| {
        let Failure { engine, scenario, .. } = &tally.failures[at];
        Job { engine: *engine, scenario: scenario.clone(), exhibit: true }
    };
    let jobs: Vec<Job> = places.iter().map(job).collect();
    let failures = Mutex::new(&mut tally.failures);
    work(&jobs, workers.min(jobs.len()), limit, |at, answer: Result<Verdict, String>| {
        let verdict = answer.unwrap_or_else(Verdict::lost);
        let shown = verdict.exhibit.clone().unwrap_or_else(|| format!("FAIL {}\n{verdict}", jobs[at].scenario));
        failures.lock().expect("never poisoned")[places[at]].exhibit = Some(shown);
    })
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
        if let Some(fault) = verdict.faults.first() {
            // Whatever panics from here on has been told, and is shown.
            panic::set_hook(Box::new(|_| ()));
            let exhibit = Exhibit::of_failure(engine, engine.play(), &scenario, fault);
            print(format_args!("\n{exhibit}"))?;
        }
    }
    Ok(green)
}

/// One execution for each of a scenario's allowed outcomes.
fn explain(text: &str) -> Result<bool, Box<dyn Error>> {
    let scenario: Scenario = text.parse()?;
    let exhibits = Exhibit::of_allowed(&scenario);
    exhibits.iter().try_for_each(|exhibit| print(format_args!("{exhibit}\n")))?;
    Ok(exhibits.iter().all(Exhibit::has_execution))
}

/// One execution again.
fn replay(token: &str) -> Result<bool, Box<dyn Error>> {
    let exhibit = Exhibit::of_token(&token.parse::<Token>()?)?;
    print(&exhibit)?;
    Ok(exhibit.has_execution())
}

/// The protocol, proven for every size.
fn prove() -> Result<bool, Box<dyn Error>> {
    let missing = |missing: String| format!("the proof was SKIPPED, nothing is proven: {missing}");
    Solver::ALL.iter().try_for_each(|solver| solver.version().map(drop).map_err(missing))?;
    let proof = Proof::attempt(Theory::read()?)?;
    print(&proof)?;
    let failures = proof.failures();
    for query in failures.iter().take(3) {
        print(format_args!("FAIL {}\n", show(&proof.theory, "proof", query)?))?;
    }
    let tie = tie(&proof.theory)?;
    print(format_args!(
        "tied to model/src/protocol.rs: {} of its transitions accepted, {} refused with one thing changed",
        tie.accepted, tie.refused
    ))?;
    tie.wrong.iter().take(10).try_for_each(|wrong| print(format_args!("FAIL {wrong}")))?;
    let is_proven = failures.is_empty() && tie.wrong.is_empty();
    print(if is_proven {
        "PROVEN".to_owned()
    } else {
        format!("NOT PROVEN: {} questions, {} transitions", failures.len(), tie.wrong.len())
    })?;
    Ok(is_proven)
}

/// The explorer, on this machine alone, until it is interrupted.
fn explore(port: u16) -> Result<bool, Box<dyn Error>> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let taken = |error| format!("{address}: {error}; choose another one with --port");
    // Asked first, because the explorer would panic.
    let address = TcpListener::bind(address).map_err(taken)?.local_addr()?;
    let Protocol { threads, callbacks } = SIZE;
    print(format_args!(
        "the protocol with {threads} threads and {callbacks} callbacks: http://{address}/ until Ctrl-C"
    ))?;
    SIZE.checker().serve(address);
    Ok(true)
}
