//! The tables of seeded bugs: the edits of each, the property that it breaks, and the check that must notice it.
//!
//! The build script of `model/mutants` includes this file too. So it names nothing of this crate.

use serde::Deserialize;
use std::collections::BTreeSet;
use std::collections::hash_map::DefaultHasher;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};
use std::{fs, io};
use toml::Spanned;

/// A text of the project, by its path from the root.
pub type File = (String, String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    #[serde(rename = "mutant", default)]
    pub mutants: Vec<Mutant>,
}

#[derive(Clone, Deserialize, Hash)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Mutant {
    /// A name, of lower case letters, digits and underscores.
    pub id: Text,
    /// The property.
    pub breaks: String,
    /// `outcome` if clients see it, `missing` if they no longer see an allowed outcome, `engine` if the model deadlocks
    /// or panics, `protocol` or `harness` for these reports, `deadlock`; else the number of the rule that only the
    /// harness sees, or a text that a crashing process prints last. With `run`: a text that must be printed (`test` for
    /// a failed test), or `hang`. A text that is printed has a space or is in capitals. Without this field anything red
    /// shows the bug.
    #[serde(default)]
    pub shown_by: Text,
    /// The fault, in a sentence.
    pub why: String,
    /// The check and the program that are expected to show it, as in `pairs: a ; A | C`. They are tried first; without
    /// them, all are tried.
    pub killer: Option<Text>,
    /// Why nothing can notice it. Then it may survive, and is wrong if it does not.
    pub equivalent: Option<String>,
    /// The arguments for cargo that must fail on a copy of the project, if no scenario can see the bug.
    pub run: Option<String>,
    #[serde(rename = "edit")]
    pub edits: Vec<Edit>,
}

#[derive(Clone, Deserialize, Hash)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    pub file: Text,
    pub find: Text,
    pub replace: Text,
}

/// A text of a table, with its place there.
#[derive(Clone, Default, Deserialize)]
#[serde(from = "Spanned<String>")]
pub struct Text {
    text: String,
    offset: usize,
    /// The file, line and column.
    pub place: String,
}

impl From<Spanned<String>> for Text {
    fn from(text: Spanned<String>) -> Self {
        Text { offset: text.span().start, text: text.into_inner(), place: String::new() }
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.text.hash(hasher);
    }
}

/// The file of the bugs of the protocol. Their ids are counted apart, and they are planted in the protocol's two forms:
/// in the explored model, where a claim whose sentence begins with `breaks` must find it, and in
/// `model/proof/protocol.smt2`, where the clause or property named by `shown-by` must be refused.
pub const PROTOCOL: &str = "protocol.toml";

/// The file of the bugs of the queue and of its proof. Their ids are counted apart. In `model/proof/queue.mlw` the goal
/// that `shown-by` names must be refused, and the comparison with the proven text must notice the edit of the Rust.
pub const QUEUE: &str = "queue.toml";

/// The environment's variable with the path of an auditor's own table.
pub const OWN_TABLE: &str = "WHENDONE_MUTANTS";

/// The environment's variable with the ids of bugs that are left out, because they do not compile.
pub const LEFT_OUT: &str = "WHENDONE_MUTANTS_LEFT_OUT";

impl Table {
    /// The folder of the project's own tables.
    pub fn folder(project: &Path) -> PathBuf {
        project.join("model/mutants/bugs")
    }

    /// The project's own tables, or the auditor's, which the environment names.
    pub fn path(project: &Path) -> PathBuf {
        std::env::var_os(OWN_TABLE).map_or_else(|| Table::folder(project), PathBuf::from)
    }

    /// Reads a file, or all files of a folder but [`PROTOCOL`] and [`QUEUE`].
    ///
    /// # Errors
    ///
    /// If a file is malformed: its place. If two bugs, of one file or of two, have the same id.
    pub fn read(path: &Path) -> Result<Self, String> {
        let at = |path: &Path, error: &dyn fmt::Display| format!("{}: {error}", path.display());
        let mut files = vec![path.to_owned()];
        if path.is_dir() {
            let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
            files = entries.map_err(|error| at(path, &error))?.iter().map(fs::DirEntry::path).collect();
            let is_apart = |file: &Path| [PROTOCOL, QUEUE].iter().any(|apart| file.ends_with(apart));
            files.retain(|file| file.extension().is_some_and(|toml| toml == "toml") && !is_apart(file));
            files.sort();
        }
        let (mut all, mut ids) = (Table { mutants: Vec::new() }, BTreeSet::new());
        for file in files {
            let text = fs::read_to_string(&file).map_err(|error| at(&file, &error))?;
            all.mutants.extend(Table::parse(&file, &text, &mut ids)?);
        }
        if all.mutants.is_empty() {
            return Err(at(path, &"there is no table in it"));
        }
        Ok(all)
    }

