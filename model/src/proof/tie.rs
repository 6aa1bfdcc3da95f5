//! The tie between the queue that is proven and the one that ships: both play the same operations.

use crate::project::copy::folder_in_target;
use crate::project::origin;
use crate::proof::play::play;
use crate::proof::walks::Share;
use crate::proof::why3::{INSTALL, Why3, run};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use std::{fmt, fs};

/// The queue that ships, from the root of the project.
pub const RUST: &str = "src/kernel/queue.rs";

/// The result of a comparison.
#[derive(Default, Serialize)]
pub struct Tie {
    /// Operations whose answer, length, capacity and waiting callbacks are equal.
    pub equal: usize,
    pub seconds: f64,
    /// The first difference.
    pub difference: Option<String>,
    /// The number of times that the Rust changed the buffer in each way.
    pub seen: BTreeMap<&'static str, usize>,
    /// Constants and functions that only one of the texts has.
    pub unmatched: Vec<String>,
}

/// The ways in which a buffer changes. A comparison that leaves one out is too small.
const CHANGES: [&str; 5] = ["spilled", "grown", "shrunk", "shrunk from an odd capacity", "taken as a batch"];

/// The answers of the proven queue to some operations.
pub struct Proven {
    operations: String,
    /// The file with the operations.
    file: PathBuf,
    printed: String,
}

impl Proven {
    /// Extracts the text by why3, compiles it, and plays the operations.
    ///
    /// # Errors
    ///
    /// If why3 or OCaml is not installed, or cannot.
    pub fn play(text: &str, share: Share) -> Result<Self, String> {
        let why3 = Why3::new("tie", text)?;
        for file in ["queue.drv", "play.ml"] {
            let text = origin::text(&format!("model/proof/{file}")).map_err(|error| format!("{file}: {error}"))?;
            write(&why3.folder().join(file), &text)?;
        }
        why3.extract(&why3.folder().join("queue.drv"))?;
        let mut ocaml = Command::new("ocamlopt");
        ocaml.args(["-w", "-a", "-I", "+zarith", "zarith.cmxa", "queue.ml", "play.ml", "-o", "play"]);
        run(ocaml.current_dir(why3.folder())).map_err(|error| format!("{error}; install OCaml with: {INSTALL}"))?;
        let (operations, file) = (share.operations(), why3.folder().join("operations.txt"));
        write(&file, &operations)?;
        let printed = played(&why3.folder().join("play"), &file)?;
        Ok(Proven { operations, file, printed })
    }

    /// Compares it with an edited copy of the Rust, which is compiled alone.
    ///
    /// # Errors
    ///
    /// If the copy does not compile.
    pub fn compare_edited(&self, name: &str, rust: &str) -> Result<Tie, String> {
        let folder = folder_in_target("proof")?.join(name);
        let play = include_str!("play.rs");
        write(&folder.join(RUST), rust)?;
        write(&folder.join("model/src/proof/play.rs"), play)?;
        write(&folder.join("main.rs"), MAIN)?;
        let mut rustc = Command::new("rustc");
        rustc.args(["--edition", "2024", "-O", "-A", "warnings", "main.rs", "-o", "edited"]).current_dir(&folder);
        run(&mut rustc)?;
        Ok(match played(&folder.join("edited"), &self.file) {
            Ok(shipped) => Tie::new(&self.operations, &self.printed, &shipped),
            Err(panicked) => Tie { difference: Some(panicked), ..Tie::default() },
        })
    }
}

/// Plays the operations of its input on an edited queue.
const MAIN: &str = "#[path = \"model/src/proof/play.rs\"]
mod play;
fn main() {
    print!(\"{}\", play::play(&std::io::read_to_string(std::io::stdin()).expect(\"readable\")));
}
";

fn write(path: &Path, text: &str) -> Result<(), String> {
    let written = fs::create_dir_all(path.parent().unwrap_or(path)).and_then(|()| fs::write(path, text));
    written.map_err(|error| format!("{}: {error}", path.display()))
}

/// The output of a program that plays the operations of a file.
fn played(binary: &Path, operations: &Path) -> Result<String, String> {
    let failed = |error: &dyn fmt::Display| format!("{}: {error}", binary.display());
    let input = fs::File::open(operations).map_err(|error| failed(&error))?;
    let output = Command::new(binary).stdin(input).output().map_err(|error| failed(&error))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(failed(&String::from_utf8_lossy(&output.stderr).trim())),
    }
}

