//! Starts `cargo verify mutants`. The seeded bugs are a package of their own, built on demand.

use crate::project::copy::{folder_in_target, project};
use crate::project::table::{LEFT_OUT, Mutant, OWN_TABLE, PROTOCOL, QUEUE, Table};
use crate::runner::own_table::read_checked;
use crate::runner::part::FIGURES;
use clap::Args;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use strsim::jaro;

/// The seeded bugs to plant, and the amount of detail.
#[derive(Args)]
pub struct Wanted {
    /// Tries every check on every bug, instead of stopping at the first that notices it
    #[arg(long)]
    pub all: bool,
    /// Plants only bugs that scenarios can show, not those that need a copy of the project each
    #[arg(long)]
    pub played: bool,
    /// Prints a shrunk failing interleaving of each bug that scenarios can show
    #[arg(long)]
    pub show: bool,
    /// Writes a page with that interleaving into this folder, for each of those bugs
    #[arg(long, value_name = "DIR")]
    pub html: Option<PathBuf>,
    /// Texts of which a bug's id must contain one [default: all bugs]
    pub only: Vec<String>,
}

impl Wanted {
    /// Refuses a text that no bug's name contains: a run of nothing would pass.
    fn must_name_one(&self, known: &[String]) -> Result<(), String> {
        if known.is_empty() {
            return Err("the table has no seeded bug: there is nothing to run".to_owned());
        }
        for only in &self.only {
            if !known.iter().any(|name| name.contains(only)) {
                return Err(format!("no seeded bug's name contains `{only}`{}", most_similar(known, only)));
            }
        }
        Ok(())
    }

    fn arguments(&self) -> impl Iterator<Item = &OsStr> {
        let flags = [("--all", self.all), ("--played", self.played), ("--show", self.show)];
        let given = flags.into_iter().filter_map(|(flag, given)| given.then_some(flag));
        let html = self.html.iter().flat_map(|folder| [OsStr::new("--html"), folder.as_os_str()]);
        given.map(OsStr::new).chain(html).chain(self.only.iter().map(OsStr::new))
    }
}

/// The end of an error about a name that is not known: the one that is most like it.
fn most_similar(known: &[String], name: &str) -> String {
    let near = known.iter().max_by(|a, b| jaro(a, name).total_cmp(&jaro(b, name)));
    near.map_or_else(String::new, |near| format!("; the most similar one is {near}"))
}

/// The bug of the protocol with this name.
///
/// # Errors
///
/// If there is none: the most similar one, or what shows the bug of the code that has this name.
pub fn bug_of_the_protocol(name: &str) -> Result<Mutant, String> {
    let bugs = Table::read(&Table::folder(&project()).join(PROTOCOL))?.mutants;
    let known: Vec<String> = bugs.iter().map(|bug| bug.id.to_string()).collect();
    if let Some(bug) = bugs.into_iter().find(|bug| *bug.id == *name) {
        return Ok(bug);
    }
    if names_of_the_project()?.iter().any(|other| other == name) {
        return Err(format!(
            "`{name}` is not a bug of the protocol, so none of its states shows it; `cargo verify mutants {name} --show` \
             says what does"
        ));
    }
    Err(format!("no bug of the protocol is called `{name}`{}", most_similar(&known, name)))
}

/// The names of all seeded bugs of the project.
fn names_of_the_project() -> Result<Vec<String>, String> {
    let folder = Table::folder(&project());
    let paths = [Table::path(&project()), folder.join(PROTOCOL), folder.join(QUEUE)];
    let tables = paths.iter().map(|path| Table::read(path)).collect::<Result<Vec<_>, _>>()?;
    Ok(tables.iter().flat_map(|table| &table.mutants).map(|mutant| mutant.id.to_string()).collect())
}

