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
use whendone_model::check::blind_spots::BLIND_SPOTS;
use whendone_model::check::{Engine, Verdict, judge};
use whendone_model::counterexample::Exhibit;
use whendone_model::counterexample::token::Token;
use whendone_model::project::copy::target;
use whendone_model::project::mutants::{Wanted, seeded};
use whendone_model::project::vendored::Vendored;
use whendone_model::proof::counterexample::show;
use whendone_model::proof::cross_check::tie;
use whendone_model::proof::obligations::{Proof, Theory};
use whendone_model::proof::solver::Solver;
use whendone_model::protocol::properties::{Protocol, SIZE};
use whendone_model::runner::baseline::Pinned;
use whendone_model::runner::checkpoint::Journal;
use whendone_model::runner::merge::merge;
use whendone_model::runner::plan::{CROWDS, Plan, Shard};
use whendone_model::runner::report::{Failure, Failures, Report, Samples, Tally};
use whendone_model::runner::self_test::sing;
use whendone_model::runner::workers::{Job, be_a_worker, work};
use whendone_model::scenario::Scenario;
use whendone_model::spec::allowed::known;
use whendone_stacks as _;

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
    /// Explores larger programs instead: 3 threads with up to 4 operations in all, and 4 threads with a bound
    #[arg(long)]
    deep: bool,
    /// Only this share of the deep run: 2/4 is the second of four. `cargo verify merge` merges their reports
    #[arg(long, value_name = "I/N", requires = "deep")]
    shard: Option<Shard>,
    /// Does again what an interrupted deep run has done already
    #[arg(long, requires = "deep")]
    fresh: bool,
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
        /// Plays it on this engine instead of loom with both stand-ins: loom-mutex, loom-atomic, loom-bounded,
        /// shuttle-every, shuttle-random, shuttle-pct, threads, tickets, alone
        #[arg(long, conflicts_with = "explain")]
        engine: Option<Engine>,
    },
    /// Runs the one execution again that a replay token names, and shows it
    Replay { token: String },
    /// Plays larger programs, of 5 to 8 threads, on shuttle and on real threads: a sample, never exhaustive
    Stress {
        /// Seconds until no more programs are begun
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Number of the first program; every plain run plays those below
        #[arg(long, default_value_t = CROWDS)]
        from: usize,
    },
    /// Merges the reports of all shards of a deep run: `cargo verify merge target/verify/deep-*-of-4.json`
    Merge {
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Shows what no tool here sees, that it is still unseen, and what covers it instead
    BlindSpots,
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
        #[command(flatten)]
        wanted: Wanted,
    },
    #[command(hide = true)]
    Worker,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let checked = || sing().map_err(Into::into);
    let green = match (&arguments.command, &arguments.explain) {
        (Some(Command::Mutants { .. }), _) if arguments.core.is_some() => {
            Err("the seeded bugs are edits of this project's own core; --core does not go with them".into())
        }
        (Some(Command::Mutants { file, wanted }), _) => {
            seeded(file.as_deref(), wanted).map(|end| end.success()).map_err(Into::into)
        }
        _ if arguments.core.is_some() => verify_another(&arguments),
        (None, None) if arguments.deep => checked().and_then(|()| verify_deep(&arguments)),
        (None, None) => checked().and_then(|()| verify(&arguments)),
        (Some(Command::Stress { seconds, from }), _) => checked().and_then(|()| stress(&arguments, *seconds, *from)),
        (Some(Command::Merge { files }), _) => merge_files(files),
        (None, Some(text)) | (Some(Command::Scenario { text, explain: true, .. }), _) => explain(text),
        (Some(Command::Scenario { text, engine, .. }), _) => checked().and_then(|()| litmus(text, *engine)),
        (Some(Command::Replay { token }), _) => replay(token),
        (Some(Command::BlindSpots), _) => blind_spots(),
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
    let plan = Plan::everyday();
    let crew = Crew::of(arguments)?;
    let mut tally = crew.work_off(&plan, None)?;
    crew.exhibit(&mut tally)?;
    if arguments.accept && tally.failures.is_empty() {
        pinned = tally.pinned();
        pinned.write().map_err(|error| at(&Pinned::path(), error))?;
    }
    let report = tally.report(&plan, Some(&pinned), crew.workers, start.elapsed().as_secs_f64());
    print(&report)?;
    write(&report, "report.json")?;
    Ok(report.green)
}

