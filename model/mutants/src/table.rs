//! The table of seeded bugs: what each edits, what that breaks, and what must notice.

use serde::Deserialize;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A text of the project, by its path from the root.
pub type File = (String, String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    #[serde(rename = "mutant", default)]
    pub mutants: Vec<Mutant>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Mutant {
    /// A name, of lower case letters, digits and underscores.
    pub id: String,
    /// The property.
    pub breaks: String,
    /// `outcome`, `missing` or `engine`, or the rule that only the harness sees, or a text of the last words of a
    /// process that crashes. Of one that is run: the test that fails, or a text that is printed, or `hang`.
    pub shown_by: String,
    pub why: String,
    /// The check that is expected to notice it first, and on what: as in `pairs: a ; C | A`. It is tried first.
    pub killer: Option<String>,
    /// Why nothing can notice it. Then it may survive, and must.
    pub equivalent: Option<String>,
    /// The arguments for cargo that must fail on a copy of the project, where no scenario can see it.
    pub run: Option<String>,
    #[serde(rename = "edit")]
    pub edits: Vec<Edit>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    pub file: String,
    pub find: String,
    pub replace: String,
}

impl Table {
    /// The project's own table, or the auditor's, which the environment names.
    pub fn path() -> PathBuf {
        std::env::var_os("WHENDONE_MUTANTS")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("mutants.toml"), PathBuf::from)
    }

    /// # Errors
    ///
    /// What is wrong with the file, and where.
    pub fn read(path: &Path) -> Result<Self, String> {
        let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(path).map_err(|error| at(&error))?;
        let table: Table = toml::from_str(&text).map_err(|error| at(&error))?;
        let mut ids = BTreeSet::new();
        for Mutant { id, edits, .. } in &table.mutants {
            let plain = id.starts_with(|c: char| c.is_ascii_lowercase())
                && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            if !plain {
                return Err(at(&format!("id {id:?} must be of lower case letters, digits and underscores")));
            }
            if !ids.insert(id) {
                return Err(at(&format!("there are two mutants with the id {id}")));
            }
            if edits.is_empty() {
                return Err(at(&format!("{id} edits nothing")));
            }
        }
        if table.mutants.is_empty() {
            return Err(at(&"there is no [[mutant]] in it"));
        }
        Ok(table)
    }
}

impl Mutant {
    /// What tells bugs apart: the property and the place.
    pub fn pair(&self) -> (String, String, String) {
        let Edit { file, find, .. } = &self.edits[0];
        (self.breaks.clone(), file.clone(), find.clone())
    }

    /// True if what shows it is said by a process that ends, and by no verdict.
    pub fn is_of_last_words(&self) -> bool {
        let digits = self.shown_by.strip_prefix('P').unwrap_or_default();
        let is_rule = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        !is_rule && !["outcome", "missing", "engine"].contains(&self.shown_by.as_str())
    }

    /// True if it takes a loop to see it, by where it is or by where it is expected to be seen.
    pub fn is_of_the_loop(&self) -> bool {
        let is_expected_there = self.killer.as_ref().is_some_and(|killer| killer.starts_with("loop"));
        is_expected_there || self.edits.iter().any(|edit| edit.file.starts_with("src/event_loop/"))
    }

    /// The files with its edits, each of which must match once.
    ///
    /// # Errors
    ///
    /// Which one does not.
    pub fn plant(&self, files: &[File]) -> Result<Vec<File>, String> {
        let mut files = files.to_vec();
        for Edit { file, find, replace } in &self.edits {
            let found = files.iter_mut().find(|(name, _)| name == file);
            let (_, text) = found.ok_or_else(|| format!("{}: there is no file {file} to edit", self.id))?;
            match text.matches(find.as_str()).count() {
                1 => *text = text.replace(find, replace),
                matches => return Err(format!("{}: found {matches} times in {file}, not once:\n{find}", self.id)),
            }
        }
        Ok(files)
    }
}
