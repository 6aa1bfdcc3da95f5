//! The table "From asyncio": each row leads to a program that runs.

use std::collections::{BTreeMap, BTreeSet};

const PAGE: &str = include_str!("../docs/FROM_ASYNCIO.md");
const CRATE: &str = include_str!("../src/lib.rs");

/// The text of each section, by the anchor of its heading.
fn sections() -> BTreeMap<String, &'static str> {
    let sections = PAGE.split("\n## ").skip(1).map(|section| section.split_once('\n').expect("a heading is a line"));
    sections.map(|(heading, text)| (anchor(heading), text)).collect()
}

/// The anchor that rustdoc makes of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// The rows of the first table: the name in asyncio, and the target of the row's link.
fn rows(table: &str) -> Vec<(&str, &str)> {
    let rows =
        table.lines().skip_while(|line| !line.starts_with("|---")).skip(1).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches(['|', ' ']).split_once(" | ").expect("two cells")).collect()
}

#[test]
fn each_row_leads_to_a_program_that_runs() {
    let sections = sections();
    let mut reached = BTreeSet::new();
    for (asyncio, here) in rows(PAGE) {
        let anchor = here.rsplit_once("(#").and_then(|(_, anchor)| anchor.strip_suffix(')'));
        let anchor = anchor.unwrap_or_else(|| panic!("{asyncio} leads nowhere"));
        let section = sections.get(anchor).unwrap_or_else(|| panic!("{asyncio}: there is no section {anchor}"));
        let runs = section.contains("\n```rust\n") && !section.contains("```rust,");
        assert!(runs || anchor == "no-counterpart", "{asyncio} has no program that runs");
        reached.insert(anchor.to_owned());
    }
    assert_eq!(reached, sections.into_keys().collect());
}

#[test]
fn the_rows_of_the_front_page_are_rows_of_the_page() {
    let (_, table) = CRATE.split_once("//! # From asyncio").expect("the front page has a table");
    let table = table.replace("\n//! ", "\n");
    let rows_of_page: Vec<&str> = rows(PAGE).into_iter().map(|(asyncio, _)| asyncio).collect();
    let front = rows(&table);
    assert!(!front.is_empty());
    for (asyncio, _) in front {
        assert!(rows_of_page.iter().any(|row| row.contains(asyncio)), "{asyncio}");
    }
}
