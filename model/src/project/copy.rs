//! A copy of the project, in which files can be changed: for seeded bugs and for vendored cores.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// Where this project lies.
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Where cargo builds, unless it is told otherwise.
pub fn target() -> PathBuf {
    let told = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    told.map_or_else(|| project().join("target"), |told| std::path::absolute(&told).unwrap_or(told))
}

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
        let tree = ProjectCopy { root };
        for folder in ["src", "model", "benches", "tests", "examples", "docs", "fuzz/seeds"] {
            tree.mirror(&project().join(folder), Path::new(folder))?;
        }
        for file in ["Cargo.toml", "Cargo.lock", "README.md"] {
            tree.write(file, &fs::read(project().join(file))?)?;
        }
        Ok(tree)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Makes a folder of the copy as this one is: what is not there goes.
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

    /// Writes a file, unless it is so already: cargo builds again what is younger.
    pub fn write(&self, file: impl AsRef<Path>, text: &[u8]) -> io::Result<()> {
        let path = self.root.join(file);
        if fs::read(&path).is_ok_and(|there| there == text) {
            return Ok(());
        }
        fs::write(path, text)
    }
}
