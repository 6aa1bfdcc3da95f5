//! The figures that green runs print: of the baseline, and of the tables of seeded bugs.

use super::evidence::all_bugs;
use crate::project::table::{Mutant, PROTOCOL, QUEUE};
use crate::runner::baseline::Baseline;
use std::path::Path;

/// A table of commands, and of the figures in what they print.
pub fn figures(root: &Path) -> Result<String, String> {
    let baseline = Baseline::read().map_err(|error| format!("{}: {error}", Baseline::path().display()))?;
    let mut rows: Vec<(&str, String)> = Vec::new();
    for (engine, programs, executions) in baseline.totals() {
        let engine = engine.name();
        rows.push((
            "cargo verify",
            format!("`{engine}`: {programs} programs, {executions} executions; none extra, none missing"),
        ));
    }
    for (states, choices) in &baseline.clients {
        rows.push(("cargo verify", format!("every client: {states} states, {choices} choices")));
    }
    let bugs = all_bugs(root)?;
    let number = |is_counted: &dyn Fn(&Mutant) -> bool| bugs.iter().filter(|(_, bug)| is_counted(bug)).count();
    let is_of_a_proof = |file: &String| [PROTOCOL, QUEUE].contains(&file.as_str());
    let played = bugs.iter().filter(|(file, bug)| bug.equivalent.is_none() && bug.is_played() && !is_of_a_proof(file));
    let played = played.count();
    rows.push(("cargo verify mutants --played", format!("{played} seeded bugs, {played} killed")));
    let noticed = number(&|bug| bug.equivalent.is_none());
    let argued = number(&|bug| bug.equivalent.is_some());
    rows.push((
        "cargo verify mutants",
        format!("{noticed} seeded bugs killed; {argued} changes that change nothing, each with an argument"),
    ));
    let rows = rows.iter().map(|(command, prints)| format!("| `{command}` | {prints} |\n"));
    Ok(["| command | a green run prints |\n|---|---|\n".to_owned()].into_iter().chain(rows).collect())
}
