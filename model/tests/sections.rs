//! No reduction of the engine `sections` hides a defect of the self-test, or an outcome.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::panic;
use whendone_model::engines::catalog::Engine;
use whendone_model::engines::defects::DEFECTS;
use whendone_model::engines::sections::clients::{Call, Choice, Difference, Key, Search, explore};
use whendone_model::engines::sections::engine::lockstep;
use whendone_model::universe::{Tier, smallest};

#[test]
fn sleep_sets_leave_out_no_outcome() {
    let mut reduced_executions = 0;
    let mut plain_executions = 0;
    for program in smallest().iter().chain(&Tier::Triples.programs()[..300]) {
        let [reduced, plain] = [Engine::Sections, Engine::SectionsPlain].map(|engine| engine.observe(program));
        assert!(reduced.observations.keys().eq(plain.observations.keys()), "{program}");
        reduced_executions += reduced.executions;
        plain_executions += plain.executions;
    }
    assert!(2 * reduced_executions < plain_executions, "{reduced_executions} of {plain_executions}");
}

/// The number of calls of a client that shows the defect.
fn calls(Difference { path, .. }: &Difference) -> usize {
    path.iter().filter(|choice| matches!(choice, Choice::Begin(_))).count()
}

const BOTH: [Key; 2] = [Key::Places, Key::Operations];

#[test]
fn clients_show_the_defects_with_either_key() {
    let hook = panic::take_hook();
    // Some of the defects panic.
    panic::set_hook(Box::new(|_| ()));
    let explored = DEFECTS.iter().map(|defect| (defect.id, BOTH.map(|key| defect.explore(3, key).err())));
    let explored: Vec<_> = explored.collect();
    panic::set_hook(hook);
    for (id, [by_places, by_operations]) in &explored {
        assert_eq!(by_places.as_ref().map(calls), by_operations.as_ref().map(calls), "{id}");
    }
    let unseen = explored.iter().filter(|(_, [by_places, _])| by_places.is_none()).map(|(id, _)| *id);
    // Those of the task layer alone.
    assert_eq!(unseen.collect::<Vec<_>>(), ["a_panic_is_not_reported", "another_panic_is_reported"]);
}

#[test]
fn an_exploration_that_stops_and_is_stored_finds_the_same() {
    let whole = explore(4, Key::Places, lockstep::play).expect("the core is right");
    let mut search = Search::new(Key::Places);
    let mut stops = 0;
    while search.finished.len() <= 4 {
        let once = Cell::new(true);
        let is_finished = search.advance(lockstep::play, || once.take()).expect("the core is right");
        stops += usize::from(!is_finished);
        if stops % 5 == 0 {
            let stored = postcard::to_stdvec(&search).expect("it can be written");
            search = postcard::from_bytes(&stored).expect("it can be read");
        }
    }
    assert_eq!(search.explored, whole);
    assert!(stops > 30, "it stopped {stops} times");
}

#[test]
fn states_that_differ_in_a_call_under_way_have_different_keys() {
    let setup = [Call::Add { tagged: false }, Call::Add { tagged: true }];
    let path = [Choice::Begin(Call::Complete), Choice::Step(2), Choice::Step(2)];
    for key in BOTH {
        // The queue is empty and the cell is draining in all of them: the drainer has the batch in hand.
        let keys =
            (1..=path.len()).map(|steps| lockstep::play(&setup, &path[..steps], false, key).expect("it is right").key);
        let different: BTreeSet<_> = keys.collect();
        assert_eq!(different.len(), path.len(), "{key:?}");
    }
}
