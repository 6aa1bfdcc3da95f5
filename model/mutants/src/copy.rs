//! Runs a bug that no scenario can see: it is planted in a copy of the project, where a test or a run must fail.

use super::play::Kill;
use std::collections::BTreeSet;
use std::fs::{self, File as Output};
use std::io;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};
use whendone_model::project::copy::{ProjectCopy, project, target};
use whendone_mutants::guard::{guarded, wait};
use whendone_mutants::slot::Slot;
use whendone_mutants::table::{File, Mutant};

/// How long a command may take before it counts as hanging; shorter where a hang is expected, longer for whole suites.
const LIMIT: Duration = Duration::from_secs(30);
const EXPECTED: Duration = Duration::from_secs(10);
const OF_SUITES: Duration = Duration::from_secs(600);

/// How long a build may take.
const BUILDS: Duration = Duration::from_secs(1800);

/// A copy of the project, and where it is built.
pub struct PlantedCopy {
    tree: ProjectCopy,
    target: PathBuf,
    /// The suites that were seen to pass here without a bug.
    green: BTreeSet<String>,
    /// Held as long as the copy is used: another run takes another one.
    #[allow(dead_code, reason = "it is there to be dropped")]
    slot: Slot,
}

impl PlantedCopy {
    /// Takes the first copy that no other process uses. The first of all is built where the project is, and finds its
    /// dependencies there.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn take() -> io::Result<Self> {
        let slot = Slot::take(&target(), "mutants")?;
        let built_in = if slot.number == 0 { target() } else { slot.folder.join("target") };
        let tree = ProjectCopy::new(slot.folder.clone())?;
        Ok(PlantedCopy { tree, target: built_in, green: BTreeSet::new(), slot })
    }
}

/// Applies the bug, builds, runs the commands until one shows it, and takes the bug out again.
///
/// # Errors
///
/// If the edit does not match, or the edited code does not compile: then nothing was shown.
pub fn run(mutant: &Mutant, copy: &mut PlantedCopy) -> Result<Option<Kill>, String> {
    let told = |error: io::Error| format!("{}: {error}", mutant.id);
    let files = mutant.edited_files(&project()).map_err(told)?;
    let planted = mutant.plant(&files)?;
    let write = |copy: &PlantedCopy, files: &[File]| {
        files.iter().try_for_each(|(file, text)| copy.tree.write(file, text.as_bytes())).map_err(told)
    };
    write(copy, &planted)?;
    let shown =
        mutant.commands().into_iter().find_map(|arguments| shows(mutant, &planted, arguments, copy).transpose());
    write(copy, &files)?;
    let shown = shown.transpose()?;
    match &shown {
        Some(kill) if mutant.run.is_none() => green(mutant, &kill.program, copy)?,
        _ => {}
    }
    Ok(shown)
}

/// Runs a suite that showed a bug without the bug: if it fails too, nothing was shown.
fn green(mutant: &Mutant, arguments: &str, copy: &mut PlantedCopy) -> Result<(), String> {
    let told = |error: io::Error| format!("{}: {error}", mutant.id);
    if !copy.green.contains(arguments) {
        let (end, _) = cargo(arguments, OF_SUITES + BUILDS, copy).map_err(told)?;
        if !end.is_some_and(|end| end.success()) {
            return Err(format!("{}: `cargo {arguments}` fails without the bug too", mutant.id));
        }
        copy.green.insert(arguments.to_owned());
    }
    Ok(())
}