    /// Parses the text of a file. `ids` are those of earlier files, and grow.
    fn parse(file: &Path, text: &str, ids: &mut BTreeSet<String>) -> Result<Vec<Mutant>, String> {
        let place = |offset: usize| {
            let (line, column) = line_and_column(text, offset);
            format!("{}:{line}:{column}", file.display())
        };
        let malformed = |error: toml::de::Error| {
            let Range { start, .. } = error.span().unwrap_or_default();
            format!("{}: {}", place(start), error.message().replace('\n', " "))
        };
        let mut table: Table = toml::from_str(text).map_err(malformed)?;
        for mutant in &mut table.mutants {
            mutant.texts().for_each(|text| text.place = place(text.offset));
            let Mutant { id, edits, .. } = &*mutant;
            let wrong = |what: String| Err(format!("{}: {what}", id.place));
            let plain = id.starts_with(|c: char| c.is_ascii_lowercase())
                && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            if !plain {
                return wrong(format!("id {:?} must be of lower case letters, digits and underscores", id.text));
            }
            if !ids.insert(id.text.clone()) {
                return wrong(format!("there are two mutants with the id {id}: rename one"));
            }
            if edits.is_empty() {
                return wrong(format!("{id} edits nothing: add a [[mutant.edit]]"));
            }
        }
        if table.mutants.is_empty() {
            return Err(format!("{}: there is no [[mutant]] in it", file.display()));
        }
        Ok(table.mutants)
    }

    /// Takes out the bugs that the environment leaves out.
    #[must_use]
    pub fn without_those_left_out(mut self) -> Self {
        let left_out = std::env::var(LEFT_OUT).unwrap_or_default();
        self.mutants.retain(|mutant| !left_out.split(',').any(|id| *id == *mutant.id));
        self
    }

    /// A number that differs for different tables.
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.mutants.hash(&mut hasher);
        hasher.finish()
    }
}

/// The line and the column of a place in a text, from 1.
fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rfind('\n').map_or(before, |at| &before[at + 1..]);
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

impl Mutant {
    fn texts(&mut self) -> impl Iterator<Item = &mut Text> {
        let edits = self.edits.iter_mut().flat_map(|Edit { file, find, replace }| [file, find, replace]);
        [&mut self.id, &mut self.shown_by].into_iter().chain(&mut self.killer).chain(edits)
    }

    /// The property and the place, by which bugs are told apart.
    pub fn pair(&self) -> (String, String, String) {
        let Edit { file, find, .. } = &self.edits[0];
        (self.breaks.clone(), file.to_string(), find.to_string())
    }

    /// True if it is planted in the files that the engines compile, and scenarios are played on it. The others are
    /// planted in a copy of the project: they name a command, or edit files that no engine compiles.
    pub fn is_played(&self) -> bool {
        self.run.is_none() && self.edits.iter().all(|edit| is_audited(&edit.file))
    }

    /// The arguments for cargo of the commands that are run in a copy with the bug, until one fails: the one that the
    /// table names, or the suites for the place of the bug. None of them needs a file that a copy lacks.
    pub fn commands(&self) -> Vec<&str> {
        let is_below = |folder: &str| self.edits.iter().any(|edit| edit.file.starts_with(folder));
        match &self.run {
            Some(run) => vec![run],
            None if is_below("model/") => MODEL_SUITES.to_vec(),
            None if is_below("src/") => SOURCE_SUITES.to_vec(),
            None => Vec::new(),
        }
    }

    /// True if it is shown by the last words of a process that ends, and not by a verdict.
    pub fn is_of_last_words(&self) -> bool {
        let digits = self.shown_by.strip_prefix('P').unwrap_or_default();
        let is_rule = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        !is_rule && !self.is_shown_by_anything() && !["outcome", "missing", "engine"].contains(&&*self.shown_by)
    }

