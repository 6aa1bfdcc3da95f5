//! A copy of the project in which files can be changed, for seeded bugs and vendored cores.

use crate::project::origin::{PACKAGED, SUBCOMMAND, is_clone};
use crate::project::provenance::files_digest;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::{env, fs, io};

/// The root of this project in a clone. The folder of a package need not be there any more.
pub fn project() -> PathBuf {
    PathBuf::from(env!("WHENDONE_ROOT"))
}

/// Cargo's target folder. An installed program has a folder of its own in that of the crate where it is called.
pub fn target() -> PathBuf {
    static OF_THE_CALLER: OnceLock<PathBuf> = OnceLock::new();
    match env::var_os("CARGO_TARGET_DIR").map(PathBuf::from) {
        Some(given) => std::path::absolute(&given).unwrap_or(given),
        None if is_clone() => project().join("target"),
        None => OF_THE_CALLER.get_or_init(|| target_of_the_caller().join(SUBCOMMAND)).clone(),
    }
}

/// The target folder of the crate above the current folder, or the one that a crate there would have.
fn target_of_the_caller() -> PathBuf {
    let mut metadata = cargo();
    metadata.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let printed = metadata.output().ok().and_then(|output| serde_json::from_slice::<Value>(&output.stdout).ok());
    let named = printed.and_then(|printed| printed["target_directory"].as_str().map(PathBuf::from));
    let beside = || std::path::absolute("target").unwrap_or_else(|_| PathBuf::from("target"));
    named.unwrap_or_else(beside)
}

/// The cargo that runs this program, or else the one of the path.
pub fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A folder of this name in the target folder, created if it does not exist.
///
/// # Errors
///
/// If the folder cannot be created.
pub fn folder_in_target(name: &str) -> Result<PathBuf, String> {
    let folder = target().join(name);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

/// The folders and files of a copy.
const FOLDERS: [&str; 7] = ["src", "model", "benches", "tests", "examples", "docs", "fuzz/seeds"];
const FILES: [&str; 3] = ["Cargo.toml", "Cargo.lock", "README.md"];

/// True if a copy of the project has this file, if the project has it.
pub fn is_copied(file: &str) -> bool {
    let is_below = |folder: &&str| Path::new(file).starts_with(folder);
    !file.contains("..") && (FOLDERS.iter().any(is_below) || FILES.contains(&file))
}

/// A folder with a copy of the project, or of the package that this program was installed from.
pub struct ProjectCopy {
    root: PathBuf,
}

impl ProjectCopy {
    /// Brings a copy of the project in this folder up to date. Each package has a folder of its own in it.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or written.
    pub fn new(root: PathBuf) -> io::Result<Self> {
        if !is_clone() {
            return ProjectCopy::of_package(&root);
        }
        let copy = ProjectCopy { root };
        for folder in FOLDERS {
            copy.mirror(&project().join(folder), Path::new(folder))?;
        }
        for file in FILES {
            copy.write(file, &fs::read(project().join(file))?)?;
        }
        Ok(copy)
    }

    fn of_package(above: &Path) -> io::Result<Self> {
        let copy = ProjectCopy { root: above.join(&files_digest(PACKAGED.iter().copied())[..12]) };
        for (file, text) in PACKAGED {
            fs::create_dir_all(copy.root.join(file).parent().unwrap_or(above))?;
            // It lies in the caller's target folder, and is no member of the caller's workspace.
            let rest = if *file == "Cargo.toml" { "\n[workspace]\n" } else { "" };
            copy.write(file, format!("{text}{rest}").as_bytes())?;
        }
        Ok(copy)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Makes a folder of the copy equal to `from`. Files that `from` does not have are deleted.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, written or deleted.
    pub fn mirror(&self, from: &Path, to: &Path) -> io::Result<()> {
        let folder = self.root.join(to);
        fs::create_dir_all(&folder)?;
        for stale in fs::read_dir(&folder)? {
            let stale = stale?;
            if !from.join(stale.file_name()).exists() {
                let path = stale.path();
                if path.is_dir() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
            }
        }
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            let to = to.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                self.mirror(&entry.path(), &to)?;
            } else {
                self.write(&to, &fs::read(entry.path())?)?;
            }
        }
        Ok(())
    }

    /// Writes a file, unless it has this text already: cargo rebuilds files with a new timestamp.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write(&self, file: impl AsRef<Path>, text: &[u8]) -> io::Result<()> {
        let path = self.root.join(file);
        if fs::read(&path).is_ok_and(|there| there == text) {
            return Ok(());
        }
        fs::write(path, text)
    }
}
