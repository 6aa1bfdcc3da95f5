//! Another copy of the core (vendored, patched or old), which is verified in place of this project's own.

use crate::project::copy::{ProjectCopy, target};
use crate::project::sources::{Core, code_lines, digest};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::{fs, io};

/// A folder with the files of a core.
pub struct Vendored {
    folder: PathBuf,
    /// A sentence for the user: is this the verified core, and if not, which files differ?
    pub identity: String,
}

impl Vendored {
    /// Compares the core in this folder with the one that was compiled, and with the digest of the verified one.
    ///
    /// # Errors
    ///
    /// If a file of the core is missing.
    pub fn find(folder: &Path, recorded: &str) -> Result<Self, String> {
        let (mut different, mut texts) = (Vec::new(), Vec::new());
        for (name, text) in Core::texts() {
            let name = name.trim_start_matches("src/kernel/");
            let theirs = fs::read_to_string(folder.join(name)).map_err(|error| {
                let folder = folder.display();
                format!("{folder}/{name}: {error}; --core needs a folder with all files of src/kernel")
            })?;
            if theirs != *text {
                different.push(name);
            }
            texts.push(theirs);
        }
        let lines: usize = texts.iter().map(|text| code_lines(text)).sum();
        let sha256 = digest(texts);
        let identity = match (sha256 == recorded, different.as_slice()) {
            (true, _) => format!("this core is byte for byte the verified one, sha256 {sha256}"),
            (false, []) => {
                format!("this core equals src/kernel, which has changed since it was verified with sha256 {recorded}")
            }
            (false, different) => {
                let different = different.join(", ");
                format!("not the verified core: {different} differ, {lines} lines of code, sha256 {sha256}")
            }
        };
        Ok(Vendored { folder: folder.to_owned(), identity })
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
        let built_in = target().join("vendored/target");
        let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        build.args(["build", "--quiet", "--release", "--package", "whendone-model", "--bin", "verify"]);
        let built = build.current_dir(copy.root()).env("CARGO_TARGET_DIR", &built_in).output().map_err(failed)?;
        if !built.status.success() {
            let output = String::from_utf8_lossy(&built.stderr);
            let errors: Vec<&str> = output.split("\n\n").filter(|part| part.starts_with("error")).take(3).collect();
            return Err(format!(
                "{}\n\nthe core in {} does not compile in place of src/kernel; it must have the interface that \
                 src/kernel/mod.rs documents, and import its lock and its cell from super::super::sync",
                errors.join("\n\n"),
                self.folder.display()
            ));
        }
        let mut run = Command::new(built_in.join("release/verify"));
        run.args(arguments).env("CARGO_TARGET_DIR", &built_in).status().map_err(|error| format!("{run:?}: {error}"))
    }
}