    /// True if the table does not say what shows it.
    pub fn is_shown_by_anything(&self) -> bool {
        self.shown_by.is_empty()
    }

    /// True if only programs on a loop show it: by its place, or by its expected killer.
    pub fn is_of_the_loop(&self) -> bool {
        let is_expected_there = self.killer.as_ref().is_some_and(|killer| killer.starts_with("loop"));
        is_expected_there || self.edits.iter().any(|edit| edit.file.starts_with("src/event_loop/"))
    }

    pub fn is_of_the_kernel(&self) -> bool {
        self.edits.iter().all(|edit| edit.file.starts_with("src/kernel/"))
    }

    /// The files that it edits, as they are in this folder.
    ///
    /// # Errors
    ///
    /// If a file cannot be read.
    pub fn edited_files(&self, project: &Path) -> io::Result<Vec<File>> {
        let edited: BTreeSet<&str> = self.edits.iter().map(|edit| &*edit.file).collect();
        edited.into_iter().map(|file| Ok((file.to_owned(), fs::read_to_string(project.join(file))?))).collect()
    }

    /// Returns the files with its edits, each of which must match once.
    ///
    /// # Errors
    ///
    /// If an edit does not match: where it stands, and why.
    pub fn plant(&self, files: &[File]) -> Result<Vec<File>, String> {
        let mut files = files.to_vec();
        for Edit { file, find, replace } in &self.edits {
            let found = files.iter_mut().find(|(name, _)| **name == **file);
            let (_, text) =
                found.ok_or_else(|| format!("{}: {}: there is no file {file} to edit", file.place, self.id))?;
            match text.matches(&**find).count() {
                1 => *text = text.replace(&**find, replace),
                _ => return Err(format!("{}: {}: {}", find.place, self.id, mismatch(file, find, text))),
            }
        }
        Ok(files)
    }

    /// The edit whose replacement is at this line of the planted file, with the line's number within the replacement.
    pub fn edit_at(&self, file: &str, planted: &str, line: usize) -> Option<(&Edit, usize)> {
        self.edits.iter().filter(|edit| &*edit.file == file).find_map(|edit| {
            planted.match_indices(&*edit.replace).find_map(|(at, _)| {
                let first = line_and_column(planted, at).0;
                let last = first + edit.replace.trim_end_matches('\n').matches('\n').count();
                (first..=last).contains(&line).then(|| (edit, line - first + 1))
            })
        })
    }
}

/// The suites for a bug of `src`: first those that do not need the model, which takes long to compile.
const SOURCE_SUITES: [&str; 2] = [
    "test -p whendone-quick --test auto_traits --test event_loop --test loop_transitions --test memory --test sync --test task --test transitions",
    "test -p whendone --test bounds --test compile_fail --test numbers --test properties --test races",
];

/// The suites for a bug of the model.
const MODEL_SUITES: [&str; 2] = [
    "run -p whendone-model --bin verify -- scenario 'aa ; C | A R0'",
    "test -p whendone-model --test altered --test explained --test failures --test faults --test handles --test linearizability --test monitor --test protocol --test scenario --test spec --test states --test verdict",
];

/// True for the files that the engines compile: all of `src` but the facade and the root.
pub fn is_audited(file: &str) -> bool {
    let is_source = file.starts_with("src/") && Path::new(file).extension().is_some_and(|extension| extension == "rs");
    is_source && !["src/lib.rs", "src/sync.rs"].contains(&file)
}

/// Why an edit does not match, and what to do.
fn mismatch(file: &str, find: &str, text: &str) -> String {
    let lines = |wanted: &str| -> Vec<String> {
        text.match_indices(wanted).map(|(at, _)| line_and_column(text, at).0.to_string()).collect()
    };
    if find.is_empty() {
        return "the text to find is empty".to_owned();
    }
    let found = lines(find);
    if !found.is_empty() {
        let (times, lines) = (found.len(), found.join(" and "));
        return format!("found {times} times in {file}, in lines {lines}; add what stands before or after it");
    }
    let first = find.lines().find(|line| !line.trim().is_empty()).unwrap_or(find).trim();
    let near = lines(first);
    let near = if near.is_empty() { "not even its first line is".to_owned() } else { format!("see line {}", near[0]) };
    format!(
        "the text to find is not in {file} ({near}); it must be equal to the letter, indentation included: {first:?}"
    )
}
