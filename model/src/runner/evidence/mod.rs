//! The evidence as a whole: the parts of all commands, what they lack, and the report about them.

pub mod expected;
mod judge;
mod junit;
mod page;

use crate::project::files::write_atomically;
use crate::project::provenance::Provenance;
use crate::runner::part::Part;
use judge::judge;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

/// The version of the form of `report.json`.
pub const SCHEMA: u32 = 1;

/// All parts, and the verdict on them.
pub struct Evidence {
    /// The time, the commit and the sources of the report itself.
    pub now: Provenance,
    pub parts: BTreeMap<String, Part>,
    /// Everything that was looked at, green or not.
    pub checked: Vec<Checked>,
    /// The findings: what is missing, stale or red.
    pub findings: Vec<Finding>,
}

/// One thing that must be green, and the finding if it is not.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    pub part: String,
    pub name: String,
    pub finding: Option<Finding>,
}

/// Something that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub kind: Kind,
    pub what: String,
    /// The command that mends it, if one does.
    pub command: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Was not checked.
    Missing,
    /// Was checked on other sources.
    Stale,
    /// Was checked, and failed.
    Red,
}

impl Evidence {
    /// Reads all parts in this folder, and judges them by the sources of `now`.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read, or a table of seeded bugs is malformed. A malformed part is a finding.
    pub fn gather(folder: &Path, now: Provenance) -> Result<Self, String> {
        let failed = |error: io::Error| format!("{}: {error}", folder.display());
        let entries = fs::read_dir(folder).map_err(failed)?.collect::<io::Result<Vec<_>>>().map_err(failed)?;
        let mut files: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        files.sort();
        let (mut parts, mut checked) = (BTreeMap::new(), Vec::new());
        for file in files {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let read = Part::read(&file).and_then(|part| match part.name == name {
                true => Ok(part),
                false => Err(format!("{} is a part of the name {}", file.display(), part.name)),
            });
            match read {
                Ok(part) => drop(parts.insert(name, part)),
                Err(unread) => checked.push(Checked::red(&name, "is readable", unread)),
            }
        }
        checked.extend(judge(&parts, &now.sources)?);
        let mut findings: Vec<Finding> = checked.iter().filter_map(|checked| checked.finding.clone()).collect();
        findings.sort_by_key(|finding| finding.kind);
        Ok(Evidence { now, parts, checked, findings })
    }

    /// True if nothing is missing, stale or red. The report is never greener than its parts.
    pub fn is_green(&self) -> bool {
        self.findings.is_empty() && !self.parts.is_empty() && self.parts.values().all(|part| part.exit == 0)
    }

    /// Writes the page, the data and the JUnit form into this folder, and returns their paths.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, String> {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let Evidence { now, parts, checked, findings } = self;
        let data = json!({
            "schema": SCHEMA, "green": self.is_green(), "now": now, "findings": findings, "checked": checked,
            "parts": parts,
        });
        let files = [
            ("index.html", page::page(self)?),
            ("report.json", format!("{data:#}\n")),
            ("junit.xml", junit::junit(self)?),
        ];
        files
            .into_iter()
            .map(|(name, text)| {
                let path = folder.join(name);
                write_atomically(&path, text).map_err(|error| error.to_string())?;
                Ok(path)
            })
            .collect()
    }
}

impl Checked {
    fn green(part: &str, name: impl Into<String>) -> Self {
        Checked { part: part.to_owned(), name: name.into(), finding: None }
    }

    fn red(part: &str, name: impl Into<String>, what: String) -> Self {
        Self::green(part, name).with(Kind::Red, what, None)
    }

    fn with(self, kind: Kind, what: String, command: Option<String>) -> Self {
        Checked { finding: Some(Finding { kind, what, command }), ..self }
    }
}

/// `MISSING  shard 2/4 of the deep run: cargo verify --deep --shard 2/4`
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { kind, what, command } = self;
        let kind = format!("{kind:?}").to_uppercase();
        write!(f, "{kind:<7}  {what}")?;
        command.iter().try_for_each(|command| write!(f, ": {command}"))
    }
}
