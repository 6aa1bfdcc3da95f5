//! No reduction of the engine `sections` hides a defect of the self-test, or an outcome.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::panic::{self, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use whendone_model::engines::catalog::Engine;
use whendone_model::engines::defects::DEFECTS;
use whendone_model::engines::sections::clients::{Call, Choice, Difference, Key, Search, explore};
use whendone_model::engines::sections::engine::lockstep;
use whendone_model::engines::sections::explore::{at_once, explore as explore_all};
use whendone_model::engines::sections::machine::sync::atomic::AtomicUsize;
use whendone_model::engines::sections::spread::Spread;
use whendone_model::engines::{Extent, Observed};
use whendone_model::scenario::Scenario;
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

#[test]
fn a_program_that_is_spread_has_the_executions_of_one_thread() {
    let programs = [
        (Engine::Sections, "ba C ; A | C | B", 34),
        (Engine::Sections, "aa ; A | A R0 | C | R1", 365),
        (Engine::Sections, "@inline aa ; A A C G A | R0 P A G A", 1413),
        (Engine::SectionsPlain, "ba C ; A | C | B", 358),
        (Engine::SectionsPlain, "aa ; R0 | X | B | Rf", 122),
        (Engine::SectionsPlain, "@queue{A} a ; G | X", 21),
        (Engine::SectionsPlain, "@loop{p!} a ; L | R0", 686),
    ];
    for (engine, text, executions) in programs {
        let program: Scenario = text.parse().expect("well formed");
        let known = engine.observe(&program);
        assert_eq!((known.executions, known.extent), (executions, Extent::Complete), "{program}");
        for (workers, alone) in [(2, 1), (3, 7), (8, 15)] {
            let spread = Spread { workers, alone }.play(engine.play(), &program);
            assert_eq!(spread, known, "{program} on {} with {workers} workers", engine.name());
        }
    }
}

/// Three threads that count, three times each, and fail if the last thread counts early: 1,680 executions, not all of which fail.
fn count_together(_: &Scenario) -> Observed {
    let executions = Arc::new(AtomicU64::new(0));
    let counted = executions.clone();
    let explored = explore_all(move || {
        let count = Arc::new(AtomicUsize::new(0));
        let thread = |_| {
            let count = count.clone();
            Box::new(move || [0; 3].map(|_| count.fetch_add(1, Ordering::Relaxed)))
                as Box<dyn FnOnce() -> [usize; 3] + Send>
        };
        let seen = at_once((0..3).map(thread).collect());
        counted.fetch_add(1, Ordering::Relaxed);
        if seen[0][2] > 4 && seen[2][0] < 3 {
            resume_unwind(Box::new(format!("{seen:?}")));
        }
    });
    let extent = explored.as_ref().copied().unwrap_or_default();
    let broken = explored.err().into_iter().map(|failure| (failure, 1)).collect();
    Observed { executions: executions.load(Ordering::Relaxed), extent, broken, ..Observed::default() }
}

#[test]
fn of_failures_the_first_one_in_the_order_of_the_search_is_reported_on_any_number_of_threads() {
    let program = "; C".parse().expect("well formed");
    let known = count_together(&program);
    assert_eq!((known.executions, known.extent), (97, Extent::Cut), "{known:?}");
    for (workers, alone) in (2..10).flat_map(|workers| [(workers, 1), (workers, 30)]) {
        assert_eq!(Spread { workers, alone }.play(count_together, &program), known, "{workers} workers");
    }
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