/// Plants the seeded bugs of the project, or those of the table in `file`, and leaves figures in the file `figures`. Returns true if each was noticed as it must be.
///
/// # Errors
///
/// If the table is wrong: all its errors, before anything is compiled. If the bugs cannot be built or played.
pub fn seeded(
    file: Option<&Path>,
    wanted: &Wanted,
    workers: Option<NonZeroU16>,
    figures: &Path,
) -> Result<bool, String> {
    let file = match file {
        None => None,
        Some(file) => Some(file.canonicalize().map_err(|error| format!("{}: {error}", file.display()))?),
    };
    let table = file.as_deref().map(read_checked).transpose()?;
    let named = match &table {
        None => names_of_the_project()?,
        Some(table) => table.mutants.iter().map(|mutant| mutant.id.to_string()).collect(),
    };
    wanted.must_name_one(&named)?;
    let mut planted = Planted { is_optimised: file.is_some() || wanted.all, file, left_out: BTreeSet::new() };
    let binary = match &table {
        None => planted.build().map_err(|failed| failed.printed)?,
        Some(table) => match planted.build_those_that_compile(table)? {
            Some(binary) => binary,
            None => return Ok(false),
        },
    };
    let copy = BinaryCopy::new(&binary)?;
    let mut run = Command::new(copy.folder.join(BINARY));
    // It ends when this process does, because then its standard input ends.
    run.arg("--watched").args(wanted.arguments()).stdin(Stdio::piped()).env(FIGURES, figures);
    run.args(workers.into_iter().flat_map(|workers| ["--workers".to_owned(), workers.to_string()]));
    let mut child = planted.told(&mut run).spawn().map_err(|error| format!("{run:?}: {error}"))?;
    let watched = child.stdin.take();
    let end = child.wait().map_err(|error| error.to_string())?;
    drop(watched);
    Ok(end.success() && planted.left_out.is_empty())
}

const BINARY: &str = "whendone-mutants";

/// A build of the seeded bugs.
struct Planted {
    /// The auditor's table, unless it is the project's own.
    file: Option<PathBuf>,
    /// The bugs that do not compile.
    left_out: BTreeSet<String>,
    /// Some checks run for minutes or hours, so optimised code is worth its compile time.
    is_optimised: bool,
}

/// A build that failed: the compiler's errors, and everything that was printed.
struct Failed {
    errors: Vec<Value>,
    printed: String,
}

impl Planted {
    /// Names the table and the bugs that are left out to a command.
    fn told<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let left_out: Vec<&str> = self.left_out.iter().map(String::as_str).collect();
        command.envs(self.file.iter().map(|file| (OWN_TABLE, file))).env(LEFT_OUT, left_out.join(","))
    }

    /// Builds the bugs that compile, and prints the errors of the others. None if no bug compiles.
    fn build_those_that_compile(&mut self, table: &Table) -> Result<Option<PathBuf>, String> {
        let played = || table.mutants.iter().filter(|mutant| mutant.is_played());
        let others = table.mutants.len() - played().count();
        loop {
            let failed = match self.build() {
                Ok(binary) => return Ok(Some(binary)),
                Err(failed) => failed,
            };
            let mut errors = failed.errors_of(table);
            if errors.is_empty() && !failed.errors.is_empty() {
                errors = self.tried_alone(table);
            }
            if errors.is_empty() {
                return Err(failed.printed);
            }
            errors.values().for_each(|error| println!("{error}"));
            self.left_out.extend(errors.into_keys());
            if others == 0 && played().all(|mutant| self.left_out.contains(&*mutant.id)) {
                return Ok(None);
            }
        }
    }

    /// Builds each bug alone, for errors that name no bug: those of files that all bugs share.
    fn tried_alone(&self, table: &Table) -> BTreeMap<String, String> {
        let tried: Vec<&Mutant> = table.mutants.iter().filter(|mutant| mutant.is_played()).collect();
        let mut errors = BTreeMap::new();
        for mutant in tried.iter().filter(|mutant| !self.left_out.contains(&*mutant.id)) {
            let others = tried.iter().filter(|other| *other.id != *mutant.id).map(|other| other.id.to_string());
            let alone = Planted { left_out: others.collect(), file: self.file.clone(), ..*self };
            if let Err(failed) = alone.build() {
                let first =
                    failed.printed.lines().find(|line| line.starts_with("error")).unwrap_or("it does not build");
                errors.insert(mutant.id.to_string(), does_not_compile(&mutant.id.place, &mutant.id, first));
            }
        }
        errors
    }

    /// Builds the binary with the bugs, and returns its path.
    fn build(&self) -> Result<PathBuf, Failed> {
        let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        build.args(["build", "--quiet", "--package", "whendone-mutants", "--message-format", "json"]);
        if self.is_optimised {
            build.args(["--config", "profile.dev.package.whendone-mutants.opt-level=1"]);
        }
        let failed = |printed: String| Failed { errors: Vec::new(), printed };
        let output = self.told(&mut build).current_dir(project()).output();
        let output = output.map_err(|error| failed(format!("cargo: {error}")))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let messages: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let built = messages.iter().filter(|message| message["target"]["name"] == BINARY);
        let binary = built.filter_map(|message| message["executable"].as_str()).next_back();
        match binary.filter(|_| output.status.success()) {
            Some(binary) => Ok(binary.into()),
            None => Err(Failed::of(messages, &String::from_utf8_lossy(&output.stderr))),
        }
    }
}

