//! Another copy of the core, vendored, patched or old: verified where this project's own is.

use crate::project::copy::{ProjectCopy, target};
use crate::project::sources::{Core, code_lines, digest};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::{fs, io};

/// A folder that has the core's files.
pub struct Vendored {
    folder: PathBuf,
    /// What it is: the verified core or, if not, where it differs.
    pub told: String,
}

impl Vendored {
    /// # Errors
    ///
    /// If the core's files are not all there.
    pub fn find(folder: &Path, recorded: &str) -> Result<Self, String> {
        let (mut different, mut texts) = (Vec::new(), Vec::new());
        for (name, text) in Core::texts() {
            let name = name.trim_start_matches("src/kernel/");
            let theirs = fs::read_to_string(folder.join(name)).map_err(|error| {
                let folder = folder.display();
                format!(
                    "{folder}/{name}: {error}; --core wants the folder that is src/kernel here, with all of its files"
                )
            })?;
            if theirs != *text {
                different.push(name);
            }
            texts.push(theirs);
        }
        let lines: usize = texts.iter().map(|text| code_lines(text)).sum();
        let sha256 = digest(texts);
        let told = match (sha256 == recorded, different.as_slice()) {
            (true, _) => format!("the core there is byte for byte the verified one, sha256 {sha256}"),
            (false, []) => format!("the core there is this project's, but not the verified one, sha256 {recorded}"),
            (false, different) => {
                format!(
                    "not the verified core: {} differ, {lines} lines of code, sha256 {sha256}",
                    different.join(", ")
                )
            }
        };
        Ok(Vendored { folder: folder.to_owned(), told })
    }

    /// Runs this command with it, in a copy of the project, and says how that ended.
    ///
    /// # Errors
    ///
    /// If it does not compile there.
    pub fn run(&self, arguments: impl IntoIterator<Item = OsString>) -> Result<ExitStatus, String> {
        let told = |error: io::Error| error.to_string();
        let tree = ProjectCopy::new(target().join("vendored")).map_err(told)?;
        tree.mirror(&self.folder, Path::new("src/kernel")).map_err(told)?;
        let built_in = target().join("vendored/target");
        let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        build.args(["build", "--quiet", "--release", "--package", "whendone-model", "--bin", "verify"]);
        let built = build.current_dir(tree.root()).env("CARGO_TARGET_DIR", &built_in).output().map_err(told)?;
        if !built.status.success() {
            let said = String::from_utf8_lossy(&built.stderr);
            let errors: Vec<&str> = said.split("\n\n").filter(|said| said.starts_with("error")).take(3).collect();
            return Err(format!(
                "{}\n\nthe core in {} does not compile in the place of src/kernel: it must have the interface that \
                 src/kernel/mod.rs documents, and name its lock and its cell as super::super::sync",
                errors.join("\n\n"),
                self.folder.display()
            ));
        }
        let mut run = Command::new(built_in.join("release/verify"));
        run.args(arguments).env("CARGO_TARGET_DIR", &built_in).status().map_err(|error| format!("{run:?}: {error}"))
    }
}
