//! `cargo verify soundness`: the page of claims against the tree.

use super::arguments::Arguments;
use super::print;
use std::error::Error;
use whendone_model::project::copy::project;
use whendone_model::soundness;

/// Compares the tables of `SOUNDNESS.md` with the tree, and the commands of the pages with the ones that there are.
pub fn look(write: bool) -> Result<bool, Box<dyn Error>> {
    if write {
        soundness::write(&project())?;
        return Ok(true);
    }
    let parsed = |words: &[String]| match Arguments::of(words.iter().map(Into::into)) {
        Err(error) if error.use_stderr() => Err(error.kind().to_string()),
        _ => Ok(()),
    };
    let differences = soundness::differences(&project(), parsed)?;
    differences.iter().try_for_each(print)?;
    if !differences.is_empty() {
        print("`cargo verify soundness --write` writes the tables")?;
    }
    Ok(differences.is_empty())
}
