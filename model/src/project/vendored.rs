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
        let extra = extra_files(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
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
        let extra = match extra.as_slice() {
            [] => String::new(),
            extra => format!("; not of the core, so the digest leaves them out: {}", extra.join(", ")),
        };
        Ok(Vendored { folder: folder.to_owned(), identity: identity + &extra })
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
            return Err(self.refusal(&String::from_utf8_lossy(&built.stderr)));
        }
        let mut run = Command::new(built_in.join("release/verify"));
        run.args(arguments).env("CARGO_TARGET_DIR", &built_in).status().map_err(|error| format!("{run:?}: {error}"))
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

/// The place and the message of an error of the parser, which has no number, in a file of the core.
fn unread(error: &str) -> Option<String> {
    let message = error.lines().next()?.strip_prefix("error: ")?;
    let place = error.lines().find_map(|line| line.trim().strip_prefix("--> "))?;
    let (_, place) = place.rsplit_once("src/kernel/")?;
    let is_of_names = message.starts_with("cannot find");
    (!is_of_names).then(|| format!("{place}: {message}"))
}

/// The files and folders that a core does not have, by name.
fn extra_files(folder: &Path) -> io::Result<Vec<String>> {
    let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names = names.collect::<io::Result<Vec<String>>>()?;
    let is_of_the_core = |name: &String| Core::texts().iter().any(|(file, _)| *file == format!("src/kernel/{name}"));
    names.retain(|name| !is_of_the_core(name));
    names.sort();
    Ok(names)
}
