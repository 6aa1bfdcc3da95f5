//! The obligations of a facade, and their check: on real threads, under loom, and by the compiler.

use crate::vendoring::package::{Facade, Package, printed};
use serde_json::Value;
use std::fmt;
use std::path::Path;
use std::process::Command;

/// The obligations, as docs/VENDORING.md lists them.
pub const OBLIGATIONS: [(&str, &str); 12] = [
    ("F1", "mutual exclusion"),
    ("F2", "order by the lock"),
    ("F3", "held for its scope"),
    ("F4", "no poisoning"),
    ("F5", "no recursion"),
    ("F6", "progress"),
    ("F7", "write once"),
    ("F8", "publication"),
    ("F9", "dropped once"),
    ("F10", "auto traits"),
    ("F11", "borrowed"),
    ("F12", "bounds"),
];

/// What was found out about one obligation.
#[derive(Clone, Debug, Default)]
pub struct Finding {
    /// How it was checked, if it held.
    pub held: Vec<String>,
    pub broken: Vec<String>,
}

/// The result of a check.
pub struct Conformance {
    pub facade: Facade,
    /// One for each obligation, in their order.
    pub findings: Vec<Finding>,
    /// Whether the memory orders were explored, or why not.
    pub orders: Result<(), String>,
}

/// The text of a facade on loom's primitives, and whether it also works without them.
struct UnderLoom {
    text: String,
    only: bool,
}

impl Conformance {
    /// Checks the facade in this file, or in a folder's `sync.rs`.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or cargo does not run.
    pub fn check(path: &Path) -> Result<Self, String> {
        let facade = Facade::read(path)?;
        let mut found = Found(vec![Finding::default(); OBLIGATIONS.len()]);
        let under_loom = swapped(&facade);
        if !under_loom.as_ref().is_ok_and(|swapped| swapped.only) {
            let package = facade.package(&facade.text, false)?;
            if found.build_and_run(&package)?.is_ok() {
                found.held("F12", "the core and the kit compile with it");
                found.try_borrows(&package)?;
            }
        }
        let orders = match under_loom {
            _ if found.is_broken("F12") => Err("it does not compile".to_owned()),
            Err(reason) => Err(reason),
            Ok(UnderLoom { text, only }) => found.explore(&facade.package(&text, true)?, only)?,
        };
        let findings = found.0;
        Ok(Conformance { facade, findings, orders })
    }

    /// The numbers of the obligations that are broken.
    pub fn broken(&self) -> Vec<&'static str> {
        self.numbered().filter(|(_, _, finding)| !finding.broken.is_empty()).map(|(number, ..)| number).collect()
    }

    /// Each obligation with its number and name.
    pub fn numbered(&self) -> impl Iterator<Item = (&'static str, &'static str, &Finding)> {
        OBLIGATIONS.iter().zip(&self.findings).map(|((number, name), finding)| (*number, *name, finding))
    }
}

impl fmt::Display for Conformance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Facade { path, edition, has_manifest, .. } = &self.facade;
        let mut with = self.facade.dependencies().join(", ");
        if with.is_empty() {
            with = "no dependencies".to_owned();
        }
        if !has_manifest {
            with += ", there is no Cargo.toml beside or above it";
        }
        writeln!(f, "{}: edition {edition}, {with}", path.display())?;
        for (number, name, Finding { held, broken }) in self.numbered() {
            let (verdict, details) = match (held.is_empty(), broken.is_empty()) {
                (_, false) => ("BROKEN", broken),
                (false, true) => ("held", held),
                (true, true) => ("not checked", held),
            };
            writeln!(f, "  {number:<3} {name:<20} {verdict:<11}  {}", details.join("; "))?;
        }
        match &self.orders {
            Ok(()) => writeln!(f, "memory orders (F2, F8): explored under loom to the end, with two threads")?,
            Err(reason) => {
                writeln!(f, "NOT SHOWN: wrong memory orders (F2, F8), as this machine may hide them: {reason}")?
            }
        }
        let broken = self.broken();
        match broken.as_slice() {
            [] => write!(f, "the facade meets the obligations that were checked"),
            broken => write!(f, "the facade BREAKS {}: see docs/VENDORING.md", broken.join(", ")),
        }
    }
}

