//! A run's diary: each verdict as it comes, so that an interrupted run goes on where it was.
//!
//! A line is appended for each program that is done, in one write. Whatever ends the run, by a signal or by
//! pulling the plug, costs at most the programs in flight and a last line that is cut, which is dropped.
//! A program whose worker was lost is not written down: the next run tries it again.

use crate::check::Verdict;
use crate::project::sources::{Core, LOOM, SHUTTLE, digest};
use crate::runner::plan::Shard;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Whose verdicts these are: the first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Author {
    core: String,
    loom: String,
    shuttle: String,
    /// Of the program that plays and judges.
    build: String,
    shard: Shard,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    at: usize,
    verdict: Verdict,
}

pub struct Checkpoint {
    file: File,
    /// What was done before, by its place in the plan.
    pub done: BTreeMap<usize, Verdict>,
}

impl Checkpoint {
    /// Opens the one at this path, or begins it.
    ///
    /// # Errors
    ///
    /// If it was written by another build, or is none.
    pub fn open(path: &Path, shard: Shard, fresh: bool) -> io::Result<Self> {
        let author = Author::this_build(shard)?;
        let text = if fresh { String::new() } else { read(path)? };
        let (whole, _cut) = text.rsplit_once('\n').unwrap_or_default();
        let mut lines = whole.lines();
        let refused = |why: &str| io::Error::other(format!("{}: {why}; --fresh begins anew", path.display()));
        let mut done = BTreeMap::new();
        if let Some(first) = lines.next() {
            let wrote: Author = serde_json::from_str(first).map_err(|_| refused("this is no journal"))?;
            if wrote != author {
                return Err(refused("what is done there was done by another build, with another core or engine"));
            }
            for line in lines {
                let Entry { at, verdict } = serde_json::from_str(line).map_err(|_| refused("a line is damaged"))?;
                done.insert(at, verdict);
            }
        } else {
            fs::write(path, serde_json::to_string(&author)? + "\n")?;
        }
        let file = OpenOptions::new().append(true).open(path)?;
        if !whole.is_empty() {
            file.set_len(whole.len() as u64 + 1)?;
        }
        Ok(Checkpoint { file, done })
    }

    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write(&self, at: usize, verdict: &Verdict) -> io::Result<()> {
        let line = serde_json::to_string(&Entry { at, verdict: verdict.clone() })? + "\n";
        (&self.file).write_all(line.as_bytes())
    }
}

fn read(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => read,
    }
}

impl Author {
    fn this_build(shard: Shard) -> io::Result<Self> {
        Ok(Author {
            core: Core::compiled().sha256,
            loom: LOOM.to_owned(),
            shuttle: SHUTTLE.to_owned(),
            build: digest([fs::read(std::env::current_exe()?)?]),
            shard,
        })
    }
}
