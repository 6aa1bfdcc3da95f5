//! `cargo verify`: explores the closed world, and says whether the core is what the specification says.

mod arguments;

use arguments::{Arguments, Command};
use clap::Parser;
use stateright::Model;
use std::error::Error;
use std::fmt::Display;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs, panic};
use whendone_model::check::blind_spots::BLIND_SPOTS;
use whendone_model::check::check_against;
use whendone_model::counterexample::Counterexample;
use whendone_model::counterexample::token::Token;
use whendone_model::engines::catalog::Engine;
use whendone_model::project::copy::target;
use whendone_model::project::mutants::seeded;
use whendone_model::project::vendored::Vendored;
use whendone_model::proof::counterexample::show;
use whendone_model::proof::cross_check::cross_check;
use whendone_model::proof::obligations::{Proof, Theory};
use whendone_model::proof::solver::Solver;
use whendone_model::protocol::properties::{Protocol, SIZE};
use whendone_model::runner::baseline::Baseline;
use whendone_model::runner::checkpoint::Checkpoint;
use whendone_model::runner::explore::Run;
use whendone_model::runner::merge::merge;
use whendone_model::runner::plan::{Plan, Shard};
use whendone_model::runner::report::Report;
use whendone_model::runner::self_test::check_the_check;
use whendone_model::runner::table::{Failures, Samples};
use whendone_model::runner::tally::Tally;
use whendone_model::runner::workers::{Job, serve};
use whendone_model::scenario::Scenario;
use whendone_model::spec::allowed::known;
use whendone_stacks as _;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let checked = || check_the_check().map_err(Into::into);
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
        (Some(Command::Worker), _) => Ok(serve(|job: Job| job.verdict()).is_ok()),
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
    let mut pinned = match Baseline::read() {
        Err(_) if arguments.accept => Baseline::default(),
        read => read.map_err(|error| at(&Baseline::path(), error))?,
    };
    let start = Instant::now();
    let plan = Plan::everyday();
    let run = Run::new(arguments.workers, Duration::from_secs(arguments.limit))?;
    let mut tally = run.explore(&plan, None)?;
    run.exhibit(&mut tally)?;
    if arguments.accept && tally.failures.is_empty() {
        pinned = tally.pinned();
        pinned.write().map_err(|error| at(&Baseline::path(), error))?;
    }
    let report = tally.report(&plan, Some(&pinned), run.workers, start.elapsed().as_secs_f64());
    print(&report)?;
    write(&report, "report.json")?;
    Ok(report.green)
}

/// Larger programs, or a share of them; what an earlier run has done is not done again.
fn verify_deep(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let start = Instant::now();
    let shard = arguments.shard.unwrap_or(Shard::WHOLE);
    let plan = Plan::deep(shard);
    let run = Run::new(arguments.workers, Duration::from_secs(arguments.limit))?;
    let name = format!("deep-{}-of-{}", shard.index, shard.of);
    let journal = Checkpoint::open(&verify_folder()?.join(format!("{name}.journal")), shard, arguments.fresh)?;
    let resumed = journal.done.len();
    if resumed > 0 {
        eprintln!("goes on after {resumed} of {} programs; --fresh begins anew", plan.jobs.len());
    }
    let mut tally = run.explore(&plan, Some(&journal))?;
    run.exhibit(&mut tally)?;
    let report = tally.report(&plan, None, run.workers, start.elapsed().as_secs_f64());
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
    let run = Run::new(arguments.workers, Duration::from_secs(arguments.limit))?;
    let mut tally = Tally::default();
    let mut next = from;
    while tally.failures.is_empty() && start.elapsed() < Duration::from_secs(seconds) {
        let plan = Plan::crowds(next..next + AT_A_TIME);
        next += AT_A_TIME;
        tally.include(run.explore(&plan, None)?);
    }
    run.exhibit(&mut tally)?;
    write!(io::stdout(), "{}{}", Samples(&tally.others), Failures(&tally.failures))?;
    let green = tally.failures.is_empty();
    let found = if green { "nothing wrong was found in a sample" } else { "NOT VERIFIED" };
    let time = start.elapsed().as_secs_f64();
    print(format_args!("{found} of the crowds {from} to {}, {time:.0} s with {} workers", next - 1, run.workers))?;
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
    let vendored = Vendored::find(path, &Baseline::read()?.core)?;
    print(&vendored.told)?;
    let mut rest: Vec<_> = env::args_os().skip(1).collect();
    let at = rest.iter().position(|argument| argument == "--core");
    match at {
        Some(at) => drop(rest.drain(at..at + 2)),
        None => rest.retain(|argument| !argument.to_string_lossy().starts_with("--core=")),
    }
    Ok(vendored.run(rest)?.success())
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
        let verdict = check_against(&allowed, &scenario, engine.is_complete(), &observed);
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
            let exhibit = Counterexample::of_failure(engine, engine.play(), &scenario, fault);
            print(format_args!("\n{exhibit}"))?;
        }
    }
    Ok(green)
}

/// One execution for each of a scenario's allowed outcomes.
fn explain(text: &str) -> Result<bool, Box<dyn Error>> {
    let scenario: Scenario = text.parse()?;
    let witnesses = Counterexample::witnesses(&scenario);
    witnesses.iter().try_for_each(|exhibit| print(format_args!("{exhibit}\n")))?;
    Ok(witnesses.iter().all(Counterexample::has_execution))
}

/// One execution again.
fn replay(token: &str) -> Result<bool, Box<dyn Error>> {
    let exhibit = Counterexample::of_token(&token.parse::<Token>()?)?;
    print(&exhibit)?;
    Ok(exhibit.has_execution())
}

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
    let cross_check = cross_check(&proof.theory)?;
    print(format_args!(
        "tied to model/src/protocol/model.rs: {} of its transitions accepted, {} refused with one thing changed",
        cross_check.accepted, cross_check.refused
    ))?;
    cross_check.wrong.iter().take(10).try_for_each(|wrong| print(format_args!("FAIL {wrong}")))?;
    let is_proven = failures.is_empty() && cross_check.wrong.is_empty();
    print(if is_proven {
        "PROVEN".to_owned()
    } else {
        format!("NOT PROVEN: {} questions, {} transitions", failures.len(), cross_check.wrong.len())
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
