//! The checkpoint of a run: every verdict so far, so that an interrupted run can be resumed.
//!
//! For each finished program one line is appended, in one write. If the run is killed or the power fails, only the
//! programs in progress are lost, and a truncated last line, which is ignored. A program whose worker was lost is not
//! recorded: the next run tries it again.

use crate::check::Verdict;
use crate::project::sources::{Core, LOOM, SHUTTLE, digest};
use crate::runner::plan::Shard;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// The first line: the build and the shard that the verdicts come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    core: String,
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
    pub done: BTreeMap<usize, Verdict>,
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
        let mut lines = whole.lines();
        let refused = |why: &str| io::Error::other(format!("{}: {why}; start over with --fresh", path.display()));
        let mut done = BTreeMap::new();
        if let Some(first) = lines.next() {
            let written: Header = serde_json::from_str(first).map_err(|_| refused("this is not a checkpoint"))?;
            if written != header {
                return Err(refused("this checkpoint is from another build, core, engine or shard"));
            }
            for line in lines {
                let Finished { at, verdict } = serde_json::from_str(line).map_err(|_| refused("a line is damaged"))?;
                done.insert(at, verdict);
            }
        } else {
            fs::write(path, serde_json::to_string(&header)? + "\n")?;
        }
        let file = OpenOptions::new().append(true).open(path)?;
        if !whole.is_empty() {
            file.set_len(whole.len() as u64 + 1)?;
        }
        Ok(Checkpoint { file, done })
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
            loom: LOOM.to_owned(),
            shuttle: SHUTTLE.to_owned(),
            build: digest([fs::read(std::env::current_exe()?)?]),
            shard,
        })
    }
}