/// Larger programs, or a share of them; what an earlier run has done is not done again.
fn verify_deep(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let start = Instant::now();
    let shard = arguments.shard.unwrap_or(Shard::WHOLE);
    let plan = Plan::deep(shard);
    let crew = Crew::of(arguments)?;
    let name = format!("deep-{}-of-{}", shard.index, shard.of);
    let journal = Journal::open(&verify_folder()?.join(format!("{name}.journal")), shard, arguments.fresh)?;
    let resumed = journal.done.len();
    if resumed > 0 {
        eprintln!("goes on after {resumed} of {} programs; --fresh begins anew", plan.jobs.len());
    }
    let mut tally = crew.work_off(&plan, Some(&journal))?;
    crew.exhibit(&mut tally)?;
    let report = tally.report(&plan, None, crew.workers, start.elapsed().as_secs_f64());
    let report = Report { shard: Some(shard), resumed, ..report };
    print(&report)?;
    write(&report, &format!("{name}.json"))?;
    Ok(report.green)
}

/// The reports of all shards as one.
fn merge_files(files: &[PathBuf]) -> Result<bool, Box<dyn Error>> {
    let read = |file: &PathBuf| -> Result<(String, Report), String> {
        let name = file.display().to_string();
        let text = fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
        let report = serde_json::from_str(&text).map_err(|error| format!("{name} is no report: {error}"))?;
        Ok((name, report))
    };
    let report = merge(files.iter().map(read).collect::<Result<_, _>>()?)?;
    print(&report)?;
    write(&report, "deep.json")?;
    Ok(report.green)
}

/// Crowds on the engines that take samples, one after another, until the time is over.
fn stress(arguments: &Arguments, seconds: u64, from: usize) -> Result<bool, Box<dyn Error>> {
    let start = Instant::now();
    let crew = Crew::of(arguments)?;
    let mut tally = Tally::default();
    let mut next = from;
    while tally.failures.is_empty() && start.elapsed() < Duration::from_secs(seconds) {
        let plan = Plan::crowds(next..next + AT_A_TIME);
        next += AT_A_TIME;
        tally.include(crew.work_off(&plan, None)?);
    }
    crew.exhibit(&mut tally)?;
    write!(io::stdout(), "{}{}", Samples(&tally.others), Failures(&tally.failures))?;
    let green = tally.failures.is_empty();
    let found = if green { "nothing wrong was found in a sample" } else { "NOT VERIFIED" };
    let time = start.elapsed().as_secs_f64();
    print(format_args!("{found} of the crowds {from} to {}, {time:.0} s with {} workers", next - 1, crew.workers))?;
    Ok(green)
}

/// Crowds between two looks at the clock.
const AT_A_TIME: usize = 20;