impl Tie {
    /// Plays this share of operations on the proven queue and on the one that ships.
    ///
    /// # Errors
    ///
    /// If the proven queue cannot be extracted, compiled or run.
    pub fn compare(text: &str, share: Share) -> Result<Self, String> {
        let rust = origin::text(RUST).map_err(|error| format!("{RUST}: {error}"))?;
        let start = Instant::now();
        let Proven { operations, printed, .. } = Proven::play(text, share)?;
        let tie = Tie::new(&operations, &printed, &play(&operations));
        Ok(Tie { unmatched: unmatched(&rust, text), seconds: start.elapsed().as_secs_f64(), ..tie })
    }

    /// Compares what two queues say of the same operations.
    pub fn new(operations: &str, proven: &str, shipped: &str) -> Self {
        let mut tie = Tie { seen: changes(shipped), ..Tie::default() };
        let (mut proven, mut shipped) = (proven.lines(), shipped.lines());
        let mut since_new = Vec::new();
        for operation in operations.lines() {
            if operation == "new" {
                since_new.clear();
            }
            since_new.push(operation);
            match (proven.next(), shipped.next()) {
                (Some(proven), Some(shipped)) if proven == shipped => tie.equal += 1,
                (proven, shipped) => {
                    let [proven, shipped] = [proven, shipped].map(|line| line.unwrap_or("nothing"));
                    let last = since_new.len().saturating_sub(12);
                    let path = since_new[last..].join(", ");
                    let difference = format!("after {path}\n  proven:  {proven}\n  shipped: {shipped}");
                    tie.difference = Some(difference);
                    break;
                }
            }
        }
        tie
    }

    /// The changes of the buffer that no operation caused.
    pub fn left_out(&self) -> Vec<&'static str> {
        CHANGES.into_iter().filter(|change| !self.seen.contains_key(change)).collect()
    }

    pub fn is_equal(&self) -> bool {
        self.difference.is_none() && self.left_out().is_empty() && self.unmatched.is_empty()
    }
}

/// The number of times that the capacity changed in each way, in the output of a queue.
fn changes(printed: &str) -> BTreeMap<&'static str, usize> {
    let mut seen = BTreeMap::new();
    let mut before = 0;
    for line in printed.lines() {
        let capacity = line.rsplit(" | ").nth(1).and_then(|part| part.split(" of ").nth(1)?.parse().ok()).unwrap_or(0);
        let is_batch = line.starts_with('+');
        let change = match (before, capacity) {
            (1.., 0) if is_batch => Some("taken as a batch"),
            (0, 1..) => Some("spilled"),
            (1.., _) if capacity > before => Some("grown"),
            (1.., 1..) if capacity < before && before % 2 == 1 => Some("shrunk from an odd capacity"),
            (1.., 1..) if capacity < before => Some("shrunk"),
            _ => None,
        };
        change.map(|change| *seen.entry(change).or_insert(0) += 1).unwrap_or_default();
        before = capacity;
    }
    seen
}

/// Constants that differ, and functions of the Rust that the proven text does not have.
pub fn unmatched(rust: &str, proven: &str) -> Vec<String> {
    let constant = |text: &str, before: &str| {
        text.split_once(before).map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect::<String>())
    };
    let mut unmatched = Vec::new();
    for name in ["FEW", "SLACK"] {
        let shipped = constant(rust, &format!("const {name}: usize = "));
        let known = constant(proven, &format!("let constant {}: int = ", name.to_lowercase()));
        if shipped.is_none() || shipped != known {
            unmatched.push(format!("{name} is {shipped:?} in {RUST}, and {known:?} in the proof"));
        }
    }
    let functions = |text: &str, before: &str| -> BTreeSet<String> {
        let name = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        text.split(before).skip(1).map(name).collect()
    };
    let known: BTreeSet<String> =
        ["let ", "let rec ", "let function "].iter().flat_map(|before| functions(proven, before)).collect();
    let missing = functions(rust, "fn ").into_iter().filter(|name| !known.contains(name));
    unmatched.extend(missing.map(|name| format!("{name} of {RUST} is not in the proof")));
    unmatched
}

impl fmt::Display for Tie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seen: Vec<String> = self.seen.iter().map(|(change, times)| format!("{change} {times}")).collect();
        writeln!(
            f,
            "extracted and compared with {RUST}: {} operations equal in {:.1} s; the buffer was {}",
            self.equal,
            self.seconds,
            seen.join(", ")
        )?;
        self.difference.iter().try_for_each(|difference| writeln!(f, "FAIL {difference}"))?;
        self.unmatched.iter().try_for_each(|unmatched| writeln!(f, "FAIL {unmatched}"))?;
        self.left_out().iter().try_for_each(|change| writeln!(f, "FAIL the buffer was never {change}"))
    }
}
