//! The tables of seeded bugs are in order. `cargo verify mutants` shows that each bug is noticed.

use std::collections::BTreeSet;
use std::fs;
use whendone_model::check::fault::Fault;
use whendone_model::counterexample::Counterexample;
use whendone_model::engines::catalog::Engine;
use whendone_model::project::copy::project;
use whendone_model::scenario::Scenario;
use whendone_mutants::PLANTED;
use whendone_mutants::table::{Mutant, PROTOCOL, Table};

fn mutants() -> Vec<Mutant> {
    Table::read(&Table::folder(&project())).unwrap_or_else(|error| panic!("{error}")).mutants
}

#[test]
fn there_are_as_many_bugs_of_each_kind_as_promised() {
    let mutants = mutants();
    let pairs: BTreeSet<_> = mutants.iter().map(Mutant::pair).collect();
    assert!(pairs.len() >= 60, "{} distinct pairs of property and place", pairs.len());
    let within = |folder: &str| mutants.iter().filter(|mutant| mutant.edits[0].file.starts_with(folder)).count();
    let harness = within("model/") - within("model/src/spec");
    let task = within("src/") - within("src/kernel/") - within("src/event_loop/");
    let found = [within("src/kernel/"), task, within("src/event_loop/"), within("model/src/spec"), harness];
    let promised = [25, 12, 12, 4, 7];
    assert!(found.iter().zip(promised).all(|(found, promised)| *found >= promised), "{found:?} of {promised:?}");
}

/// The tables are sorted by the layer of the first edit.
#[test]
fn every_bug_is_in_the_table_of_the_layer_that_it_edits() {
    let layers = [
        ("kernel", "src/kernel/"),
        ("event_loop", "src/event_loop/"),
        ("task_layer", "src/"),
        ("spec", "model/src/spec"),
        ("harness", "model/"),
    ];
    let mut found = 0;
    for (layer, _) in layers {
        let mutants =
            Table::read(&Table::folder(&project()).join(layer).with_extension("toml")).expect("in order").mutants;
        found += mutants.len();
        for Mutant { id, edits, .. } in mutants {
            let edited = layers.iter().find(|(_, folder)| edits[0].file.starts_with(folder)).map(|(layer, _)| *layer);
            assert_eq!(edited, Some(layer), "{id} edits {}", edits[0].file);
        }
    }
    assert_eq!(found, mutants().len(), "there is a table of no layer");
}

/// The place is a program of a check.
#[test]
fn every_bug_that_scenarios_see_says_where_it_is_expected_to_be_seen() {
    for mutant in mutants().iter().filter(|mutant| mutant.is_played() && mutant.equivalent.is_none()) {
        let killer = mutant.killer.as_deref().and_then(|killer| killer.split_once(": "));
        let is_program = killer.is_some_and(|(_, program)| program.parse::<Scenario>().is_ok());
        assert!(is_program, "{}: {:?}", mutant.id, mutant.killer.as_deref());
    }
}

/// A bug of the harness that the self-test does not see is green by itself: it goes together with a bug of the core.
#[test]
fn every_bug_of_the_harness_is_seen_by_the_self_test_or_paired_with_one_of_the_core() {
    for mutant in mutants().iter().filter(|mutant| mutant.edits[0].file.starts_with("model/src")) {
        let is_spec = mutant.edits[0].file.starts_with("model/src/spec");
        let is_seen = &*mutant.shown_by == "the check itself is broken";
        let is_paired = mutant.edits.iter().any(|edit| edit.file.starts_with("src/kernel"));
        // Its reductions are compared with an exploration that has none.
        let is_of_sections = mutant.edits[0].file.starts_with("model/src/engines/sections/");
        // Locks that fail show beneath the shipped core.
        let is_of_locks = mutant.edits[0].file.starts_with("model/src/engines/futex/");
        // A promise of the tree is about the tree alone.
        let is_of_the_tree = mutant.run.as_ref().is_some_and(|run| run.starts_with("test --test house"));
        let is_shown = is_spec || is_seen || is_paired || is_of_sections || is_of_locks || is_of_the_tree;
        assert!(is_shown, "{}", mutant.id);
    }
}