/// The findings so far, in the order of the obligations.
struct Found(Vec<Finding>);

impl Found {
    fn of(&mut self, number: &str) -> Option<&mut Finding> {
        let at = OBLIGATIONS.iter().position(|(known, _)| *known == number)?;
        self.0.get_mut(at)
    }

    fn held(&mut self, number: &str, how: &str) {
        if let Some(finding) = self.of(number).filter(|finding| !finding.held.iter().any(|known| known == how)) {
            finding.held.push(how.to_owned());
        }
    }

    fn broken(&mut self, number: &str, why: &str) {
        if let Some(finding) = self.of(number) {
            finding.broken.push(why.to_owned());
        }
    }

    fn is_broken(&mut self, number: &str) -> bool {
        self.of(number).is_some_and(|finding| !finding.broken.is_empty())
    }

    /// Builds the kit and runs it. The error is the compiler's first one, which is a finding, too.
    fn build_and_run(&mut self, package: &Package<'_>) -> Result<Result<(), String>, String> {
        let built = package.cargo(&["test", "--lib", "--no-run"])?;
        let messages = messages(&built.stdout);
        let executable = messages.iter().find_map(|message| message["executable"].as_str());
        let Some(executable) = executable.filter(|_| built.status.success()) else {
            // Without an error of the compiler nothing was compiled, which says nothing about the facade.
            let first = first_error(&messages);
            let first = first.ok_or_else(|| format!("cargo could not build the facade: {}", printed(&built).trim()))?;
            let is_of_threads = first.contains("between threads safely");
            self.broken(if is_of_threads { "F10" } else { "F12" }, &format!("it does not compile: {first}"));
            return Ok(Err(first));
        };
        let run = Command::new(executable).args(["--nocapture", "--test-threads=1"]).output();
        let run = run.map_err(|error| format!("{executable}: {error}"))?;
        let told = String::from_utf8_lossy(&run.stdout);
        let mut last = "";
        for line in told.lines() {
            if let Some((number, how)) = line.split_once(" held: ") {
                self.held(number, how);
            } else if let Some((number, why)) = line.split_once(" BROKEN: ") {
                self.broken(number, why);
            }
            last = line.strip_prefix("checking ").unwrap_or(last);
        }
        let is_over = told.contains("the facade meets the obligations") || told.contains(" BROKEN: ");
        if !is_over {
            self.broken(last, &format!("the process ended in the check of {last}: {}", run.status));
        }
        Ok(Ok(()))
    }

    /// Compiles programs that must be refused, because a borrow ends too early.
    fn try_borrows(&mut self, package: &Package<'_>) -> Result<(), String> {
        for (name, _, program) in &BORROWS {
            package.put(&format!("examples/{name}.rs"), &format!("{HEAD}{program}"))?;
        }
        let output = package.cargo(&["check", "--examples", "--keep-going"])?;
        let messages = messages(&output.stdout);
        for (name, code, _) in BORROWS {
            let of_it = messages.iter().filter(|message| message["target"]["name"] == *name);
            let errors: Vec<&Value> =
                of_it.map(|message| &message["message"]).filter(|message| message["level"] == "error").collect();
            let is_refused = errors.iter().any(|error| error["code"]["code"] == *code);
            match (is_refused, errors.first()) {
                (true, _) => self.held("F11", "the compiler refuses values that outlive their lock or cell"),
                (false, None) => self.broken("F11", &format!("the compiler accepts {}", name.replace('_', " "))),
                // It does not compile at all, which F12 says.
                (false, Some(_)) => {}
            }
        }
        Ok(())
    }

