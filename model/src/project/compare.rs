//! A copy of the core held against the core that was compiled: which files differ, and in which way.

use crate::project::sources::{Core, code_lines, core_digest, core_name};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

/// The way in which a file differs from the one of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    Missing,
    /// Only its line ends do.
    LineEnds,
    /// Only white space, trailing commas, braces around one expression and comments do.
    Layout,
    /// The first line that differs, from 1.
    Edited(usize),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Missing => write!(f, "is missing"),
            Difference::LineEnds => write!(f, "differs in its line ends alone"),
            Difference::Layout => write!(f, "was reformatted, or its comments were: the code is the same"),
            Difference::Edited(line) => write!(f, "was edited, first in line {line}"),
        }
    }
}

impl Difference {
    /// The difference of a text from ours. None if there is none.
    pub fn between(ours: &str, theirs: &[u8]) -> Option<Self> {
        if ours.as_bytes() == theirs {
            return None;
        }
        let theirs = String::from_utf8_lossy(theirs);
        if theirs.replace("\r\n", "\n") == ours {
            return Some(Difference::LineEnds);
        }
        if normalised(&theirs) == normalised(ours) {
            return Some(Difference::Layout);
        }
        let same = ours.lines().zip(theirs.lines()).take_while(|(ours, theirs)| ours == theirs).count();
        Some(Difference::Edited(same + 1))
    }
}

/// A folder with the files of a core, or with some of them.
pub struct Comparison {
    /// The files of the core that are there, by their names in `kernel`.
    texts: BTreeMap<&'static str, Vec<u8>>,
    /// Those that differ from the core that was compiled, by their names in `kernel`.
    pub differences: BTreeMap<&'static str, Difference>,
    /// The other files of the folder, and a build script of its package.
    pub extra: Vec<String>,
    /// Two files between which text was moved.
    pub moved: Option<(&'static str, &'static str)>,
}

impl Comparison {
    /// Reads the folder `kernel`, which need not exist.
    ///
    /// # Errors
    ///
    /// If a file that exists cannot be read.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let (mut texts, mut differences) = (BTreeMap::new(), BTreeMap::new());
        for (name, ours) in Core::texts() {
            let name = name.trim_start_matches("src/kernel/");
            let difference = match fs::read(folder.join(name)) {
                Ok(theirs) => {
                    let difference = Difference::between(ours, &theirs);
                    texts.insert(name, theirs);
                    difference
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => Some(Difference::Missing),
                Err(error) => return Err(error),
            };
            differences.extend(difference.map(|difference| (name, difference)));
        }
        let extra = if folder.is_dir() { extra_files(folder)? } else { Vec::new() };
        let mut comparison = Comparison { texts, differences, extra, moved: None };
        comparison.moved = comparison.moved();
        Ok(comparison)
    }

    /// True if no file of the core is there.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The text of a file of the core, if it is there.
    pub fn text(&self, name: &str) -> Option<&[u8]> {
        self.texts.get(name).map(Vec::as_slice)
    }

    /// The lines that are neither blank nor comments.
    pub fn code_lines(&self) -> usize {
        self.texts.values().map(|text| code_lines(&String::from_utf8_lossy(text))).sum()
    }

    /// The exact digest, and the one of the code without its layout.
    pub fn digests(&self) -> [String; 2] {
        let exact = core_digest(self.texts.iter().map(|(name, text)| (core_name(name), text.as_slice())));
        let normalised = self.texts.iter().map(|(name, text)| {
            let text = String::from_utf8_lossy(text);
            (core_name(name), normalised(&text).unwrap_or_else(|| text.into_owned()))
        });
        [exact, core_digest(normalised)]
    }

    /// The lines of two edited files are those of ours, if both are taken together.
    fn moved(&self) -> Option<(&'static str, &'static str)> {
        let edited = self.differences.iter().filter(|(_, difference)| matches!(difference, Difference::Edited(_)));
        let names: Vec<&'static str> = edited.map(|(name, _)| *name).collect();
        let ours = |name: &str| Core::texts().iter().find(|(file, _)| file.ends_with(&format!("/{name}")));
        let pairs = names.iter().enumerate().flat_map(|(at, one)| names[at + 1..].iter().map(move |two| (*one, *two)));
        let sorted = |texts: [&[u8]; 2]| {
            let mut lines: Vec<Vec<u8>> =
                texts.iter().flat_map(|text| text.split(|byte| *byte == b'\n')).map(<[u8]>::to_vec).collect();
            lines.retain(|line| !line.trim_ascii().is_empty());
            lines.sort();
            lines
        };
        let is_moved = |(one, two): &(&str, &str)| {
            let (Some((_, first)), Some((_, second))) = (ours(one), ours(two)) else { return false };
            sorted([first.as_bytes(), second.as_bytes()]) == sorted([&self.texts[one], &self.texts[two]])
        };
        pairs.into_iter().find(is_moved)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> =
            self.differences.iter().map(|(name, difference)| format!("{name} {difference}")).collect();
        parts.extend(self.moved.map(|(one, two)| format!("text was moved between {one} and {two}")));
        parts.extend(self.extra.iter().map(|extra| format!("{extra} is not of the core")));
        write!(f, "{}", parts.join("; "))
    }
}

/// The code without its layout: its tokens, one space between two. None if it is no Rust.
pub fn normalised(text: &str) -> Option<String> {
    let text = text.replace("\r\n", "\n");
    let tokens: TokenStream = text.trim_start_matches('\u{feff}').parse().ok()?;
    let mut plain = String::new();
    add_tokens(tokens, &mut plain);
    Some(plain)
}

/// Adds tokens, without a trailing comma.
fn add_tokens(tokens: TokenStream, plain: &mut String) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                *plain += open;
                add_tokens(group.stream(), plain);
                *plain += close;
            }
            TokenTree::Punct(comma) if comma.as_char() == ',' && at + 1 == tokens.len() => {}
            other => {
                *plain += &other.to_string();
                plain.push(' ');
            }
        }
    }
}

/// The files and folders that a core does not have, links in place of its files, and a build script of the package.
fn extra_files(folder: &Path) -> io::Result<Vec<String>> {
    let mut extra = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_of_the_core = Core::texts().iter().any(|(file, _)| *file == format!("src/kernel/{name}"));
        if !is_of_the_core {
            extra.push(name);
        } else if entry.file_type()?.is_symlink() {
            extra.push(format!("{name}, a link,"));
        }
    }
    extra.sort();
    extra.extend(build_script(folder).map(|script| format!("the build script {}", script.display())));
    Ok(extra)
}

/// The build script of the package in which a folder lies.
fn build_script(folder: &Path) -> Option<PathBuf> {
    let folder = std::path::absolute(folder).ok()?;
    let package = folder.ancestors().skip(1).find(|above| above.join("Cargo.toml").is_file())?;
    Some(package.join("build.rs")).filter(|script| script.is_file())
}
