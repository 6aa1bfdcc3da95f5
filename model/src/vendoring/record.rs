//! The record of a vendored core: where it came from, and the digests of its files as they were laid down.

use crate::project::compare::normalised;
use crate::project::copy::project;
use crate::project::origin::{COMMIT, is_clone};
use crate::project::sources::{Core, core_digest, digest, sums};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// The contents of the file `VENDORED`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Record {
    pub version: String,
    /// The commit that has these files, or `unknown`.
    pub commit: String,
    /// The digest of `SHA256SUMS`.
    pub core: String,
    /// The same without layout and comments.
    pub normalised: String,
    /// The template of `sync.rs` that was laid down first.
    pub facade: String,
    pub files: BTreeMap<String, String>,
}

/// The name of the file.
pub const VENDORED: &str = "VENDORED";

const HEAD: &str = "# The origin of the folder kernel. `cargo verify vendor` wrote it.\n\
                    # `sha256sum -c SHA256SUMS` shows whether the files are as they were laid down.\n";

/// The files of the core, by their names below the folder that is vendored.
pub fn files() -> impl Iterator<Item = (&'static str, &'static str)> {
    Core::texts().iter().map(|(name, text)| (name.trim_start_matches("src/"), *text))
}

/// The text of `SHA256SUMS`.
pub fn checksums() -> String {
    sums(files())
}

impl Record {
    /// The record of the core that was compiled.
    pub fn of_compiled(facade: &str) -> Self {
        let normalised = files().map(|(name, text)| (name, normalised(text).unwrap_or_default()));
        Record {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: commit().unwrap_or_else(|| "unknown".to_owned()),
            core: core_digest(files()),
            normalised: core_digest(normalised),
            facade: facade.to_owned(),
            files: files().map(|(name, text)| (name.to_owned(), digest([text]))).collect(),
        }
    }

    /// Reads the record in a folder. None if there is none.
    ///
    /// # Errors
    ///
    /// If it is malformed.
    pub fn read(folder: &Path) -> Result<Option<Self>, String> {
        let path = folder.join(VENDORED);
        let Ok(text) = std::fs::read_to_string(&path) else { return Ok(None) };
        let malformed = |error: toml::de::Error| {
            format!("{}: {}; delete the file if the copy is as you want it", path.display(), error.message())
        };
        toml::from_str(&text).map(Some).map_err(malformed)
    }

    /// The text of the file.
    ///
    /// # Errors
    ///
    /// If it cannot be written as TOML.
    pub fn text(&self) -> Result<String, String> {
        toml::to_string(self).map(|text| HEAD.to_owned() + &text).map_err(|error| error.to_string())
    }
}

/// The commit that a package was made from, or that of the clone, if it has the files of the core as they were compiled.
fn commit() -> Option<String> {
    if !is_clone() {
        return Some(COMMIT.to_owned()).filter(|commit| !commit.is_empty());
    }
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(project()).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let is_clean = git(&["status", "--porcelain", "--", "src/kernel"])?.is_empty();
    let is_there = files()
        .all(|(name, text)| std::fs::read_to_string(project().join("src").join(name)).is_ok_and(|there| there == text));
    git(&["rev-parse", "HEAD"]).filter(|commit| is_clean && is_there && !commit.is_empty())
}