/// Builds and runs one command, which must fail as the table says.
fn shows(mutant: &Mutant, planted: &[File], arguments: &str, copy: &PlantedCopy) -> Result<Option<Kill>, String> {
    let told = |error: io::Error| format!("{}: {error}", mutant.id);
    let start = Instant::now();
    build(arguments, copy).map_err(|(error, place)| in_table(mutant, planted, &error, &place))?;
    let limit = match (&*mutant.shown_by, &mutant.run) {
        ("hang", _) => EXPECTED,
        (_, Some(_)) => LIMIT,
        (_, None) => OF_SUITES,
    };
    let (end, printed) = cargo(arguments, limit, copy).map_err(told)?;
    let failed = end.is_some_and(|status| !status.success());
    let (is_shown, wanted) = match &*mutant.shown_by {
        "hang" => (end.is_none(), "hang"),
        "test" => (failed && printed.contains(A_FAILED_TEST), A_FAILED_TEST),
        "" => (failed || end.is_none(), if end.is_none() { "it hangs" } else { A_FAILED_TEST }),
        text => ((failed || end.is_none()) && printed.contains(text), text),
    };
    let last = || printed.lines().rfind(|line| !line.trim().is_empty()).filter(|_| end.is_some());
    let evidence = printed.lines().find(|line| line.contains(wanted)).or_else(last).unwrap_or(wanted).trim();
    if !is_shown && !mutant.is_shown_by_anything() {
        let end = end.map_or_else(|| "it hangs".to_owned(), |status| status.to_string());
        eprintln!("{}: expected {:?}, but: {end}", mutant.id, &*mutant.shown_by);
    }
    Ok(is_shown.then(|| Kill {
        by: COPY.to_owned(),
        program: arguments.to_owned(),
        evidence: evidence.to_owned(),
        seconds: start.elapsed().as_secs_f64(),
        counterexample: None,
        page: None,
    }))
}

/// The name of the ground on which a command is run.
pub const COPY: &str = "copy";

const A_FAILED_TEST: &str = "... FAILED";

/// Builds the copy.
///
/// # Errors
///
/// If the bug does not compile: the compiler's first error, and its place.
fn build(arguments: &str, copy: &PlantedCopy) -> Result<(), (String, String)> {
    let before = arguments.split(" -- ").next().unwrap_or(arguments);
    let arguments = match before.strip_prefix("run") {
        Some(rest) => format!("build{rest}"),
        None => format!("{before} --no-run"),
    };
    let (end, printed) = cargo(&arguments, BUILDS, copy).map_err(|error| (format!("cargo: {error}"), String::new()))?;
    if end.is_some_and(|end| end.success()) {
        return Ok(());
    }
    let mut lines = printed.lines().skip_while(|line| !line.starts_with("error"));
    let first = lines.next().unwrap_or("it does not build");
    let place = lines.find_map(|line| line.trim().strip_prefix("--> ")).unwrap_or_default();
    Err((first.to_owned(), place.to_owned()))
}

/// The compiler's error, with its place in the table if it lies in an edit.
fn in_table(mutant: &Mutant, planted: &[File], error: &str, place: &str) -> String {
    let mut parts = place.split(':');
    let (path, line) = (parts.next().unwrap_or_default(), parts.next().and_then(|line| line.parse().ok()));
    let file = planted.iter().find(|(file, _)| path.ends_with(file));
    let edit = file.and_then(|(file, text)| mutant.edit_at(file, text, line?));
    let table = edit.map_or(&mutant.id.place, |(edit, _)| &edit.replace.place);
    format!("{table}: {}: does not compile, which shows nothing: {error}, {place}", mutant.id)
}

/// Runs cargo, and returns how it ended (none if it hangs) and the printed text.
fn cargo(arguments: &str, limit: Duration, copy: &PlantedCopy) -> io::Result<(Option<ExitStatus>, String)> {
    let path = copy.tree.root().join("printed.txt");
    let output = Output::create(&path)?;
    let mut child = command(arguments, copy)?.stdout(output.try_clone()?).stderr(output).spawn()?;
    let end = wait(&mut child, limit)?;
    Ok((end, String::from_utf8_lossy(&fs::read(path)?).into_owned()))
}

/// A copy runs little, so the time goes to the compiler; and nobody reads a shrunk failure.
const QUICK: [&str; 3] = [
    "profile.dev.package.whendone-model.opt-level=0",
    "profile.dev.package.whendone-model.debug=false",
    "env.PROPTEST_MAX_SHRINK_ITERS=\"0\"",
];

/// The command ends with this process, together with the tests that it runs.
fn command(arguments: &str, copy: &PlantedCopy) -> io::Result<Command> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = guarded(&cargo)?;
    let split = shell_words::split(arguments).unwrap_or_default();
    command.args(QUICK.iter().flat_map(|setting| ["--config", setting]));
    command
        .args(split)
        .current_dir(copy.tree.root())
        .env("CARGO_TARGET_DIR", &copy.target)
        .env_remove("WHENDONE_MUTANTS")
        .env_remove("WHENDONE_MUTANTS_LEFT_OUT");
    Ok(command)
}
