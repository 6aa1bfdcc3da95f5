//! The origin of this program: a clone of the project, or the package that it was installed from.

use crate::project::copy::project;
use std::{fs, io};

include!(concat!(env!("OUT_DIR"), "/packaged.rs"));

/// The command that runs this program.
const COMMAND: &str = env!("WHENDONE_COMMAND");

/// The word that cargo puts in front of the arguments of a program that it runs as a command of its own.
pub const SUBCOMMAND: &str = "whendone";

/// The commit that a package was made from. Empty if it was made from changed files, and in a clone.
pub const COMMIT: &str = env!("WHENDONE_COMMIT");

/// True if this program was built in a clone, whose files it reads.
pub fn is_clone() -> bool {
    PACKAGED.is_empty()
}

/// The text of a file of the project, by its path from the root.
///
/// # Errors
///
/// If it cannot be read, or is not in the package.
pub fn text(file: &str) -> io::Result<String> {
    if is_clone() {
        return fs::read_to_string(project().join(file));
    }
    let packaged = PACKAGED.iter().find(|(name, _)| *name == file).map(|(_, text)| (*text).to_owned());
    packaged.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("{file} is not in the package")))
}

/// A text for the user, with the command that runs this program and the folder that it writes to. Texts are written for a
/// clone.
pub fn in_own_words(text: &str) -> String {
    if is_clone() {
        return text.to_owned();
    }
    text.replace("cargo verify", COMMAND).replace(" target/verify", " target/whendone/verify")
}
