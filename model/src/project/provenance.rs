//! The origin of a result: the commit, the digest of the sources, the tools and the machine.

use crate::project::copy::project;
use crate::project::origin::{COMMIT, PACKAGED, is_clone};
use crate::project::sources::{LOOM, SHUTTLE};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, io, thread};

/// The origin of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The time in UTC at which the command began, as in RFC 3339.
    pub date: String,
    /// The commit; none outside of a repository.
    pub commit: Option<String>,
    /// Whether a tracked file differs from the commit, or a file is untracked.
    pub dirty: Option<bool>,
    /// The digest of the files that [`sources`] names.
    pub sources: String,
    /// The version of each tool that is installed.
    pub tools: BTreeMap<String, String>,
    pub processor: String,
    pub cores: usize,
}

/// The compiler that this program was built with.
const RUSTC: &str = env!("WHENDONE_RUSTC");

/// Programs whose version is asked for, if they are installed.
const TOOLS: [&str; 4] = ["z3", "cvc5", "why3", "python3"];

impl Provenance {
    /// The origin of a result that is computed now.
    ///
    /// # Errors
    ///
    /// If a source file cannot be read.
    pub fn now() -> io::Result<Self> {
        let commit = commit();
        let changed = commit.as_ref().filter(|_| is_clone()).and_then(|_| git(&["status", "--porcelain"]));
        let built_with = [("rustc", RUSTC), ("loom", LOOM), ("shuttle", SHUTTLE)];
        let built_with = built_with.into_iter().map(|(tool, version)| (tool.to_owned(), version.to_owned()));
        let installed = TOOLS.into_iter().filter_map(|tool| Some((tool.to_owned(), version(tool)?)));
        Ok(Provenance {
            date: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            commit,
            dirty: changed.map(|changed| !changed.is_empty()),
            sources: if is_clone() { tree_digest(&project())? } else { files_digest(PACKAGED.iter().copied()) },
            tools: built_with.chain(installed).collect(),
            processor: processor(),
            cores: thread::available_parallelism().map_or(1, Into::into),
        })
    }
}

/// The folders and files whose digest decides whether a result is stale.
const COVERED: [&str; 7] = ["src", "model", "tests", "fuzz", "benches", "Cargo.toml", "Cargo.lock"];

/// Files that commands write, so that writing them makes nothing stale.
const LEFT_OUT: [&str; 4] = ["model/pinned.json", "fuzz/corpus", "fuzz/artifacts", "fuzz/target"];

/// The digest of the names and contents of all covered files, in hexadecimal.
///
/// # Errors
///
/// If a file cannot be read.
pub fn tree_digest(root: &Path) -> io::Result<String> {
    let read = |file: PathBuf| Ok((file.to_string_lossy().into_owned(), fs::read(root.join(&file))?));
    Ok(files_digest(sources(root)?.into_iter().map(read).collect::<io::Result<Vec<_>>>()?))
}

/// The digest of the names and contents of these files, in hexadecimal.
pub fn files_digest<N: AsRef<[u8]>, C: AsRef<[u8]>>(files: impl IntoIterator<Item = (N, C)>) -> String {
    let mut digest = Sha256::new();
    for (name, contents) in files {
        digest.update(name);
        digest.update([0]);
        digest.update(contents.as_ref().len().to_le_bytes());
        digest.update(contents);
    }
    HEXLOWER.encode(&digest.finalize())
}

/// The covered files by their paths from the root, sorted. Pages in Markdown and hidden files are left out.
///
/// # Errors
///
/// If a folder cannot be read.
pub fn sources(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut open: Vec<PathBuf> = COVERED.iter().map(PathBuf::from).collect();
    let mut files = Vec::new();
    while let Some(path) = open.pop() {
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let is_page = path.extension().is_some_and(|extension| extension == "md");
        let is_left_out = is_hidden || is_page || LEFT_OUT.iter().any(|out| path == Path::new(out));
        let whole = root.join(&path);
        if is_left_out || !whole.exists() {
            continue;
        }
        if whole.is_dir() {
            let entries = fs::read_dir(&whole)?.map(|entry| Ok(path.join(entry?.file_name())));
            open.extend(entries.collect::<io::Result<Vec<_>>>()?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The commit of the clone, or the one that the package was made from.
fn commit() -> Option<String> {
    if is_clone() { git(&["rev-parse", "HEAD"]) } else { Some(COMMIT.to_owned()).filter(|commit| !commit.is_empty()) }
}

fn git(arguments: &[&str]) -> Option<String> {
    printed(Command::new("git").args(arguments).current_dir(project()))
}

/// The first word of `tool --version` that begins with a digit.
fn version(tool: &str) -> Option<String> {
    let text = printed(Command::new(tool).arg("--version"))?;
    let mut words = text.split_whitespace();
    words
        .find(|word| word.starts_with(|letter: char| letter.is_ascii_digit()))
        .map(|word| word.trim_end_matches(',').to_owned())
}

/// The output of a command that succeeds, without the line's end.
fn printed(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// The processor's name as the system gives it, or else its architecture.
fn processor() -> String {
    let named = fs::read_to_string("/proc/cpuinfo").ok();
    let line = named.as_deref().and_then(|text| text.lines().find(|line| line.starts_with("model name")));
    let name = line.and_then(|line| line.split_once(':')).map(|(_, name)| name.trim().to_owned());
    name.unwrap_or_else(|| env::consts::ARCH.to_owned())
}
