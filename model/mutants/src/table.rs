//! The tables of seeded bugs: the edits of each, the property that it breaks, and the check that must notice it.

use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

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
    /// `outcome` if clients see it, `missing` if they no longer see an allowed outcome, `engine` if the model deadlocks
    /// or panics; else the number of the rule that only the harness sees, or a text that a crashing process prints
    /// last. With `run`: a text that must be printed (`test` for a failed test), or `hang`.
    pub shown_by: String,
    /// The fault, in a sentence.
    pub why: String,
    /// The check and the program that are expected to show it, as in `pairs: a ; C | A`. They are tried first; without
    /// them, all are tried.
    pub killer: Option<String>,
    /// Why nothing can notice it. Then it may survive, and is wrong if it does not.
    pub equivalent: Option<String>,
    /// The arguments for cargo that must fail on a copy of the project, if no scenario can see the bug.
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

/// The file of the bugs of the protocol. Their ids are counted apart, and they are planted in the protocol's two forms:
/// in the explored model, where a claim whose sentence begins with `breaks` must find it, and in
/// `model/proof/protocol.smt2`, where the clause or property named by `shown-by` must be refused.
pub const PROTOCOL: &str = "protocol.toml";

impl Table {
    /// The project's own tables.
    pub fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("bugs")
    }

    /// The project's own tables, or the auditor's, which the environment names.
    pub fn path() -> PathBuf {
        std::env::var_os("WHENDONE_MUTANTS").map_or_else(Table::folder, PathBuf::from)
    }

    /// Reads a file, or all files of a folder but [`PROTOCOL`].
    ///
    /// # Errors
    ///
    /// If a file is malformed: its place. If two bugs, of one file or of two, have the same id.
    pub fn read(path: &Path) -> Result<Self, String> {
        let at = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let mut files = vec![path.to_owned()];
        if path.is_dir() {
            let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
            files = entries.map_err(|error| at(path, &error))?.iter().map(fs::DirEntry::path).collect();
            files.retain(|file| file.extension().is_some_and(|toml| toml == "toml") && !file.ends_with(PROTOCOL));
            files.sort();
        }
        let (mut all, mut ids) = (Table { mutants: Vec::new() }, BTreeSet::new());
        for file in files {
            let at = |error: &dyn std::fmt::Display| at(&file, error);
            let text = fs::read_to_string(&file).map_err(|error| at(&error))?;
            let table: Table = toml::from_str(&text).map_err(|error| at(&error))?;
            for Mutant { id, edits, .. } in &table.mutants {
                let plain = id.starts_with(|c: char| c.is_ascii_lowercase())
                    && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
                if !plain {
                    return Err(at(&format!("id {id:?} must be of lower case letters, digits and underscores")));
                }
                if !ids.insert(id.clone()) {
                    return Err(at(&format!("there are two mutants with the id {id}")));
                }
                if edits.is_empty() {
                    return Err(at(&format!("{id} edits nothing")));
                }
            }
            if table.mutants.is_empty() {
                return Err(at(&"there is no [[mutant]] in it"));
            }
            all.mutants.extend(table.mutants);
        }
        if all.mutants.is_empty() {
            return Err(at(path, &"there is no table in it"));
        }
        Ok(all)
    }
}

impl Mutant {
    /// The property and the place, by which bugs are told apart.
    pub fn pair(&self) -> (String, String, String) {
        let Edit { file, find, .. } = &self.edits[0];
        (self.breaks.clone(), file.clone(), find.clone())
    }

    /// True if it is shown by the last words of a process that ends, and not by a verdict.
    pub fn is_of_last_words(&self) -> bool {
        let digits = self.shown_by.strip_prefix('P').unwrap_or_default();
        let is_rule = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        !is_rule && !["outcome", "missing", "engine"].contains(&self.shown_by.as_str())
    }

    /// True if only programs on a loop show it: by its place, or by its expected killer.
    pub fn is_of_the_loop(&self) -> bool {
        let is_expected_there = self.killer.as_ref().is_some_and(|killer| killer.starts_with("loop"));
        is_expected_there || self.edits.iter().any(|edit| edit.file.starts_with("src/event_loop/"))
    }

    /// Returns the files with its edits, each of which must match once.
    ///
    /// # Errors
    ///
    /// If an edit does not match: which one.
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
