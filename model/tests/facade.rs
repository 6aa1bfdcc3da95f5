//! The check of a facade, on good ones and on broken ones, each of which breaks an obligation.

use rayon::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};
use whendone_model::project::copy::folder_in_target;
use whendone_model::project::table::{Mutant, Table};
use whendone_model::vendoring::conformance::{Conformance, OBLIGATIONS};
use whendone_model::vendoring::package::Facade;

fn vendor() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vendor")
}

/// A package with this text in the place of `sync.rs`.
fn write(name: &str, text: &str) -> PathBuf {
    let folder = folder_in_target(&format!("facades-of-tests/{name}")).expect("writable");
    fs::write(folder.join("sync.rs"), text).expect("writable");
    fs::write(folder.join("Cargo.toml"), "[package]\nname = \"vendor\"\nedition = \"2018\"\n").expect("writable");
    folder
}

fn check(name: &str, text: &str) -> Conformance {
    Conformance::check(&write(name, text)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn good(file: &str) -> String {
    fs::read_to_string(vendor().join("sync").join(file)).expect("it is there")
}

#[test]
fn a_facade_on_atomics_meets_every_obligation_and_is_explored_to_the_end() {
    let found = check("good", &good("spin_on_atomics.rs"));
    assert_eq!((found.broken(), &found.orders), (vec![], &Ok(())), "{found}");
    let explored = found.numbered().filter(|(.., finding)| finding.held.iter().any(|how| how.contains("under loom")));
    let explored: Vec<&str> = explored.map(|(number, ..)| number).collect();
    assert_eq!(explored, ["F1", "F2", "F7", "F8", "F9"], "{found}");
}

#[test]
fn a_facade_of_std_says_that_its_memory_orders_were_not_shown() {
    let found = check("std", &good("std.rs"));
    assert!(found.orders.is_err() && found.broken().is_empty(), "{found}");
    assert!(found.numbered().all(|(.., finding)| !finding.held.is_empty()), "{found}");
    assert!(found.to_string().contains("NOT SHOWN: wrong memory orders"), "{found}");
}

/// Each obligation is found broken, and by what the table says: threads, loom or the compiler.
#[test]
fn every_broken_facade_is_named_by_the_obligation_that_it_breaks() {
    let table = Table::read(&vendor().join("broken.toml")).expect("a table");
    assert!(table.mutants.len() >= 12);
    // One is built while another runs.
    let wrong = table.mutants.par_iter().filter_map(|mutant| {
        let Mutant { id, breaks, shown_by, edits, .. } = mutant;
        let base = &*edits[0].file;
        let planted = mutant.plant(&[(base.to_owned(), good(base))]).unwrap_or_else(|error| panic!("{error}"));
        let found = check(id, &planted[0].1);
        let whys: Vec<String> = found
            .numbered()
            .filter(|(number, ..)| number == breaks)
            .flat_map(|(.., finding)| finding.broken.clone())
            .collect();
        let is_shown = whys.iter().any(|why| why.ends_with("(under loom)") == (&**shown_by == "loom"));
        (!is_shown).then(|| format!("{id} should break {breaks}, shown by {shown_by}:\n{found}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The page has a row for each obligation, and the kit checks each but those that the compiler does.
#[test]
fn the_obligations_are_those_of_the_page_and_of_the_kit() {
    let page = fs::read_to_string(vendor().join("../../docs/VENDORING.md")).expect("the page");
    let kit = good("../conformance.rs");
    for (number, name) in OBLIGATIONS {
        assert!(page.contains(&format!("| {number} | {name} |")), "{number} {name}");
        let is_compiled = ["F11", "F12"].contains(&number);
        assert_ne!(kit.contains(&format!("Check(\"{number}\"")), is_compiled, "{number}");
    }
}

/// All facades share a target folder, in which packages of one name have the same files: a facade that is checked at the same
/// time would be run in the place of another.
#[test]
fn each_facade_is_a_package_of_a_name_of_its_own() {
    let names = ["first", "second"].map(|name| {
        let folder = write(&format!("name-{name}"), &good("std.rs"));
        let facade = Facade::read(&folder).expect("it is there");
        let package = facade.package(&facade.text, false).expect("writable");
        let manifest = fs::read_to_string(package.folder.join("Cargo.toml")).expect("written");
        let manifest: toml::Table = manifest.parse().expect("a manifest");
        manifest["package"]["name"].as_str().expect("a name").to_owned()
    });
    assert_ne!(names[0], names[1]);
}