#[test]
fn a_malformed_table_is_explained() {
    let path = std::env::temp_dir().join(format!("whendone-table-{}.toml", std::process::id()));
    let read = |text: &str| {
        fs::write(&path, text).expect("writable");
        Table::read(&path).err().unwrap_or_default()
    };
    let bug = |id: &str| format!("[[mutant]]\nid = {id:?}\nbreaks = \"P1\"\nshown-by = \"outcome\"\nwhy = \"w\"\n");
    let edit = "[[mutant.edit]]\nfile = \"src/kernel/cell.rs\"\nfind = \"a\"\nreplace = \"b\"\n";
    assert!(read("").contains("there is no [[mutant]] in it"));
    assert!(read(&(bug("Big") + edit)).contains("lower case letters"));
    assert!(read(&(bug("twice") + edit + &bug("twice") + edit)).contains("two mutants with the id twice"));
    assert!(read(&bug("none")).contains("missing field `edit`"));
    assert!(read(&(bug("odd") + "colour = 1\n" + edit)).contains("unknown field `colour`"));
    fs::remove_file(path).expect("it was written");
}

#[test]
fn ids_are_unique_over_all_tables_of_a_folder_but_that_of_the_protocol() {
    let folder = std::env::temp_dir().join(format!("whendone-tables-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("writable");
    let write = |name: &str, id: &str| {
        let bug = format!("[[mutant]]\nid = {id:?}\nbreaks = \"P1\"\nshown-by = \"outcome\"\nwhy = \"w\"\n");
        let edit = "[[mutant.edit]]\nfile = \"src/kernel/cell.rs\"\nfind = \"a\"\nreplace = \"b\"\n";
        fs::write(folder.join(name), bug + edit).expect("writable");
    };
    assert!(Table::read(&folder).err().is_some_and(|error| error.contains("no table in it")));
    write("one.toml", "first");
    write("other.toml", "second");
    write(PROTOCOL, "first");
    let ids = Table::read(&folder)
        .map(|table| table.mutants.into_iter().map(|mutant| mutant.id.to_string()).collect::<Vec<_>>());
    assert_eq!(ids, Ok(vec!["first".to_owned(), "second".to_owned()]));
    write("other.toml", "first");
    let error = Table::read(&folder).err().unwrap_or_default();
    assert!(error.contains("other.toml") && error.contains("two mutants with the id first"), "{error}");
    fs::remove_dir_all(folder).expect("it was written");
}

const A_SECOND_DRAINER: &str = "\
FAIL P7 FIFO   a ; C | A   4 switches
shrunk from ab ; C G | A R1
     setup, T0: C                      |  T1: A                   | queue  phase
  1  add a [a waits]                   |                          | a      Pending
                                       |                          |
  2  complete v0 [publishes, takes a]  |                          | -      Settled   protocol: this lock section is no action of it; thread 0: Pending [1] -> Settled []
  3                                    |  add b [owes the drain]  | -      Draining  P8: hand-over of x during another hand-over of x
  4                                    |    * b runs, sees v0     |
  5                                    |    [none left]           | -      Settled
  6    * a runs, sees v0               |                          |
  7    [looks] -> true                 |                          | -      Settled
broken   P8: hand-over of x during another hand-over of x
broken   protocol: this lock section is no action of it; thread 0: Pending [1] -> Settled []
seen     true | - -> b a saw v0
allowed  true | - -> a b saw v0";

/// The report of a seeded bug as a person sees it: the replay refuses the very step that was swapped.
#[test]
fn a_failure_is_shrunk_and_shown_with_the_fewest_switches() {
    let (_, play) = PLANTED.iter().find(|(id, _)| *id == "second_drainer").expect("in the table");
    let found: Scenario = "ab ; C G | A R1".parse().expect("well formed");
    let exhibit = Counterexample::of_failure(Engine::Sections, *play, &found, &Fault::Breaks(7));
    assert_eq!(exhibit.without_token().to_string(), A_SECOND_DRAINER);
}
