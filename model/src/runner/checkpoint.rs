//! The checkpoint of a run: every verdict so far, so that an interrupted run can be resumed.
//!
//! For each finished program one line is appended, in one write. If the run is killed or the power fails, only the
//! programs in progress are lost, and a truncated last line, which is ignored. A program whose worker was lost is not
//! recorded: the next run tries it again.

use crate::check::Verdict;
use crate::project::files::write_atomically;
use crate::project::sources::{Core, LOOM, SHUTTLE, digest, sources_digest};
use crate::runner::audit::Verdicts;
use crate::runner::shard::Shard;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// The first line: the build and the shard that the verdicts come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    core: String,
    /// The digest of everything else on which executions depend.
    sources: String,
    loom: String,
    shuttle: String,
    /// The digest of the program that plays and checks.
    build: String,
    shard: Shard,
}

/// Any other line: the verdict on one program, by its place in the plan.
#[derive(Serialize, Deserialize)]
struct Finished {
    at: usize,
    verdict: Verdict,
}

/// The file, open for more verdicts.
pub struct Checkpoint {
    file: File,
    /// The verdicts of earlier runs, by the program's place in the plan.
    pub done: Verdicts,
}

impl Checkpoint {
    /// Opens the checkpoint at this path, or begins one if there is none or `fresh` is true.
    ///
    /// # Errors
    ///
    /// If the file is not a checkpoint, or was written by another build or for another shard.
    pub fn open(path: &Path, shard: Shard, fresh: bool) -> io::Result<Self> {
        let header = Header::of_this_build(shard)?;
        let text = if fresh { String::new() } else { read(path)? };
        let (whole, _cut) = text.rsplit_once('\n').unwrap_or_default();
        let refused = |why: &str| io::Error::other(format!("{}: {why}; start over with --fresh", path.display()));
        let mut done = BTreeMap::new();
        if whole.is_empty() {
            write_atomically(path, serde_json::to_string(&header)? + "\n")?;
        } else {
            let (written, verdicts) = parse(whole).map_err(refused)?;
            if written != header {
                return Err(refused("this checkpoint is from another build, core, engine or shard"));
            }
            done = verdicts;
        }
        let file = OpenOptions::new().append(true).open(path)?;
        if !whole.is_empty() {
            file.set_len(whole.len() as u64 + 1)?;
        }
        Ok(Checkpoint { file, done })
    }

    /// Opens the checkpoint of the everyday run. One that does not fit is dropped, because such a run is short.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn of_everyday(path: &Path, fresh: bool) -> io::Result<Self> {
        Self::open(path, Shard::WHOLE, fresh).or_else(|refused| {
            eprintln!("{refused}: starting over");
            Self::open(path, Shard::WHOLE, true)
        })
    }

    /// Appends the verdict on the program at this place in the plan.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write(&self, at: usize, verdict: &Verdict) -> io::Result<()> {
        let line = serde_json::to_string(&Finished { at, verdict: verdict.clone() })? + "\n";
        (&self.file).write_all(line.as_bytes())
    }
}

/// Reads the checkpoint of a run of the same sources, by another build perhaps, on another machine: its shard and its
/// verdicts.
///
/// # Errors
///
/// If the file is not a checkpoint, is cut in a line, or is from other sources.
pub fn of_another_run(path: &Path) -> Result<(Shard, Verdicts), String> {
    let refused = |why: &dyn Display| format!("{}: {why}", path.display());
    let text = fs::read_to_string(path).map_err(|error| refused(&error))?;
    let whole = text.strip_suffix('\n').ok_or_else(|| refused(&"the last line is cut"))?;
    let (written, verdicts) = parse(whole).map_err(|why| refused(&why))?;
    let mut own = Header::of_this_build(written.shard).map_err(|error| refused(&error))?;
    own.build.clone_from(&written.build);
    if own != written {
        let what =
            format!("it is from another core or other engines; check out its sources, core sha256 {}", written.core);
        return Err(refused(&what));
    }
    Ok((written.shard, verdicts))
}

/// The header and the verdicts of the whole lines of a checkpoint.
fn parse(whole: &str) -> Result<(Header, Verdicts), &'static str> {
    let mut lines = whole.lines();
    let header = lines.next().and_then(|first| serde_json::from_str(first).ok()).ok_or("this is not a checkpoint")?;
    let verdict = |line| {
        let Finished { at, verdict } = serde_json::from_str(line).map_err(|_| "a line is damaged")?;
        Ok::<_, &str>((at, verdict))
    };
    Ok((header, lines.map(verdict).collect::<Result<_, _>>()?))
}

fn read(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => read,
    }
}

impl Header {
    fn of_this_build(shard: Shard) -> io::Result<Self> {
        Ok(Header {
            core: Core::compiled().sha256,
            sources: HEXLOWER.encode(&sources_digest()),
            loom: LOOM.to_owned(),
            shuttle: SHUTTLE.to_owned(),
            build: digest([fs::read(std::env::current_exe()?)?]),
            shard,
        })
    }
}
