//! `cargo verify vendor` and `cargo verify facade`: the core in another crate, and the facade there.

use super::print;
use std::error::Error;
use std::path::Path;
use whendone_model::project::files::write_atomically;
use whendone_model::runner::part::Found;
use whendone_model::vendoring::conformance::Conformance;
use whendone_model::vendoring::lay::{Destination, Wish};
use whendone_model::vendoring::statement;

/// Lays the core down.
pub fn vendor(dest: &Path, wish: Wish) -> Result<Found, Box<dyn Error>> {
    print(Destination::read(dest)?.lay(wish)?)?;
    Ok(Found::default())
}

/// Checks a facade, and writes the result for machines if that is wanted.
pub fn check_facade(path: &Path, file: Option<&Path>) -> Result<bool, Box<dyn Error>> {
    let found = Conformance::check(path)?;
    print(&found)?;
    if let Some(file) = file {
        write_atomically(file, format!("{:#}\n", statement::of_facade(&found)))?;
    }
    Ok(found.broken().is_empty())
}