    /// Runs the kit under loom. Returns why not, if it could not.
    fn explore(&mut self, package: &Package<'_>, only: bool) -> Result<Result<(), String>, String> {
        let mut explored = Found(vec![Finding::default(); OBLIGATIONS.len()]);
        let built = explored.build_and_run(package)?;
        if let (Err(first), false) = (&built, only) {
            return Ok(Err(format!("it does not compile with loom's atomics: {first}")));
        }
        let too_large = explored.0.iter().flat_map(|found| &found.broken).find(|why| why.contains("NOT EXPLORED"));
        let too_large = too_large.cloned();
        for ((number, _), finding) in OBLIGATIONS.iter().zip(explored.0) {
            finding.held.iter().for_each(|how| self.held(number, how));
            let broken = finding.broken.iter().filter(|why| !why.contains("NOT EXPLORED"));
            broken.for_each(|why| self.broken(number, &format!("{why} (under loom)")));
        }
        if only && built.is_ok() {
            self.held("F12", "the core and the kit compile with it");
        }
        Ok(too_large.map_or(Ok(()), Err))
    }
}

const HEAD: &str = "\
#![allow(warnings)]
#[path = \"../src/sync.rs\"]
mod sync;
use sync::{Mutex, OnceLock};
";

/// Programs that must not compile, each with the error.
const BORROWS: [(&str, &str, &str); 3] = [
    (
        "a_guard_that_outlives_its_lock",
        "E0597",
        "fn main() {\n    let guard = {\n        let lock = Mutex::new(1);\n        let guard = lock.lock();\n        \
         guard\n    };\n    drop(guard);\n}\n",
    ),
    (
        "a_value_that_outlives_its_cell",
        "E0597",
        "fn main() {\n    let value = {\n        let cell = OnceLock::<u8>::new();\n        let value = cell.get();\n        \
         value\n    };\n    drop(value);\n}\n",
    ),
    (
        "a_cell_that_is_consumed_while_it_is_read",
        "E0505",
        "fn main() {\n    let cell = OnceLock::<u8>::new();\n    let value = cell.get();\n    \
         drop(cell.into_inner());\n    drop(value);\n}\n",
    ),
];

/// The facade on loom's atomics.
fn swapped(facade: &Facade) -> Result<UnderLoom, String> {
    let text = facade.text.as_str();
    let words = |word: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word);
    if words("loom") {
        let only = !text.contains("cfg(");
        return Ok(UnderLoom { text: text.to_owned(), only });
    }
    let of_others = facade.dependencies();
    if !of_others.is_empty() {
        return Err(format!("its locks are those of {}", of_others.join(", ")));
    }
    let atomics = ["core::sync::atomic", "std::sync::atomic"];
    if !atomics.iter().any(|atomics| text.contains(atomics)) {
        return Err("it has no atomics of its own, by the path core::sync::atomic; its locks are those of std".into());
    }
    let blocking = ["Condvar", "Barrier", "RwLock", "LazyLock"];
    if text.contains("std::sync::Mutex") || text.contains("std::sync::Once") || blocking.iter().any(|word| words(word))
    {
        return Err("it has atomics and also locks of std".into());
    }
    let mut text = text.replace("const fn", "fn");
    // A path of the temporary package.
    let cell = ["crate", "cells", "UnsafeCell"].join("::");
    for std in ["core", "std"] {
        text = text.replace(&format!("{std}::sync::atomic"), "loom::sync::atomic");
        text = text.replace(&format!("{std}::hint"), "loom::hint");
        text = text.replace(&format!("{std}::cell::UnsafeCell"), &cell);
    }
    text = text.replace("std::thread", "loom::thread").replace("loom::thread_local", "std::thread_local");
    Ok(UnderLoom { text, only: false })
}

/// Cargo's messages of one line each.
fn messages(stdout: &[u8]) -> Vec<Value> {
    String::from_utf8_lossy(stdout).lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The compiler's first error, with its place.
fn first_error(messages: &[Value]) -> Option<String> {
    let error = messages.iter().map(|message| &message["message"]).find(|message| message["level"] == "error")?;
    let span = error["spans"].as_array().and_then(|spans| spans.iter().find(|span| span["is_primary"] == true));
    let place = span.map_or_else(String::new, |span| {
        format!("{}:{}: ", span["file_name"].as_str().unwrap_or_default(), span["line_start"])
    });
    Some(place + error["message"].as_str().unwrap_or_default())
}
