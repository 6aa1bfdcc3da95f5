//! `record` and `report`: the results of all commands in one place.

use super::print;
use serde_json::json;
use std::error::Error;
use std::ffi::OsString;
use std::path::Path;
use std::process;
use whendone_model::project::copy::{folder_in_target, project};
use whendone_model::project::provenance::Provenance;
use whendone_model::runner::evidence::Evidence;
use whendone_model::runner::part::{FIGURES, FiguresFile, Found, parts_folder};

/// Runs another command, and records how it ended, with the figures that it leaves.
pub fn record(name: &str, words: &[OsString]) -> Result<Found, Box<dyn Error>> {
    let [program, rest @ ..] = words else { return Err("no command to record".into()) };
    let failed = |error| format!("{}: {error}", program.display());
    let file = FiguresFile::new(name)?;
    let mut command = process::Command::new(program);
    let status = command.args(rest).current_dir(project()).env(FIGURES, file.path()).status().map_err(failed)?;
    let figures = json!({ "ended": status.to_string(), "left": file.take()? });
    Ok(Found { exit: u8::from(!status.success()), figures, ..Found::default() })
}

/// Gathers the parts into a report, and prints what is missing, stale or red.
pub fn report(parts: Option<&Path>, into: Option<&Path>) -> Result<Found, Box<dyn Error>> {
    let parts = parts.map_or_else(parts_folder, |parts| Ok(parts.to_owned()))?;
    let into = into.map_or_else(|| folder_in_target("verify/report"), |into| Ok(into.to_owned()))?;
    let evidence = Evidence::gather(&parts, Provenance::now()?)?;
    evidence.findings.iter().try_for_each(print)?;
    for path in evidence.write(&into)? {
        print(format_args!("written: {}", path.display()))?;
    }
    let green = evidence.is_green();
    print(if green { "GREEN: nothing is missing, stale or red" } else { "NOT GREEN" })?;
    Ok(Found { exit: u8::from(!green), ..Found::default() })
}
