//! Another copy of the core (vendored, patched or old), which is verified in place of this project's own.

use crate::project::compare::{Comparison, Difference};
use crate::project::copy::{ProjectCopy, cargo, target};
use crate::project::origin::is_clone;
use serde_json::Value;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::{fs, io};

/// A folder with the files of a core.
pub struct Vendored {
    folder: PathBuf,
    comparison: Comparison,
    /// A sentence for the user: is this the verified core, and if not, which files differ, and how?
    pub identity: String,
    /// A sentence for the user: what was looked at, and what was not.
    pub extent: String,
}

impl Vendored {
    /// Compares the core in this folder with the one that was compiled, and with the digest of the verified one.
    ///
    /// # Errors
    ///
    /// If a file of the core is missing.
    pub fn find(folder: &Path, recorded: &str) -> Result<Self, String> {
        let place = folder.display();
        let comparison = Comparison::read(folder).map_err(|error| format!("{place}: {error}"))?;
        let mut missing = comparison.differences.iter().filter(|(_, difference)| **difference == Difference::Missing);
        if let Some((name, _)) = missing.next() {
            return Err(format!("{place}/{name} is missing; --core needs a folder with all files of src/kernel"));
        }
        let [exact, normalised] = comparison.digests();
        let digests = format!("sha256 {exact}, of the code without its layout {normalised}");
        let is_layout = |difference: &Difference| !matches!(difference, Difference::Edited(_));
        let verdict = match (exact == recorded, comparison.differences.is_empty()) {
            (true, _) => format!("this core is byte for byte the verified one, {digests}"),
            (false, true) => {
                format!("this core equals src/kernel, which has changed since it was verified with sha256 {recorded}")
            }
            (false, false) if comparison.differences.values().all(is_layout) => {
                format!("the code of this core is the verified one, its bytes are not, {digests}")
            }
            (false, false) => format!("not the verified core, {} lines of code, {digests}", comparison.code_lines()),
        };
        let details = comparison.to_string();
        let separator = if details.is_empty() { "" } else { ": " };
        Ok(Vendored {
            folder: folder.to_owned(),
            comparison,
            identity: format!("{verdict}{separator}{details}"),
            extent: extent(folder),
        })
    }

    /// True if the folder has the files that were compiled: then there is nothing to build.
    pub fn is_compiled(&self) -> bool {
        self.comparison.differences.is_empty()
    }

    /// Runs `cargo verify` with these arguments in a copy of the project that has this core.
    ///
    /// # Errors
    ///
    /// If the core does not compile there.
    pub fn run(&self, arguments: impl IntoIterator<Item = OsString>) -> Result<ExitStatus, String> {
        let failed = |error: io::Error| error.to_string();
        let copy = ProjectCopy::new(target().join("vendored")).map_err(failed)?;
        copy.mirror(&self.folder, Path::new("src/kernel")).map_err(failed)?;
        let built = verifier_of(&copy, "verify-core").map_err(failed)?;
        let mut run = Command::new(built.map_err(|printed| self.refusal(&printed))?);
        run.args(arguments).env("CARGO_TARGET_DIR", target()).status().map_err(|error| format!("{run:?}: {error}"))
    }

    /// Explains why the core does not compile: it is no Rust, or it does not fit in the place of the other one.
    fn refusal(&self, output: &str) -> String {
        let errors: Vec<&str> = output.split("\n\n").filter(|part| part.starts_with("error")).take(3).collect();
        let folder = self.folder.display();
        if let Some(unread) = errors.first().and_then(|error| unread(error)) {
            return format!("the core in {folder} does not parse: {unread}");
        }
        format!(
            "{}\n\nthe core in {folder} does not compile in place of src/kernel; it must have the interface that \
             src/kernel/mod.rs documents, and import its lock and its cell from super::super::sync",
            errors.join("\n\n"),
        )
    }
}

/// Builds the verifier of a copy of the project, and returns its path, or what the compiler printed if the copy does not
/// compile. It shares the target folder, so that dependencies are built once. In a clone its binary is called `name`, so
/// that no other one is overwritten.
///
/// # Errors
///
/// If a file of the copy cannot be read or written, or cargo does not start.
pub fn verifier_of(copy: &ProjectCopy, name: &str) -> io::Result<Result<PathBuf, String>> {
    let (package, binary) = if is_clone() {
        rename(copy, name)?;
        ("whendone-model", name)
    } else {
        ("cargo-whendone", "cargo-whendone")
    };
    let mut build = cargo();
    build.args(["build", "--quiet", "--release", "--package", package, "--bin", binary]);
    build.args(["--message-format", "json-render-diagnostics"]);
    let built = build.current_dir(copy.root()).env("CARGO_TARGET_DIR", target()).output()?;
    let stdout = String::from_utf8_lossy(&built.stdout);
    let mut messages = stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let executable = messages.find_map(|message| message["executable"].as_str().map(PathBuf::from));
    let printed = || String::from_utf8_lossy(&built.stderr).into_owned();
    Ok(executable.filter(|_| built.status.success()).ok_or_else(printed))
}

/// Gives the binary of a copy of the project another name: this one must stay as it is.
fn rename(copy: &ProjectCopy, name: &str) -> io::Result<()> {
    let text = fs::read_to_string(copy.root().join("model/Cargo.toml"))?;
    let renamed = format!("[[bin]]\nname = \"{name}\"\npath = \"src/bin/verify/main.rs\"\n\n[lib]");
    let text = text.replacen("[lib]", &renamed, 1).replace("default-run = \"verify\"", "autobins = false");
    copy.write("model/Cargo.toml", text.as_bytes())
}

/// The place and the message of an error of the parser, which has no number, in a file of the core.
fn unread(error: &str) -> Option<String> {
    let message = error.lines().next()?.strip_prefix("error: ")?;
    let place = error.lines().find_map(|line| line.trim().strip_prefix("--> "))?;
    let (_, place) = place.rsplit_once("src/kernel/")?;
    let is_of_names = message.starts_with("cannot find");
    (!is_of_names).then(|| format!("{place}: {message}"))
}

/// Says what a comparison of this folder has looked at, and what not.
fn extent(folder: &Path) -> String {
    let here = folder.display();
    let sync = folder.join("../sync.rs");
    let facade = if sync.is_file() { sync.display().to_string() } else { "PATH-OF-YOUR-sync.rs".to_owned() };
    format!(
        "looked at: the files in {here}; not looked at: your sync.rs (cargo verify facade {facade}), the place where \
         your crate includes the folder, and your compiler with its flags"
    )
}
