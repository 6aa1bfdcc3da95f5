//! `cargo verify`: the commands that explore, replay and prove.

mod arguments;
mod audit;
mod claims;
mod clients;

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
use whendone_model::engines::sections::clients::{Difference, Key};
use whendone_model::project::copy::folder_in_target;
use whendone_model::project::vendored::Vendored;
use whendone_model::proof::counterexample::show;
use whendone_model::proof::cross_check::{Agreement, cross_check};
use whendone_model::proof::obligations::{Proof, Theory};
use whendone_model::proof::queue::{self, QueueProof};
use whendone_model::proof::solver::Solver;
use whendone_model::proof::tie::Tie;
use whendone_model::proof::walks::Share;
use whendone_model::proof::why3::{Goal, Why3};
use whendone_model::protocol::properties::{Protocol, SIZE};
use whendone_model::runner::audit::root;
use whendone_model::runner::baseline::Baseline;
use whendone_model::runner::checkpoint::Checkpoint;
use whendone_model::runner::clients::{Clients, EVERYDAY};
use whendone_model::runner::explore::Run;
use whendone_model::runner::merge::merge;
use whendone_model::runner::mutants::seeded;
use whendone_model::runner::plan::{Plan, SAMPLERS, STANDARD};
use whendone_model::runner::report::Report;
use whendone_model::runner::self_test::check_the_check;
use whendone_model::runner::shard::Shard;
use whendone_model::runner::table::{Failures, Samples};
use whendone_model::runner::tally::Tally;
use whendone_model::runner::workers::{Job, serve};
use whendone_model::scenario::Scenario;
use whendone_model::spec::allowed::known;
use whendone_model::vendoring::conformance::Conformance;
use whendone_model::vendoring::lay::{Destination, Wish};
use whendone_model::vendoring::statement;
#[cfg(feature = "stacks")]
use whendone_stacks as _;

