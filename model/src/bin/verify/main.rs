//! `cargo verify`: the commands that explore, replay and prove.

mod arguments;
mod audit;
mod claims;
mod clients;
mod closed_world;
mod explorer;
mod gather;
mod litmus;
mod prove;
// A package depends on no package that only a clone has.
#[cfg(all(feature = "stacks", packaged))]
#[path = "../../../stacks/src/lib.rs"]
mod stacks;
mod vendoring;

use arguments::{Arguments, Command, whole};
use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use whendone_model::engines::catalog::Engine;
use whendone_model::engines::sections::clients::Key;
use whendone_model::project::origin::{SUBCOMMAND, in_own_words, is_clone};
use whendone_model::project::vendored::Vendored;
use whendone_model::runner::baseline::Baseline;
use whendone_model::runner::clients::use_processors;
use whendone_model::runner::explore::Run;
use whendone_model::runner::interrupt;
use whendone_model::runner::mutants::seeded;
use whendone_model::runner::part::{FiguresFile, Found, Recording};
use whendone_model::runner::plan::{DEEP, SAMPLERS, STANDARD};
use whendone_model::runner::self_test::check_the_check;
use whendone_model::runner::workers::{Job, loom_variables, serve};
use whendone_model::vendoring::lay::Wish;
#[cfg(all(feature = "stacks", not(packaged)))]
use whendone_stacks as _;

/// Nothing was checked.
const NOTHING: u8 = 2;

fn main() -> ExitCode {
    let arguments = match Arguments::of(words()) {
        Ok(arguments) => arguments,
        Err(told) => return ExitCode::from(told_by_parser(&told)),
    };
    match run(arguments) {
        Ok(exit) => ExitCode::from(exit),
        Err(error) => {
            eprintln!("error: {}", in_own_words(&error.to_string()));
            ExitCode::from(NOTHING)
        }
    }
}

/// The words of the command line. Cargo puts the name of its command in front of the arguments.
fn words() -> Vec<OsString> {
    let mut words: Vec<OsString> = env::args_os().collect();
    if words.get(1).is_some_and(|word| word == SUBCOMMAND) {
        words.remove(1);
    }
    words
}

/// Prints the help, or an error of the command line, and returns the exit code.
fn told_by_parser(told: &clap::Error) -> u8 {
    let text = in_own_words(&told.render().to_string());
    if told.use_stderr() {
        eprint!("{text}");
        return NOTHING;
    }
    // A reader that has closed the pipe is not an error.
    let _ = write!(io::stdout(), "{text}");
    0
}

/// Runs the command, and leaves its part of the evidence. The exit code is that of the part.
fn run(mut arguments: Arguments) -> Result<u8, Box<dyn Error>> {
    if let Some(Command::Worker) = arguments.command {
        interrupt::leave_it_to_the_parent()?;
        // The pool that started this worker reports its loss.
        return Ok(u8::from(serve(|job: Job| job.verdict()).is_err()));
    }
    if let [first, ..] = &loom_variables()[..] {
        let name = first.to_string_lossy();
        return Err(format!("{name} is set, and loom would obey it: unset it, so that nothing is bounded").into());
    }
    if let Some(what) = arguments.needs_clone().filter(|_| !is_clone()) {
        return Err(format!("{what} needs a clone of the repository").into());
    }
    if let Some(path) = arguments.core.take() {
        let vendored = Vendored::find(&path, &Baseline::read()?.core)?;
        print(&vendored.identity)?;
        print(&vendored.extent)?;
        // If it is the core that this program has, nothing needs to be built.
        if !vendored.is_compiled() {
            return verify_another(&vendored);
        }
    }
    let Some((name, is_shared)) = arguments.part() else { return Ok(found(&arguments)?.exit) };
    let words: Vec<String> = words().iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let recording = Recording::begin(&name, is_shared, words)?;
    match found(&arguments) {
        Ok(found) => {
            let exit = found.exit;
            recording.end(found)?;
            Ok(exit)
        }
        Err(error) => {
            recording.end(Found { exit: NOTHING, error: Some(error.to_string()), ..Found::default() })?;
            Err(error)
        }
    }
}