/// Where reports and journals are kept.
fn verify_folder() -> Result<PathBuf, String> {
    let folder = target().join("verify");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

fn write(report: &Report, name: &str) -> Result<(), Box<dyn Error>> {
    let file = verify_folder()?.join(name);
    let text = serde_json::to_string_pretty(report)? + "\n";
    fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(())
}

/// The same on another copy of the core.
fn verify_another(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let path = arguments.core.as_deref().ok_or("--core wants a folder")?;
    let vendored = Vendored::find(path, &Pinned::read()?.core)?;
    print(&vendored.told)?;
    let mut rest: Vec<_> = env::args_os().skip(1).collect();
    let at = rest.iter().position(|argument| argument == "--core");
    match at {
        Some(at) => drop(rest.drain(at..at + 2)),
        None => rest.retain(|argument| !argument.to_string_lossy().starts_with("--core=")),
    }
    Ok(vendored.run(rest)?.success())
}

/// Worker processes, and how long they may take for a program.
struct Crew {
    workers: usize,
    limit: Duration,
}

impl Crew {
    fn of(arguments: &Arguments) -> io::Result<Self> {
        let workers = match arguments.workers {
            Some(workers) => workers.max(1),
            None => thread::available_parallelism()?.get(),
        };
        Ok(Crew { workers, limit: Duration::from_secs(arguments.limit) })
    }

    /// Does what is planned and not in the journal yet, and counts all of it.
    fn work_off(&self, plan: &Plan, journal: Option<&Journal>) -> io::Result<Tally> {
        let mut tally = Tally::default();
        let mut open = Vec::new();
        for (at, (tier, job)) in plan.jobs.iter().enumerate() {
            match journal.and_then(|journal| journal.done.get(&at)) {
                Some(verdict) => tally.add(*tier, job, verdict),
                None => open.push(at),
            }
        }
        let jobs: Vec<&Job> = open.iter().map(|&at| &plan.jobs[at].1).collect();
        let tally = Mutex::new((tally, Ok(())));
        let progress = Progress::new(jobs.len());
        work(&jobs, self.workers, self.limit, |at, answer: Result<Verdict, String>| {
            let (tally, written) = &mut *tally.lock().expect("never poisoned");
            if let (Some(journal), Ok(verdict)) = (journal, &answer)
                && let Err(error) = journal.write(open[at], verdict)
            {
                *written = Err(error);
            }
            let (tier, job) = &plan.jobs[open[at]];
            tally.add(*tier, job, &answer.unwrap_or_else(Verdict::lost));
            progress.done(tally.failures.len());
        })?;
        progress.bar.finish_and_clear();
        let (tally, written) = tally.into_inner().expect("never poisoned");
        written.map(|()| tally)
    }

    /// Has the first failures of each kind shown, by workers again: a failure may be the end of them.
    fn exhibit(&self, tally: &mut Tally) -> io::Result<()> {
        let places = tally.to_exhibit();
        let job = |&at: &usize| {
            let Failure { engine, scenario, .. } = &tally.failures[at];
            Job { engine: *engine, scenario: scenario.clone(), exhibit: true }
        };
        let jobs: Vec<Job> = places.iter().map(job).collect();
        let failures = Mutex::new(&mut tally.failures);
        work(&jobs, self.workers.min(jobs.len()), self.limit, |at, answer: Result<Verdict, String>| {
            let verdict = answer.unwrap_or_else(Verdict::lost);
            let shown = verdict.exhibit.clone().unwrap_or_else(|| format!("FAIL {}\n{verdict}", jobs[at].scenario));
            failures.lock().expect("never poisoned")[places[at]].exhibit = Some(shown);
        })
    }
}

/// A bar on a terminal, a line for each tenth elsewhere.
struct Progress {
    bar: ProgressBar,
}

impl Progress {
    fn new(jobs: usize) -> Self {
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} programs, {eta} left, {msg}");
        Progress { bar: ProgressBar::new(jobs as u64).with_style(style.expect("a valid template")) }
    }

    fn done(&self, failures: usize) {
        self.bar.inc(1);
        self.bar.set_message(format!("{failures} failures"));
        let done = self.bar.position();
        if !stderr().is_terminal() && done.is_multiple_of((self.bar.length().unwrap_or(1) / 10).max(1)) {
            eprintln!("{}% of the programs, {failures} failures", 100 * done / self.bar.length().unwrap_or(1));
        }
    }
}

/// One scenario's outcomes, allowed and seen.
fn litmus(text: &str, engine: Option<Engine>) -> Result<bool, Box<dyn Error>> {
    let scenario: Scenario = text.parse()?;
    let engines = engine.map_or(vec![Engine::LoomMutex, Engine::LoomAtomic], |engine| vec![engine]);
    if let Some(objection) = engines.iter().find_map(|engine| engine.objection(&scenario)) {
        return Err(objection.into());
    }
    print(&scenario)?;
    let mut green = true;
    for engine in engines {
        let observed = engine.observe(&scenario);
        let allowed = known(&scenario, observed.observations.keys());
        let verdict = judge(&scenario, engine.is_complete(), &observed);
        green &= verdict.is_good();
        let (name, executions, extent) = (engine.describe(), observed.executions, observed.extent);
        let must = if engine.is_complete() { "must be equal" } else { "must be contained" };
        print(format_args!("\n{name}, {must}: {executions} executions, {extent}\n"))?;
        print(format_args!("  allowed  executions  answers -> hand-overs"))?;
        for observation in allowed.iter().chain(observed.observations.keys().filter(|seen| !allowed.contains(seen))) {
            let is_allowed = if allowed.contains(observation) { "yes" } else { "NO" };
            let seen = observed.observations.get(observation).copied().unwrap_or(0);
            print(format_args!("  {is_allowed:<7}  {seen:>10}  {observation}"))?;
        }
        verdict.broken.iter().try_for_each(|broken| print(format_args!("  broken: {broken}")))?;
        print(format_args!("  {}", if verdict.is_good() { "ok" } else { "FAIL" }))?;
        // The history that cannot be explained is shown already.
        if let Some(fault) = verdict.faults.first().filter(|_| engine != Engine::Tickets) {
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
fn blind_spots() -> Result<bool, Box<dyn Error>> {
    // One of them panics on purpose.
    panic::set_hook(Box::new(|_| ()));
    let mut all_unseen = true;
    for spot in BLIND_SPOTS {
        let is_unseen = (spot.is_unseen)();
        all_unseen &= is_unseen;
        print(&spot)?;
        if !is_unseen {
            print("    SEEN NOW: take it out of model/src/check/blind_spots.rs, and let a scenario look for it")?;
        }
    }
    Ok(all_unseen)
}

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
        "tied to model/src/protocol/model.rs: {} of its transitions accepted, {} refused with one thing changed",
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