impl Failed {
    fn of(messages: Vec<Value>, printed: &str) -> Self {
        let mut errors: Vec<Value> = messages.into_iter().map(|mut message| message["message"].take()).collect();
        errors.retain(|message| message["level"] == "error");
        let rendered = errors.iter().filter_map(|error| error["rendered"].as_str());
        let printed = rendered.chain([printed]).collect::<Vec<_>>().join("\n");
        Failed { errors, printed }
    }

    /// The first error of each bug that has one, in a line with its place in the table.
    fn errors_of(&self, table: &Table) -> BTreeMap<String, String> {
        let mut told = BTreeMap::new();
        for error in &self.errors {
            let place = spans(error).into_iter().find_map(|span| PlantedPlace::find(span, table));
            if let Some(place) = place {
                told.entry(place.mutant.id.to_string()).or_insert_with(|| place.tell(error));
            }
        }
        told
    }
}

/// The places that an error names, the main one first.
fn spans(error: &Value) -> Vec<&Value> {
    let messages = [error].into_iter().chain(error["children"].as_array().into_iter().flatten());
    let mut spans: Vec<&Value> =
        messages.flat_map(|message| message["spans"].as_array().into_iter().flatten()).collect();
    spans.sort_by_key(|span| span["is_primary"] != true);
    spans
}

/// A place in a file with a bug.
struct PlantedPlace<'a> {
    mutant: &'a Mutant,
    /// The path in the project.
    file: String,
    path: PathBuf,
    line: usize,
}

impl<'a> PlantedPlace<'a> {
    /// The place of a compiler's message, if it lies in a planted file.
    fn find(span: &Value, table: &'a Table) -> Option<Self> {
        let path = span["file_name"].as_str()?;
        let (_, planted) = path.rsplit_once("/mutants/")?;
        let (id, file) = planted.split_once('/')?;
        let mutant = table.mutants.iter().find(|mutant| *mutant.id == *id)?;
        let line = usize::try_from(span["line_start"].as_u64()?).ok()?;
        Some(PlantedPlace { mutant, file: file.to_owned(), path: path.into(), line })
    }

    /// The error in a line: the place in the table if it lies in an edit, and the line's text.
    fn tell(&self, error: &Value) -> String {
        let PlantedPlace { mutant, file, path, line } = self;
        let planted = fs::read_to_string(path).unwrap_or_default();
        let text = planted.lines().nth(line - 1).unwrap_or_default().trim();
        let message = error["message"].as_str().unwrap_or("it does not build").replace('\n', " ");
        let code = error["code"]["code"].as_str().map_or_else(String::new, |code| format!(" [{code}]"));
        let (place, within) = match mutant.edit_at(file, &planted, *line) {
            Some((edit, within)) => (&edit.replace.place, format!("line {within} of the replacement in {file}")),
            None => (&mutant.id.place, format!("{file}, line {line}, outside of the edits")),
        };
        does_not_compile(place, &mutant.id, &format!("{message}{code}, {within}: {text}"))
    }
}

fn does_not_compile(place: &str, id: &str, error: &str) -> String {
    format!("{place}: {id}: does not compile, which shows nothing: {error}")
}

/// A copy of the binary, in a folder of this process: another run may build another one.
struct BinaryCopy {
    folder: PathBuf,
}

impl BinaryCopy {
    fn new(binary: &Path) -> Result<Self, String> {
        let runs = folder_in_target("mutants-of-runs")?;
        let folder = runs.join(std::process::id().to_string());
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        for run in fs::read_dir(&runs).map_err(failed)?.filter_map(Result::ok) {
            let processes = Path::new("/proc");
            // A run that was killed has left its copy.
            if processes.join("self").exists() && !processes.join(run.file_name()).exists() {
                let _ = fs::remove_dir_all(run.path());
            }
        }
        fs::create_dir_all(&folder).map_err(failed)?;
        fs::copy(binary, folder.join(BINARY)).map_err(failed)?;
        Ok(BinaryCopy { folder })
    }
}

impl Drop for BinaryCopy {
    fn drop(&mut self) {
        // What is left of a folder takes space and does no harm.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