fn main() -> ExitCode {
    match of_this_core(Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Compares the copy that `--core` names. If it is the core that this program has, nothing needs to be built.
fn of_this_core(mut arguments: Arguments) -> Result<bool, Box<dyn Error>> {
    let is_of_a_core = !matches!(
        arguments.command,
        Some(Command::Mutants { .. } | Command::Vendor { .. } | Command::Facade { .. } | Command::Worker)
    );
    if let (Some(path), true) = (&arguments.core, is_of_a_core) {
        let vendored = Vendored::find(path, &Baseline::read()?.core)?;
        print(&vendored.identity)?;
        print(&vendored.extent)?;
        if !vendored.is_compiled() {
            return verify_another(&vendored);
        }
        arguments.core = None;
    }
    run(&arguments)
}

/// Runs the command. `false` means that something is not as it must be; an error, that nothing was checked.
fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let tested = |engines: &[Engine]| check_the_check(engines).map_err(Into::<Box<dyn Error>>::into);
    match &arguments.command {
        Some(Command::Mutants { .. } | Command::Vendor { .. } | Command::Facade { .. }) if arguments.core.is_some() => {
            Err("this command is about the project's own core, or about a facade; run it without --core".into())
        }
        Some(Command::Mutants { file, wanted }) => Ok(seeded(file.as_deref(), wanted)?),
        Some(Command::Vendor { dest, facade, upgrade, kit }) => {
            let wish = Wish { template: *facade, upgrade: *upgrade, kit: *kit };
            print(Destination::read(dest)?.lay(wish)?)?;
            Ok(true)
        }
        Some(Command::Facade { path, statement }) => check_facade(path, statement.as_deref()),
        None if arguments.deep => {
            tested(&[Engine::LoomMutex, Engine::LoomAtomic, Engine::LoomBounded]).and_then(|()| verify_deep(arguments))
        }
        None => tested(&Engine::ALL).and_then(|()| verify(arguments)),
        Some(Command::Stress { seconds, from }) => tested(&SAMPLERS).and_then(|()| stress(arguments, *seconds, *from)),
        Some(Command::Merge { files }) => merge_files(files),
        Some(Command::Scenario { text, explain: true, .. }) => explain(text),
        Some(Command::Scenario { text, engine, .. }) => {
            let engines = engine.as_slice();
            tested(if engines.is_empty() { &STANDARD } else { engines }).and_then(|()| litmus(text, engines))
        }
        Some(Command::Clients { calls, plain, budget, fresh }) => {
            let key = if *plain { Key::Operations } else { Key::Places };
            tested(&[Engine::Sections]).and_then(|()| clients::explore(*calls, key, *budget, *fresh))
        }
        Some(Command::Replay { token }) => replay(token),
        Some(Command::Audit { journal, sample, seed }) => {
            audit::audit(arguments, journal, *sample, seed.unwrap_or_else(|| fastrand::u64(..)))
        }
        Some(Command::BlindSpots) => blind_spots(),
        Some(Command::Proof { long }) => {
            let share = if *long { Share::LONG } else { Share::EVERYDAY };
            // The queue is looked at even if the protocol is refused.
            let [protocol, queue] = [prove_protocol()?, prove_queue(share)?];
            Ok(protocol && queue)
        }
        Some(Command::Soundness { write }) => claims::look(*write),
        Some(Command::Explore { port }) => explore(*port),
        // The pool that started this worker reports its loss.
        Some(Command::Worker) => Ok(serve(|job: Job| job.verdict()).is_ok()),
    }
}

/// Prints a line. A reader that has closed the pipe is not an error.
fn print(line: impl Display) -> io::Result<()> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Explores the closed world and compares the counts with the baseline.
fn verify(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let at = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
    let mut baseline = match Baseline::read() {
        Err(_) if arguments.accept => Baseline::default(),
        read => read.map_err(|error| at(&Baseline::path(), error))?,
    };
    let start = Instant::now();
    let plan = Plan::everyday();
    let run = Run::new(arguments.workers, Duration::from_secs(arguments.limit))?;
    let clients = EVERYDAY.into_iter().map(|(calls, key)| Clients::explored(calls, key, |_| ()));
    let clients: Result<Vec<Clients>, Difference> = clients.collect();
    let mut tally = run.explore(&plan, None)?;
    run.draw_failures(&mut tally)?;
    let differs = clients.as_ref().err().map(differs);
    tally.clients = clients.unwrap_or_default();
    if arguments.accept && tally.failures.is_empty() && differs.is_none() {
        baseline = tally.baseline();
        baseline.write().map_err(|error| at(&Baseline::path(), error))?;
    }
    let mut report = tally.report(&plan, Some(&baseline), run.workers, start.elapsed().as_secs_f64());
    if let Some(differs) = differs {
        print(differs)?;
        report.green = false;
    }
    print(&report)?;
    write(&report, "report.json")?;
    Ok(report.green)
}

fn differs(difference: &Difference) -> String {
    format!("a client of the kernel differs from the specification:\n{difference}")
}

/// Explores larger programs, or one shard of them, and resumes an interrupted run.
fn verify_deep(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let start = Instant::now();
    let shard = arguments.shard.unwrap_or(Shard::WHOLE);
    let plan = Plan::deep(shard);
    let run = Run::new(arguments.workers, Duration::from_secs(arguments.limit))?;
    let name = format!("deep-{}-of-{}", shard.index, shard.of);
    let path = folder_in_target("verify")?.join(format!("{name}.checkpoint"));
    // Bazel asks for this file of a program that knows what a shard is.
    env::var_os("TEST_SHARD_STATUS_FILE").map_or(Ok(()), |file| fs::write(file, ""))?;
    let checkpoint = Checkpoint::open(&path, shard, arguments.fresh)?;
    let resumed = checkpoint.done.len();
    if resumed > 0 {
        eprintln!("resuming after {resumed} of {} programs; --fresh starts over", plan.jobs.len());
    }
    let mut tally = run.explore(&plan, Some(&checkpoint))?;
    run.draw_failures(&mut tally)?;
    let report = tally.report(&plan, None, run.workers, start.elapsed().as_secs_f64());
    let root = root(&Checkpoint::open(&path, shard, false)?.done);
    let report = Report { shard: Some(shard), root, resumed, ..report };
    print(&report)?;
    write(&report, &format!("{name}.json"))?;
    Ok(report.green)
}

/// Adds the reports of all shards.
fn merge_files(files: &[PathBuf]) -> Result<bool, Box<dyn Error>> {
    let read = |file: &PathBuf| -> Result<(String, Report), String> {
        let name = file.display().to_string();
        let text = fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
        let report = serde_json::from_str(&text)
            .map_err(|error| format!("{name} is not a report of `cargo verify --deep`: {error}"))?;
        Ok((name, report))
    };
    let report = merge(files.iter().map(read).collect::<Result<_, _>>()?)?;
    print(&report)?;
    write(&report, "deep.json")?;
    Ok(report.green)
}

/// Plays sampled programs on the engines that sample executions, until the time is over or one fails.
fn stress(arguments: &Arguments, seconds: u64, from: usize) -> Result<bool, Box<dyn Error>> {
    let start = Instant::now();
    let run = Run::new(arguments.workers, Duration::from_secs(arguments.limit))?;
    let mut tally = Tally::default();
    let mut next = from;
    while tally.failures.is_empty() && start.elapsed() < Duration::from_secs(seconds) {
        let plan = Plan::sampled(next..next + AT_A_TIME);
        next += AT_A_TIME;
        tally.include(run.explore(&plan, None)?);
    }
    run.draw_failures(&mut tally)?;
    write!(io::stdout(), "{}{}", Samples(&tally.others), Failures(&tally.failures))?;
    let green = tally.failures.is_empty();
    let found = if green { "no failure in a sample" } else { "NOT VERIFIED, failures" };
    let (last, seconds) = (next.saturating_sub(1), start.elapsed().as_secs_f64());
    print(format_args!("{found} of the programs {from} to {last}, in {seconds:.0} s with {} workers", run.workers))?;
    Ok(green)
}

/// The number of programs between two checks of the time.
const AT_A_TIME: usize = 20;

/// Writes a report to `target/verify`.
fn write(report: &Report, name: &str) -> Result<(), Box<dyn Error>> {
    let file = folder_in_target("verify")?.join(name);
    let text = serde_json::to_string_pretty(report)? + "\n";
    fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(())
}

/// Runs the same command on another copy of the core.
fn verify_another(vendored: &Vendored) -> Result<bool, Box<dyn Error>> {
    let mut rest: Vec<_> = env::args_os().skip(1).collect();
    let at = rest.iter().position(|argument| argument == "--core");
    match at {
        Some(at) => drop(rest.drain(at..at + 2)),
        None => rest.retain(|argument| !argument.to_string_lossy().starts_with("--core=")),
    }
    Ok(vendored.run(rest)?.success())
}

/// Checks a facade, and writes the result for machines if that is wanted.
fn check_facade(path: &Path, file: Option<&Path>) -> Result<bool, Box<dyn Error>> {
    let found = Conformance::check(path)?;
    print(&found)?;
    if let Some(file) = file {
        let text = format!("{:#}\n", statement::of_facade(&found));
        let part = file.with_extension(format!("part-{}", std::process::id()));
        let written = fs::write(&part, text).and_then(|()| fs::rename(&part, file));
        written.map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(found.broken().is_empty())
}

/// Runs one scenario, and prints its allowed and observed outcomes: on the named engines, or on all standard ones that
/// can play it.
fn litmus(text: &str, named: &[Engine]) -> Result<bool, Box<dyn Error>> {
    let scenario: Scenario = text.parse()?;
    let engines = if named.is_empty() { &STANDARD } else { named };
    let (able, objections): (Vec<_>, Vec<_>) = engines
        .iter()
        .map(|engine| (*engine, engine.objection(&scenario)))
        .partition(|(_, objection)| objection.is_none());
    if let (true, Some((_, Some(objection)))) = (able.is_empty(), objections.first()) {
        return Err(objection.clone().into());
    }
    print(&scenario)?;
    let mut green = true;
    for (engine, _) in able {
        green &= litmus_on(engine, &scenario)?;
    }
    objections
        .iter()
        .filter_map(|(_, objection)| objection.as_ref())
        .try_for_each(|objection| print(format_args!("\nnot played again: {objection}")))?;
    Ok(green)
}

fn litmus_on(engine: Engine, scenario: &Scenario) -> Result<bool, Box<dyn Error>> {
    let observed = engine.observe(scenario);
    let allowed = known(scenario, observed.observations.keys());
    let verdict = check_against(&allowed, scenario, engine.is_complete(), &observed);
    let (name, executions, extent) = (engine.describe(), observed.executions, observed.extent);
    let must = if engine.is_complete() { "must be equal" } else { "must be contained" };
    print(format_args!("\n{name}, {must}: {executions} executions, {extent}\n"))?;
    print("  allowed  executions  answers -> hand-overs")?;
    for observation in allowed.iter().chain(observed.observations.keys().filter(|seen| !allowed.contains(seen))) {
        let is_allowed = if allowed.contains(observation) { "yes" } else { "NO" };
        let seen = observed.observations.get(observation).copied().unwrap_or(0);
        print(format_args!("  {is_allowed:<7}  {seen:>10}  {observation}"))?;
    }
    verdict.broken.iter().try_for_each(|broken| print(format_args!("  broken: {broken}")))?;
    print(format_args!("  {}", if verdict.is_good() { "ok" } else { "FAIL" }))?;
    // With timestamps the history that is not linearizable is printed already.
    if let Some(fault) = verdict.faults.first().filter(|_| engine != Engine::Tickets) {
        // The failure is reported, so panics while it is shrunk need no message.
        panic::set_hook(Box::new(|_| ()));
        let counterexample = Counterexample::of_failure(engine, engine.play(), scenario, fault);
        print(format_args!("\n{counterexample}"))?;
    }
    Ok(verdict.is_good())
}

/// Draws one execution for each allowed outcome of a scenario.
fn explain(text: &str) -> Result<bool, Box<dyn Error>> {
    let scenario: Scenario = text.parse()?;
    let witnesses = Counterexample::witnesses(&scenario);
    witnesses.iter().try_for_each(|witness| print(format_args!("{witness}\n")))?;
    Ok(witnesses.iter().all(Counterexample::has_execution))
}

/// Runs the execution that a token names, and draws it.
fn replay(token: &str) -> Result<bool, Box<dyn Error>> {
    let counterexample = Counterexample::of_token(&token.parse::<Token>()?)?;
    print(&counterexample)?;
    Ok(counterexample.has_execution())
}

/// Lists the blind spots, and fails if a tool sees one of them now.
fn blind_spots() -> Result<bool, Box<dyn Error>> {
    // One of them panics on purpose.
    panic::set_hook(Box::new(|_| ()));
    let mut all_unseen = true;
    for spot in BLIND_SPOTS {
        let is_unseen = (spot.is_unseen)();
        all_unseen &= is_unseen;
        print(&spot)?;
        if !is_unseen {
            print("    SEEN NOW: remove it from model/src/check/blind_spots.rs, and add a scenario that checks it")?;
        }
    }
    Ok(all_unseen)
}

/// Asks both solvers for the proof of the protocol, and compares it with the explored one.
fn prove_protocol() -> Result<bool, Box<dyn Error>> {
    let missing = |missing: String| format!("the proof was SKIPPED and nothing is proven: {missing}");
    Solver::ALL.iter().try_for_each(|solver| solver.version().map(drop).map_err(missing))?;
    let proof = Proof::attempt(Theory::read()?)?;
    print(&proof)?;
    let failures = proof.failures();
    for query in failures.iter().take(3) {
        print(format_args!("FAIL {}\n", show(&proof.theory, "proof", query)?))?;
    }
    let Agreement { accepted, refused, wrong } = cross_check(&proof.theory)?;
    print(format_args!(
        "cross-check with model/src/protocol/model.rs: {accepted} of its transitions accepted, \
         {refused} refused with one value changed"
    ))?;
    wrong.iter().take(10).try_for_each(|wrong| print(format_args!("FAIL {wrong}")))?;
    let is_proven = failures.is_empty() && wrong.is_empty();
    print(if is_proven {
        "PROVEN: the protocol".to_owned()
    } else {
        format!("NOT PROVEN: {} questions and {} transitions of the protocol failed", failures.len(), wrong.len())
    })?;
    Ok(is_proven)
}

/// Asks both solvers for the proof of the queue, and compares the proven text with the queue that ships.
fn prove_queue(share: Share) -> Result<bool, Box<dyn Error>> {
    if let Err(missing) = Why3::version() {
        print(format_args!("\nSKIPPED: THE PROOF OF THE QUEUE: {missing}"))?;
        return Ok(true);
    }
    let text = queue::text()?;
    let proof = QueueProof::attempt(&text)?;
    print(format_args!("\n{proof}"))?;
    for Goal { of, claim, line, .. } in proof.open().into_iter().chain(&proof.contradictory).take(10) {
        print(format_args!("FAIL {}:{line}: {of}: {claim}", queue::FILE))?;
    }
    let tie = Tie::compare(&text, share)?;
    print(&tie)?;
    let is_proven = proof.is_complete() && tie.is_equal();
    let file = folder_in_target("proof")?.join("queue.json");
    let report = serde_json::json!({ "proven": is_proven, "proof": proof, "tie": tie });
    fs::write(&file, format!("{report:#}\n")).map_err(|error| format!("{}: {error}", file.display()))?;
    print(if is_proven { "PROVEN: the queue" } else { "NOT PROVEN: the queue" })?;
    Ok(is_proven)
}

/// Serves stateright's explorer to this machine only, until it is interrupted.
fn explore(port: u16) -> Result<bool, Box<dyn Error>> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let taken = |error| format!("{address}: {error}; choose another port with --port");
    // Tried first, because the explorer would panic.
    let address = TcpListener::bind(address).map_err(taken)?.local_addr()?;
    let Protocol { threads, callbacks } = SIZE;
    print(format_args!(
        "the protocol with {threads} threads and {callbacks} callbacks: http://{address}/ until Ctrl-C"
    ))?;
    SIZE.checker().serve(address);
    Ok(true)
}
