//! The files of the proof are complete. The proof itself: `cargo verify proof`.

use std::collections::BTreeSet;
use whendone_model::proof::obligations::Theory;
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
