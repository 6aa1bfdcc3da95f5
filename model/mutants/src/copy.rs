//! Runs a bug that no scenario can see: it is planted in a copy of the project, where a test or a run must fail.

use super::play::Kill;
use std::fs::File as Output;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wait_timeout::ChildExt;
use whendone_model::project::copy::{ProjectCopy, project, target};
use whendone_mutants::table::{File, Mutant};

/// How long a command may take before it counts as hanging; shorter where a hang is expected.
const LIMIT: Duration = Duration::from_secs(30);
const EXPECTED: Duration = Duration::from_secs(10);

/// A copy of the project, and where it is built.
pub struct PlantedCopy {
    tree: ProjectCopy,
    target: PathBuf,
}

impl PlantedCopy {
    /// Makes the copy with this number. The first is built where the project is, and finds its dependencies there.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn new(number: usize) -> io::Result<Self> {
        let root = target().join(format!("mutants{}", if number == 0 { String::new() } else { number.to_string() }));
        let target = if number == 0 { target() } else { root.join("target") };
        Ok(PlantedCopy { tree: ProjectCopy::new(root)?, target })
    }
}

/// Applies the bug, builds, runs and takes the bug out again.
///
/// # Errors
///
/// If the edit does not match, or the edited code does not compile: then nothing was shown.
pub fn run(mutant: &Mutant, arguments: &str, copy: &PlantedCopy) -> Result<Option<Kill>, String> {
    let told = |error: io::Error| format!("{}: {error}", mutant.id);
    let original = |file: &str| Ok((file.to_owned(), std::fs::read_to_string(project().join(file))?));
    let edited = mutant.edits.iter().map(|edit| edit.file.as_str()).collect::<std::collections::BTreeSet<_>>();
    let files: Vec<File> = edited.into_iter().map(original).collect::<io::Result<_>>().map_err(told)?;
    let planted = mutant.plant(&files)?;
    let write =
        |files: &[File]| files.iter().try_for_each(|(file, text)| copy.tree.write(file, text.as_bytes())).map_err(told);
    write(&planted)?;
    let start = Instant::now();
    let ran = build(mutant, arguments, copy).and_then(|()| {
        let limit = if mutant.shown_by == "hang" { EXPECTED } else { LIMIT };
        let (end, printed) = cargo(arguments, limit, copy).map_err(told)?;
        let is_shown = match mutant.shown_by.as_str() {
            "hang" => end.is_none(),
            "test" => end.is_some_and(|status| !status.success()) && printed.contains("... FAILED"),
            text => end.is_none_or(|status| !status.success()) && printed.contains(text),
        };
        let shows =
            |line: &&str| line.contains(if mutant.shown_by == "test" { "... FAILED" } else { &mutant.shown_by });
        let evidence = printed.lines().find(shows).unwrap_or(&mutant.shown_by).trim();
        let seconds = start.elapsed().as_secs_f64();
        let kill = Kill {
            by: "copy".to_owned(),
            program: arguments.to_owned(),
            evidence: evidence.to_owned(),
            seconds,
            counterexample: None,
        };
        if !is_shown {
            let end = end.map_or_else(|| "it hangs".to_owned(), |status| status.to_string());
            eprintln!("{}: expected {:?}, but: {end}", mutant.id, mutant.shown_by);
        }
        Ok(is_shown.then_some(kill))
    });
    write(&files)?;
    ran
}

/// Builds the copy. A bug that does not compile shows nothing.
fn build(mutant: &Mutant, arguments: &str, copy: &PlantedCopy) -> Result<(), String> {
    let before = arguments.split(" -- ").next().unwrap_or(arguments);
    let arguments = match before.strip_prefix("run") {
        Some(rest) => format!("build{rest}"),
        None => format!("{before} --no-run"),
    };
    let output = command(&arguments, copy).output().map_err(|error| format!("cargo: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let first = errors.lines().find(|line| line.starts_with("error")).unwrap_or("it does not build");
    Err(format!("{}: does not compile, which shows nothing: {first}", mutant.id))
}

/// Runs cargo, and returns how it ended (none if it hangs) and the printed text.
fn cargo(
    arguments: &str,
    limit: Duration,
    copy: &PlantedCopy,
) -> io::Result<(Option<std::process::ExitStatus>, String)> {
    let path = copy.tree.root().join("printed.txt");
    let output = Output::create(&path)?;
    let mut command = command(arguments, copy);
    // In a group of its own, so that a hanging test ends with the cargo that started it.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.stdout(output.try_clone()?).stderr(output).spawn()?;
    let end = child.wait_timeout(limit)?;
    if end.is_none() {
        let _ = Command::new("kill").args(["-9", "--", &format!("-{}", child.id())]).status();
        child.wait()?;
    }
    Ok((end, String::from_utf8_lossy(&std::fs::read(path)?).into_owned()))
}

/// A copy runs little, so the time goes to the compiler; and nobody reads a shrunk failure.
const QUICK: [&str; 3] = [
    "profile.dev.package.whendone-model.opt-level=0",
    "profile.dev.package.whendone-model.debug=false",
    "env.PROPTEST_MAX_SHRINK_ITERS=\"0\"",
];

fn command(arguments: &str, copy: &PlantedCopy) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let split = shell_words::split(arguments).unwrap_or_default();
    command.args(QUICK.iter().flat_map(|setting| ["--config", setting]));
    command
        .args(split)
        .current_dir(copy.tree.root())
        .env("CARGO_TARGET_DIR", &copy.target)
        .env_remove("WHENDONE_MUTANTS");
    command.stdin(Stdio::null());
    command
}
