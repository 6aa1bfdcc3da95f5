//! A copy of the project in which files can be changed, for seeded bugs and vendored cores.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// The root of this project.
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Cargo's target folder.
pub fn target() -> PathBuf {
    let given = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    given.map_or_else(|| project().join("target"), |given| std::path::absolute(&given).unwrap_or(given))
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

/// A folder with a copy of the project.
pub struct ProjectCopy {
    root: PathBuf,
}

impl ProjectCopy {
    /// Brings a copy of the project in this folder up to date.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or written.
    pub fn new(root: PathBuf) -> io::Result<Self> {
        let copy = ProjectCopy { root };
        for folder in FOLDERS {
            copy.mirror(&project().join(folder), Path::new(folder))?;
        }
        for file in FILES {
            copy.write(file, &fs::read(project().join(file))?)?;
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
