//! The check of a table of seeded bugs before anything is compiled: each error in a line, with its place and what to do.

use crate::project::copy::{is_copied, project};
use crate::project::table::{File, Mutant, Table};
use crate::scenario::Scenario;
use crate::universe::Tier;
use std::fs;
use std::path::Path;

/// The words of `shown-by` for bugs that are played.
const SHOWN_BY: [&str; 6] = ["outcome", "missing", "engine", "protocol", "harness", "deadlock"];

/// The words of `shown-by` for bugs that are planted in a copy of the project.
const SHOWN_IN_A_COPY: [&str; 2] = ["test", "hang"];

/// The names of the checks that play programs on seeded bugs.
pub fn check_names() -> Vec<String> {
    let tiers = Tier::ALL.map(tier_name);
    ["seeds", "random"].map(str::to_owned).into_iter().chain(tiers).collect()
}

/// The name of a tier as a check.
pub fn tier_name(tier: Tier) -> String {
    format!("{tier:?}").to_lowercase()
}

/// Reads a table and checks everything that can be checked without a compiler.
///
/// # Errors
///
/// All errors of the table, one in each line.
pub fn read_checked(path: &Path) -> Result<Table, String> {
    let table = Table::read(path)?;
    let wrong: Vec<String> = table.mutants.iter().flat_map(errors).collect();
    if wrong.is_empty() { Ok(table) } else { Err(wrong.join("\n")) }
}

fn errors(mutant: &Mutant) -> Vec<String> {
    let checks = [files(mutant).and_then(|files| mutant.plant(&files).map(drop)), shown_by(mutant), killer(mutant)];
    checks.into_iter().filter_map(Result::err).collect()
}

/// The files that the bug edits, as they are in the project.
fn files(mutant: &Mutant) -> Result<Vec<File>, String> {
    let mut files: Vec<File> = Vec::new();
    for edit in &mutant.edits {
        let file = &edit.file;
        let wrong = |what: &str| format!("{}: {}: {file}: {what}", file.place, mutant.id);
        let text = fs::read_to_string(project().join(&**file))
            .map_err(|error| wrong(&format!("{error}; paths begin at the root of the project, as in src/task.rs")))?;
        if !is_copied(file) {
            return Err(wrong("no check reads this file; edit one below src or model"));
        }
        if !mutant.is_played() && mutant.commands().is_empty() {
            return Err(wrong("no suite is known for it; name one, as in run = \"test --test task\""));
        }
        if files.iter().all(|(known, _)| **known != **file) {
            files.push((file.to_string(), text));
        }
    }
    Ok(files)
}

/// Refuses a misspelt word. A text that is printed has a space, or is in capitals.
fn shown_by(mutant: &Mutant) -> Result<(), String> {
    let shown_by = &mutant.shown_by;
    let is_text = shown_by.contains(' ') || !shown_by.contains(|c: char| !c.is_ascii_uppercase());
    let words = if mutant.is_played() { &SHOWN_BY[..] } else { &SHOWN_IN_A_COPY[..] };
    let number = shown_by.strip_prefix('P').and_then(|number| number.parse().ok());
    let is_rule = mutant.is_played() && number.is_some_and(|number: u32| (1..=22).contains(&number));
    if mutant.is_shown_by_anything() || is_text || is_rule || words.contains(&&**shown_by) {
        return Ok(());
    }
    let rules = if mutant.is_played() { ", P1 to P22" } else { "" };
    let words = words.join(", ");
    Err(format!(
        "{}: {}: shown-by {:?} is none of {words}{rules}; a text that is printed has a space or is in capitals; without \
         shown-by anything red counts",
        shown_by.place, mutant.id, &**shown_by
    ))
}

/// Refuses a check that does not exist, and a program that the check does not play.
fn killer(mutant: &Mutant) -> Result<(), String> {
    let Some(killer) = mutant.killer.as_ref().filter(|_| mutant.is_played()) else { return Ok(()) };
    let wrong = |what: String| Err(format!("{}: {}: {what}", killer.place, mutant.id));
    let Some((check, program)) = killer.split_once(": ") else {
        return wrong(format!("killer {:?} must be a check and a program, as in pairs: a ; A | C", &**killer));
    };
    if !check_names().iter().any(|name| name == check) {
        return wrong(format!("there is no check {check:?}; the checks are {}", check_names().join(", ")));
    }
    let scenario = match program.parse::<Scenario>() {
        Ok(scenario) => scenario,
        Err(malformed) => return wrong(malformed.to_string().replace('\n', " ")),
    };
    let tier = Tier::ALL.into_iter().find(|tier| tier_name(*tier) == check);
    match tier.map(|tier| tier.programs()) {
        Some(programs) if !programs.contains(&scenario) => {
            // Of symmetric programs one is played.
            let mirrored = Scenario { threads: scenario.threads.iter().rev().cloned().collect(), ..scenario };
            let advice = match programs.contains(&mirrored) {
                true => format!("but {:?}, which is the same", mirrored.to_string()),
                false => "see docs/SCENARIOS.md; without a killer all programs are searched".to_owned(),
            };
            wrong(format!("{check} does not play {program:?}, {advice}"))
        }
        _ => Ok(()),
    }
}
