//! The part of the evidence that one command leaves: `target/verify/parts/<name>.json`.

use crate::project::copy::folder_in_target;
use crate::project::files::{Lock, write_atomically};
use crate::project::provenance::Provenance;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{fmt, fs, io};

/// The version of the form of a part. A reader refuses others.
pub const SCHEMA: u32 = 1;

/// The result of one command, with its origin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub schema: u32,
    pub name: String,
    /// The command line, without the name of the program.
    pub command: Vec<String>,
    #[serde(flatten)]
    pub provenance: Provenance,
    pub seconds: f64,
    /// The exit code: 0 only if everything that was checked is as it must be.
    pub exit: u8,
    /// The reason why nothing was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The checks that the command should have made and did not, in words.
    #[serde(default)]
    pub skipped: Vec<String>,
    /// The command's own figures.
    pub figures: Value,
}

/// A command's result, before it is written.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub exit: u8,
    pub error: Option<String>,
    pub skipped: Vec<String>,
    pub figures: Value,
}

impl Found {
    /// The result of a command that has no figures.
    pub fn of(is_good: bool) -> Self {
        Found { exit: u8::from(!is_good), ..Found::default() }
    }
}

/// A part whose command has begun.
pub struct Recording {
    folder: PathBuf,
    name: String,
    command: Vec<String>,
    provenance: Provenance,
    start: Instant,
    #[allow(dead_code, reason = "it is there to be dropped")]
    lock: Option<Lock>,
}

impl Recording {
    /// Begins a part of this name in `target/verify/parts`. A `shared` one may be written by several processes at once,
    /// each of which replaces the whole file.
    ///
    /// # Errors
    ///
    /// If the folder cannot be written to, or another process writes this part.
    pub fn begin(name: &str, shared: bool, command: Vec<String>) -> Result<Self, String> {
        let folder = parts_folder()?;
        let failed = |error: io::Error| {
            let folder = folder.display();
            format!("{folder}: {error}; results are written there: make it writable, or set CARGO_TARGET_DIR")
        };
        // Tried first: it would be a pity to learn of it after the run.
        tempfile::tempfile_in(&folder).map_err(failed)?;
        let lock = if shared { None } else { Some(Lock::take(&folder, name)?) };
        let provenance = Provenance::now().map_err(|error| format!("the sources cannot be read: {error}"))?;
        Ok(Recording { name: name.to_owned(), command, provenance, start: Instant::now(), lock, folder })
    }

    /// Writes the part, and returns its path.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn end(self, found: Found) -> Result<PathBuf, String> {
        let Found { exit, error, skipped, figures } = found;
        let Recording { folder, name, command, provenance, start, .. } = self;
        let path = folder.join(format!("{name}.json"));
        let seconds = start.elapsed().as_secs_f64();
        let part = Part { schema: SCHEMA, name, command, provenance, seconds, exit, error, skipped, figures };
        part.write(&path)?;
        Ok(path)
    }
}

impl Part {
    /// Writes the part as a whole.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), String> {
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())? + "\n";
        write_atomically(path, text).map_err(|error| error.to_string())
    }

    /// Reads a part.
    ///
    /// # Errors
    ///
    /// If the file is no part, or one of another schema.
    pub fn read(path: &Path) -> Result<Self, String> {
        let name = path.display();
        let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
        let part: Part = serde_json::from_str(&text).map_err(|error| format!("{name} is no part: {error}"))?;
        match part.schema {
            SCHEMA => Ok(part),
            other => Err(format!("{name} has schema {other}, not {SCHEMA}; run its command again")),
        }
    }

    /// The command as it was typed.
    pub fn command_line(&self) -> String {
        let quoted = |word: &String| match word.contains([' ', '|', ';', '\'']) {
            true => format!("'{word}'"),
            false => word.clone(),
        };
        ["cargo verify".to_owned()].into_iter().chain(self.command.iter().map(quoted)).collect::<Vec<_>>().join(" ")
    }
}

/// The variable that names the file in which a command leaves figures for the one that started it.
pub const FIGURES: &str = "WHENDONE_FIGURES";

/// The file that this variable names.
pub struct FiguresFile(PathBuf);

impl FiguresFile {
    /// The file of this process, for a part of this name.
    ///
    /// # Errors
    ///
    /// If its folder cannot be created.
    pub fn new(name: &str) -> Result<Self, String> {
        Ok(FiguresFile(parts_folder()?.join(format!("{name}-{}.figures", std::process::id()))))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The figures; none if the command left none.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub fn take(self) -> Result<Option<Value>, String> {
        let failed = |error: &dyn fmt::Display| format!("{}: {error}", self.0.display());
        if !self.0.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&self.0).map_err(|error| failed(&error))?;
        fs::remove_file(&self.0).map_err(|error| failed(&error))?;
        serde_json::from_str(&text).map(Some).map_err(|error| failed(&error))
    }
}

/// The folder of all parts, created if there is none.
///
/// # Errors
///
/// If it cannot be created.
pub fn parts_folder() -> Result<PathBuf, String> {
    folder_in_target("verify/parts")
}

/// The number of a shard and of how many, from a part's name: `deep-2-of-4`.
pub fn shard_of(name: &str) -> Option<(usize, usize)> {
    let (index, of) = name.strip_prefix("deep-")?.split_once("-of-")?;
    Some((index.parse().ok()?, of.parse().ok()?))
}
