//! The files of the proof are complete. The proof itself: `cargo verify proof`.

use std::collections::BTreeSet;
use std::fs;
use whendone_model::project::copy::project;
use whendone_model::project::table::{Mutant, QUEUE, Table};
use whendone_model::proof::obligations::{FILES, Theory};
use whendone_model::proof::queue::{FILE, text};
use whendone_model::proof::tie::{RUST, unmatched};
use whendone_model::proof::walks::Share;
use whendone_model::protocol::model::Action;
use whendone_model::protocol::properties::SIZE;

#[test]
fn both_forms_of_the_protocol_have_the_same_steps() {
    let theory = Theory::read().expect("the files are there");
    let proven: BTreeSet<String> = theory.actions.into_iter().collect();
    let explored: BTreeSet<String> = Action::all(SIZE.threads, SIZE.callbacks).into_iter().map(Action::name).collect();
    assert_eq!(proven, explored);
}

#[test]
fn each_clause_has_a_sentence_and_each_property_a_clause() {
    let theory = Theory::read().expect("the files are there");
    let gives: BTreeSet<&str> = theory.clauses.iter().flat_map(|clause| clause.gives.split(' ')).collect();
    for property in ["P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9", "P10", "P11"] {
        assert!(gives.contains(property), "no clause gives {property}");
    }
    assert!(theory.clauses.iter().all(|clause| !clause.sentence.is_empty()));
}

/// Each action must preserve each clause.
#[test]
fn no_proof_obligation_is_left_out() {
    let theory = Theory::read().expect("the files are there");
    let (clauses, actions) = (theory.clauses.len(), theory.actions.len());
    assert_eq!((clauses, actions), (15, 13));
    let queries = theory.obligations();
    let names: BTreeSet<String> = queries.iter().map(|query| query.kind.to_string()).collect();
    assert_eq!(names.len(), queries.len(), "two questions with one name");
    assert_eq!(queries.iter().filter(|query| query.kind.clause().is_some()).count(), clauses * actions);
    assert_eq!(theory.controls().len(), 1 + actions + clauses);
}

fn read(file: &str) -> String {
    fs::read_to_string(project().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn the_proven_queue_has_the_constants_and_functions_of_the_one_that_ships() {
    let (rust, proven) = (read(RUST), text().expect("the file is there"));
    assert_eq!(unmatched(&rust, &proven), Vec::<String>::new());
    for (shipped, known) in [("SLACK: usize = 32", "slack: int = 32"), ("FEW: usize = 8", "few: int = 8")] {
        let other = |text: &str, of: &str| text.replace(of, &format!("{of}1"));
        assert_eq!(unmatched(&other(&rust, shipped), &proven).len(), 1, "{shipped} may be another one");
        assert_eq!(unmatched(&rust, &other(&proven, known)).len(), 1, "{known} may be another one");
    }
    let renamed = unmatched(&rust.replace("fn close_up", "fn close_all"), &proven);
    assert!(renamed.len() == 1 && renamed[0].starts_with("close_all"), "{renamed:?}");
}

/// The table in `model/proof/README.md`: names of the protocol's proof, and functions and claims of the queue's.
#[test]
fn the_two_proofs_meet_at_names_that_both_have() {
    let protocol: String = FILES.iter().map(|file| read(file)).collect();
    let queue = text().expect("the file is there");
    let readme = read("model/proof/README.md");
    let (_, section) = readme.split_once("## Where the two proofs meet").expect("there is the section");
    let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let rows = section.lines().filter(|line| line.starts_with("| `")).map(|line| line.split('|').map(names).collect());
    let rows: Vec<Vec<Vec<String>>> = rows.collect();
    assert!(rows.len() >= 6, "{rows:?}");
    for row in rows {
        for name in &row[1] {
            assert!(protocol.contains(&format!("(define-fun {name} ")), "{name} is no name of the protocol");
        }
        for name in &row[2] {
            let (function, claim) = name.split_once(": ").unwrap_or_else(|| panic!("{name} has no claim"));
            let (_, text) = queue.split_once(&format!("  let {function} (")).unwrap_or_else(|| panic!("no {function}"));
            let contract = text.split("\n  = ").next().unwrap_or_default();
            assert!(contract.contains(&format!("[@expl:{claim}")), "{function} does not claim {claim}");
        }
        assert!(!row[1].is_empty() && !row[2].is_empty(), "{row:?}");
    }
}

#[test]
fn every_bug_of_the_queue_can_be_planted_and_names_a_goal_or_an_argument() {
    let bugs = Table::read(&Table::folder(&project()).join(QUEUE)).expect("in order").mutants;
    let files = [(FILE.to_owned(), read(FILE)), (RUST.to_owned(), read(RUST))];
    let is_of_the_proof = |bug: &&Mutant| bug.edits.iter().any(|edit| &*edit.file == FILE);
    for bug in &bugs {
        bug.plant(&files).unwrap_or_else(|error| panic!("{error}"));
        assert!(bug.edits.iter().any(|edit| &*edit.file == RUST), "{} is not planted in the Rust", bug.id);
        assert_eq!(is_of_the_proof(&bug), !bug.shown_by.is_empty(), "{} names a goal or edits no proof", bug.id);
    }
    assert!(bugs.iter().filter(is_of_the_proof).count() >= 15);
    assert!(bugs.iter().filter(|bug| !is_of_the_proof(bug)).count() >= 10);
}

/// As many sequences as there are.
#[test]
fn short_sequences_are_all_of_their_length() {
    let short = |length: usize| Share { short: length, stairs: 0, walks: 0, steps: 0 }.operations();
    let sequences = |text: &str| -> BTreeSet<String> { text.split("new\n").map(str::to_owned).collect() };
    let [none, two] = [short(0), short(2)].map(|text| text.lines().filter(|line| *line == "new").count());
    assert_eq!(two - none + 1, 81);
    assert!(sequences(&short(2)).contains("push 1 1 1\npush 2 2 2\n"));
}
