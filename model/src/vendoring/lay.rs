//! The core laid down in a vendor's crate: byte for byte, with a facade, a record and checksums.

use crate::project::compare::{Comparison, Difference};
use crate::project::sources::digest;
use crate::vendoring::changes::since;
use crate::vendoring::record::{Record, VENDORED, checksums, files};
use crate::vendoring::template::{KIT, Template, module};
use std::fmt::Write;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// A folder of a vendor's crate, in which the core is to lie.
pub struct Destination {
    folder: PathBuf,
    record: Option<Record>,
    there: Comparison,
}

/// The copy that is there before.
enum Before {
    /// None, or parts of the one that would be laid down.
    Nothing,
    Same,
    /// Another one, as it was laid down, with what is known of it.
    Older(String),
}

/// What a vendor wants.
#[derive(Clone, Copy)]
pub struct Wish {
    pub template: Template,
    /// Replaces an older copy that was not edited.
    pub upgrade: bool,
    /// Lays down the conformance kit, too.
    pub kit: bool,
}

impl Destination {
    /// Reads what is there.
    ///
    /// # Errors
    ///
    /// If a file cannot be read.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let failed = |error: io::Error| format!("{}: {error}", folder.display());
        if folder.file_name().is_none() {
            return Err(format!("{}: name a folder of your crate, such as src/whendone", folder.display()));
        }
        let there = Comparison::read(&folder.join("kernel")).map_err(failed)?;
        Ok(Destination { folder: folder.to_owned(), record: Record::read(folder)?, there })
    }

    /// Lays the core down, and returns what to tell the vendor.
    ///
    /// # Errors
    ///
    /// If there is a copy that was edited, or an older one and no wish to upgrade it. Nothing is written then. If a file
    /// cannot be written.
    pub fn lay(&self, wish: Wish) -> Result<String, String> {
        let before = self.before()?;
        let told = match &before {
            Before::Older(told) if !wish.upgrade => {
                return Err(format!("{told}\nnothing was written; --upgrade replaces the files in {}", self.kernel()));
            }
            Before::Older(told) => format!("{told}\nit was replaced\n"),
            Before::Same => format!("{} is up to date: nothing has changed since it was laid down\n", self.kernel()),
            Before::Nothing => String::new(),
        };
        let facade = self.write(wish)?;
        Ok(told + &self.instructions(wish, &facade))
    }

    fn kernel(&self) -> String {
        self.folder.join("kernel").display().to_string()
    }

    /// The copy that is there.
    fn before(&self) -> Result<Before, String> {
        let differences: Vec<_> =
            self.there.differences.iter().filter(|(_, difference)| **difference != Difference::Missing).collect();
        if differences.is_empty() {
            let is_whole = self.there.differences.is_empty();
            return Ok(if is_whole { Before::Same } else { Before::Nothing });
        }
        let [exact, _] = self.there.digests();
        let edited = self.edited();
        let known = since(&exact)?;
        match (&self.record, known) {
            (Some(record), known) if edited.is_empty() => {
                let told = format!("{} is the copy of version {}, {exact}", self.kernel(), record.version);
                Ok(Before::Older(told + &since_then(known)))
            }
            (None, Some(known)) => {
                let told = format!("{} is an older copy without a record, {exact}", self.kernel());
                Ok(Before::Older(told + &since_then(Some(known))))
            }
            _ => Err(self.refusal(&edited)),
        }
    }

    /// The files that are not as they were laid down, by the record, with what can be said of each.
    fn edited(&self) -> Vec<String> {
        let Some(record) = &self.record else { return Vec::new() };
        let is_of_compiled = record.core == Record::of_compiled("").core;
        let tell = |(name, laid): (&String, &String)| {
            let name = name.trim_start_matches("kernel/");
            let Some(text) = self.there.text(name) else { return Some(format!("{name} is missing")) };
            match self.there.differences.get(name) {
                _ if digest([text]) == *laid => None,
                Some(difference) if is_of_compiled => Some(format!("{name} {difference}")),
                _ => Some(format!("{name} is not as version {} laid it down", record.version)),
            }
        };
        record.files.iter().filter_map(tell).collect()
    }

    fn refusal(&self, edited: &[String]) -> String {
        let edited = match edited {
            [] => format!("there is no {VENDORED} beside it, and it is no copy that is known: {}", self.there),
            edited => edited.join("; "),
        };
        format!(
            "{} was edited, so nothing was written: {edited}\nto lay the files down anew, move your edits away and \
             delete that folder; to verify them where they are: cargo verify --core {}",
            self.kernel(),
            self.kernel()
        )
    }

    /// Writes all files, the record last, and says what became of the facade.
    fn write(&self, wish: Wish) -> Result<String, String> {
        for (name, text) in files() {
            self.put(name, text)?;
        }
        let mut name = wish.template.name().to_owned();
        let facade = if self.folder.join("sync.rs").exists() {
            name = self.record.as_ref().map_or("your own".to_owned(), |record| record.facade.clone());
            "your sync.rs is as it was".to_owned()
        } else {
            self.put("sync.rs", wish.template.text())?;
            format!("sync.rs is the template {name}; from now on it is yours")
        };
        if wish.kit {
            self.put("conformance.rs", KIT)?;
        }
        self.put("SHA256SUMS", &checksums())?;
        self.put(VENDORED, &Record::of_compiled(&name).text()?)?;
        Ok(facade)
    }

    /// Writes a file as a whole or not at all.
    fn put(&self, name: &str, text: &str) -> Result<(), String> {
        let path = self.folder.join(name);
        let failed = |error: io::Error| format!("{}: {error}", path.display());
        if fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
            return Ok(());
        }
        fs::create_dir_all(path.parent().unwrap_or(&self.folder)).map_err(failed)?;
        let part = path.with_extension(format!("part-{}", std::process::id()));
        fs::write(&part, text).and_then(|()| fs::rename(&part, &path)).map_err(|error| {
            let _ = fs::remove_file(&part);
            match error.kind() {
                ErrorKind::PermissionDenied => format!("{}: {error}; is the folder yours?", path.display()),
                _ => failed(error),
            }
        })
    }

    fn instructions(&self, wish: Wish, facade: &str) -> String {
        let Wish { template, kit, .. } = wish;
        let folder = self.folder.display();
        let mut told = format!("{folder} has the core of whendone {}; {facade}\n", env!("CARGO_PKG_VERSION"));
        let mut line = |line: String| writeln!(told, "{line}").expect("strings can be written");
        line(format!("it needs {}", template.needs()));
        line(format!("\npaste into the file of the module above {folder}, such as src/lib.rs:\n"));
        line(module(&self.folder, kit));
        if !template.dependencies().is_empty() {
            line(format!("add to Cargo.toml:\n\n{}", template.dependencies()));
        }
        line(format!(
            "then check it:\n\n(cd {folder} && sha256sum -c SHA256SUMS)\ncargo verify facade {folder}/sync.rs\n\
             cargo verify --core {folder}/kernel"
        ));
        told.truncate(told.trim_end().len());
        told
    }
}

/// The changes since an older copy, in words.
fn since_then(known: Option<Vec<String>>) -> String {
    match known {
        None => {
            "\nthat copy is unknown here, so what changed since then is unknown, too: CHANGELOG.md may say it".into()
        }
        Some(changes) if changes.is_empty() => "\nsince then only words have changed".into(),
        Some(changes) => format!("\nsince then:\n{}", changes.join("\n")),
    }
}