/// The result of the command. An error means that nothing was checked.
fn found(arguments: &Arguments) -> Result<Found, Box<dyn Error>> {
    let tested = |engines: &[Engine]| check_the_check(engines).map_err(Into::<Box<dyn Error>>::into);
    let limit = Duration::from_secs(arguments.limit);
    match &arguments.command {
        None if let Some(objection) = arguments.share().objection() => Err(objection.into()),
        None if arguments.estimate => closed_world::estimated(arguments),
        None if arguments.deep => {
            interrupt::wait_for_it()?;
            let named = arguments.engine.as_slice();
            tested(if named.is_empty() { &DEEP } else { named })?;
            closed_world::verify_deep(arguments)
        }
        None => {
            interrupt::wait_for_it()?;
            use_processors(arguments.workers)?;
            tested(&Engine::ALL)?;
            closed_world::verify(arguments)
        }
        Some(Command::Stress { seconds, from }) => {
            interrupt::wait_for_it()?;
            tested(&SAMPLERS)?;
            closed_world::stress(arguments, *seconds, *from)
        }
        Some(Command::Merge { files, tier, engine }) => closed_world::merge_files(files, whole(*tier, *engine)),
        Some(Command::Audit { journal, sample, seed }) => {
            audit::audit(arguments, journal, *sample, seed.unwrap_or_else(|| fastrand::u64(..))).map(Found::of)
        }
        Some(Command::Clients { calls, plain, budget, fresh }) => {
            use_processors(arguments.workers)?;
            tested(&[Engine::Sections])?;
            let key = if *plain { Key::Operations } else { Key::Places };
            clients::explore(*calls, key, *budget, *fresh)
        }
        Some(Command::Scenario { text, estimate: true, .. }) => litmus::estimated(text, limit),
        Some(Command::Scenario { text, explain: true, pages, .. }) => litmus::explain(text, limit, pages),
        Some(Command::Scenario { text, engine, pages, .. }) => {
            let engines = engine.as_slice();
            tested(if engines.is_empty() { &STANDARD } else { engines })?;
            litmus::litmus(text, engines, &Run::new(arguments.workers, limit)?, pages)
        }
        Some(Command::Replay { token, pages }) => litmus::replay(token, pages),
        Some(Command::BlindSpots) => prove::blind_spots(),
        Some(Command::Proof { long }) => prove::proof(*long),
        Some(Command::Soundness { write }) => claims::look(*write).map(Found::of),
        Some(Command::Vendor { dest, facade, upgrade, kit }) => {
            let wish = Wish { template: *facade, upgrade: *upgrade, kit: *kit };
            vendoring::vendor(dest, wish)
        }
        Some(Command::Facade { path, statement }) => vendoring::check_facade(path, statement.as_deref()).map(Found::of),
        Some(Command::Explore { port, bug: Some(bug), .. }) => explorer::explore_bug(*port, bug),
        Some(Command::Explore { port, broken, planted, .. }) => {
            explorer::explore(*port, broken.as_deref(), planted.as_deref())
        }
        Some(Command::Mutants { file, wanted }) => mutants(arguments, file.as_deref(), wanted),
        Some(Command::Record { name, words }) => gather::record(name, words),
        Some(Command::Report { parts, into }) => gather::report(parts.as_deref(), into.as_deref()),
        Some(Command::Worker) => Ok(Found::default()),
    }
}

/// Prints a line. A reader that has closed the pipe is not an error.
fn print(line: impl Display) -> io::Result<()> {
    match writeln!(io::stdout(), "{}", in_own_words(&line.to_string())) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Plants the seeded bugs. Another process plays them, and leaves its figures in a file.
fn mutants(
    arguments: &Arguments,
    file: Option<&Path>,
    wanted: &whendone_model::runner::mutants::Wanted,
) -> Result<Found, Box<dyn Error>> {
    let figures = FiguresFile::new("mutants")?;
    let is_good = seeded(file, wanted, arguments.workers, figures.path())?;
    let figures = figures.take()?.ok_or("the seeded bugs left no figures")?;
    let listed = |name: &str| figures[name].as_array().cloned().unwrap_or_default();
    let skipped = listed("skipped").iter().filter_map(|why| why.as_str().map(str::to_owned)).collect();
    Ok(Found { exit: u8::from(!is_good), skipped, figures, error: None })
}

/// Runs the same command on another copy of the core.
fn verify_another(vendored: &Vendored) -> Result<u8, Box<dyn Error>> {
    let mut rest = words().split_off(1);
    let at = rest.iter().position(|argument| argument == "--core");
    match at {
        Some(at) => drop(rest.drain(at..at + 2)),
        None => rest.retain(|argument| !argument.to_string_lossy().starts_with("--core=")),
    }
    let code = vendored.run(rest)?.code();
    Ok(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
