//! Bugs of the queue: the proof must refuse the goal that each one names, and the comparison with the proven text must
//! notice the same bug in the Rust.

use std::fs;
use whendone_model::project::copy::project;
use whendone_model::proof::queue::{FILE, text};
use whendone_model::proof::tie::{Proven, RUST, unmatched};
use whendone_model::proof::walks::Share;
use whendone_model::proof::why3::{Goal, Why3};
use whendone_mutants::table::{File, Mutant, QUEUE, Table};

/// Prints who notices each bug, and returns how many are not noticed as the table says.
///
/// # Errors
///
/// If the table cannot be read, or the proven text not be extracted.
pub fn bugs(is_named: impl Fn(&Mutant) -> bool) -> Result<usize, String> {
    let bugs: Vec<Mutant> =
        Table::read(&Table::folder(&project()).join(QUEUE))?.mutants.into_iter().filter(is_named).collect();
    if bugs.is_empty() {
        return Ok(0);
    }
    let text = text()?;
    let proven = match Proven::play(&text, Share::EVERYDAY) {
        Ok(proven) => proven,
        Err(missing) => {
            println!("SKIPPED: THE BUGS OF THE QUEUE: {missing}");
            return Ok(0);
        }
    };
    let rust = fs::read_to_string(project().join(RUST)).map_err(|error| format!("{RUST}: {error}"))?;
    let files = [(FILE.to_owned(), text), (RUST.to_owned(), rust)];
    println!("\n{:<34} {:<40} noticed in the Rust by", "bug of the queue", "refused by the proof");
    let mut wrong = 0;
    for bug in &bugs {
        let refused = refused(bug, &files);
        let noticed = noticed(bug, &files, &proven);
        wrong += usize::from(refused.is_err() || noticed.is_err());
        let [refused, noticed] = [refused, noticed].map(|found| found.unwrap_or_else(|not| format!("NOT {not}")));
        println!("{:<34} {refused:<40} {noticed}", bug.id);
    }
    println!("{} bugs of the queue, {wrong} not noticed as the table says", bugs.len());
    Ok(wrong)
}

fn is_edited(bug: &Mutant, file: &str) -> bool {
    bug.edits.iter().any(|edit| &*edit.file == file)
}

/// The goal that the proof loses, and how many others of the same function.
fn refused(bug: &Mutant, files: &[File]) -> Result<String, String> {
    if !is_edited(bug, FILE) {
        return Ok(String::new());
    }
    let planted = bug.plant(files)?;
    let (function, property) = bug.shown_by.split_once(": ").ok_or("goal of a function and a property is named")?;
    let goals = Why3::new(&bug.id, &planted[0].1)?.prove_one(function)?;
    let open: Vec<&Goal> = goals.iter().filter(|goal| !goal.is_valid()).collect();
    match open.iter().find(|goal| goal.claim.starts_with(property)) {
        Some(goal) => Ok(format!("{function}: {} +{}", goal.claim, open.len() - 1)),
        None => Err(format!("{}, but {:?}", bug.shown_by, open.iter().map(|goal| &goal.claim).collect::<Vec<_>>())),
    }
}

/// The difference of the edited Rust from the proven text.
fn noticed(bug: &Mutant, files: &[File], proven: &Proven) -> Result<String, String> {
    if !is_edited(bug, RUST) {
        return Ok(String::new());
    }
    let planted = bug.plant(files)?;
    // The text that is proven is the one without the bug.
    let unmatched = unmatched(&planted[1].1, &files[0].1);
    let tie = proven.compare_edited(&bug.id, &planted[1].1)?;
    match (&bug.equivalent, tie.difference, unmatched.first()) {
        (None, _, Some(unmatched)) => Ok(unmatched.clone()),
        (None, Some(_), None) if tie.equal == 0 => Ok("the comparison, by a panic".to_owned()),
        (None, Some(_), None) => Ok(format!("the comparison, after {} operations", tie.equal)),
        (None, None, None) => Err(format!("in {} operations", tie.equal)),
        (Some(argument), None, None) => Ok(format!("nothing, as is argued: {argument}")),
        (Some(_), ..) => Err("equivalent: it is noticed, so the argument is wrong".to_owned()),
    }
}
