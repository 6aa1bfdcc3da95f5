//! The files whose faults no check here would notice, counted in lines of code.

use std::ffi::OsStr;
use std::path::Path;
use std::{fs, io};

/// The parts that must be trusted: what a fault there could hide, and the files.
const PARTS: [(&str, &str, &[&str]); 9] = [
    ("the specification", "a wrong promise", &["model/src/spec"]),
    (
        "the language of scenarios and their enumeration",
        "a program that nobody plays",
        &["model/src/scenario", "model/src/universe"],
    ),
    (
        "observations, the check and the monitor",
        "a difference that nobody sees",
        &["model/src/observation", "model/src/check", "model/src/engines/observed.rs", "model/src/engines/record"],
    ),
    (
        "the player, and what the engines share",
        "a call that is not made",
        &["model/src/engines/player", "model/src/engines/shared"],
    ),
    (
        "the explorer on coroutines",
        "an interleaving too few; loom is the second witness",
        &["model/src/engines/sections"],
    ),
    (
        "loom, shuttle and real threads behind the same facade",
        "the same; `sections` is the second witness",
        &[
            "model/src/engines/loom",
            "model/src/engines/futex",
            "model/src/engines/shuttle",
            "model/src/engines/threads",
        ],
    ),
    ("the protocol and conformance", "a step that the code does not take", &["model/src/protocol"]),
    ("the statements and scripts of the proofs", "a theorem about something else", &["model/proof", "model/src/proof"]),
    (
        "the page of unsafe code that keeps loom's stacks",
        "anything; `cargo run --release -p whendone-model --no-default-features --bin verify` does without it",
        &["model/stacks/src"],
    ),
];

/// A table of the parts, with the lines of code of each.
pub fn lines(root: &Path) -> Result<String, String> {
    let mut table = String::from("| part | files | lines of code | a fault there could hide |\n|---|---|---:|---|\n");
    let mut total = 0;
    for (part, hides, folders) in PARTS {
        let counts = folders.iter().map(|folder| code_lines(&root.join(folder)));
        let count = counts.sum::<io::Result<usize>>().map_err(|error| format!("{}: {error}", folders.join(", ")))?;
        total += count;
        table += &format!("| {part} | `{}` | {count} | {hides} |\n", folders.join("`, `"));
    }
    table += &format!("| together | | {total} | |\n");
    Ok(table)
}

/// The lines of a file, or of all files of a folder, that are neither blank nor comments. Other files than those of code
/// do not count.
fn code_lines(path: &Path) -> io::Result<usize> {
    if path.is_dir() {
        return fs::read_dir(path)?.map(|entry| code_lines(&entry?.path())).sum();
    }
    let comment = match path.extension().and_then(OsStr::to_str) {
        Some("rs") => "//",
        Some("smt2") => ";",
        Some("mlw" | "ml") => "(*",
        _ => return Ok(0),
    };
    let is_code = |line: &&str| !line.is_empty() && !line.starts_with(comment);
    Ok(fs::read_to_string(path)?.lines().map(str::trim).filter(is_code).count())
}
