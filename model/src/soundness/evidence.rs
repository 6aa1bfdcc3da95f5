//! The evidence for each property, by method, and the failures of the boundary that are seeded.

use super::read;
use crate::project::table::{Mutant, PROTOCOL, QUEUE, Table};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The methods, each with its command, in the order of the columns.
const METHODS: [(&str, &str); 9] = [
    ("closed world", "cargo verify mutants --played"),
    ("self-test", "cargo verify"),
    ("model checking", "cargo test -p whendone-model --test protocol"),
    ("proof", "cargo verify proof"),
    ("bugs refused by the proofs", "cargo verify mutants"),
    ("tests", "cargo verify mutants"),
    ("compiler", "cargo verify mutants"),
    ("random programs", "cargo verify mutants"),
    ("rules of asyncio", "cargo test --test rules"),
];

/// Suites of the compiler, and of random programs. The bugs that they show are counted apart from those of other tests.
const COMPILER: [&str; 3] = ["compile_fail", "auto_traits", "bounds"];
const RANDOM: [&str; 3] = ["properties", "fuzz_seeds", "--test proptest"];

/// Seeded failures of the boundary between claim and check: the failure, and the bug that stands for it.
const BOUNDARY: [(&str, &str); 6] = [
    ("a specification that differs from the code", "spec_newest_first"),
    ("a check that accepts everything", "harness_always_agrees"),
    ("a body that differs in the verified build", "boundary_a_body_under_a_cfg"),
    ("an engine that compiles another file", "boundary_an_engine_compiles_another_file"),
    ("a facade that lets poisoning show", "a_poisoned_lock_stays_poisoned"),
    ("a check that did not run", "harness_replays_nothing"),
];

/// The numbers of one method, by property.
type Column = BTreeMap<u32, usize>;

/// A table of properties by methods. Each number counts what the method has for that property.
pub fn matrix(root: &Path) -> Result<String, String> {
    let bugs = bugs(root)?;
    let of = |is_counted: &dyn Fn(&str, &Mutant) -> bool| {
        counted(bugs.iter().filter(|(file, bug)| is_counted(file, bug)).filter_map(|(_, bug)| number(&bug.breaks)))
    };
    let runs = |bug: &Mutant, suites: &[&str]| {
        bug.run.as_ref().is_some_and(|run| suites.iter().any(|suite| run.contains(suite)))
    };
    let is_proof = |file: &str| [PROTOCOL, QUEUE].contains(&file);
    let is_test = |bug: &Mutant| bug.run.as_ref().is_some_and(|run| run.starts_with("test "));
    let columns: [Column; METHODS.len()] = [
        of(&|file, bug| !is_proof(file) && bug.is_played()),
        counted(labels(&read(root, "model/self_test.toml")?, "shown-by = \"P")),
        counted(labels(&read(root, "model/src/protocol/properties.rs")?, "\"P")),
        counted(proven(root)?),
        of(&|file, _| is_proof(file)),
        of(&|file, bug| !is_proof(file) && is_test(bug) && !runs(bug, &COMPILER) && !runs(bug, &RANDOM)),
        of(&|_, bug| runs(bug, &COMPILER)),
        of(&|_, bug| runs(bug, &RANDOM)),
        Column::from([(22, tested_rules(&read(root, "docs/RULES.md")?))]),
    ];
    let properties = properties(&read(root, "docs/RULES.md")?);
    let mut table = format!("| property |{}\n|---|{}\n", joined(METHODS.map(|(name, _)| name)), "---:|".repeat(9));
    for (property, name) in &properties {
        let cells = columns.each_ref().map(|column| column.get(property).copied().unwrap_or(0));
        if cells.iter().all(|cell| *cell == 0) {
            return Err(format!("P{property}, {name}, has no evidence"));
        }
        let cells = cells.map(|cell| if cell == 0 { String::new() } else { cell.to_string() });
        table += &format!("| [P{property}](docs/RULES.md#p{property}) {name} |{}\n", joined(cells));
    }
    table += &format!("| command |{}\n", joined(METHODS.map(|(_, command)| format!("`{command}`"))));
    Ok(table)
}

/// A table of the failures of the boundary, with the bug that stands for each, and the check that must notice it.
pub fn boundary(root: &Path) -> Result<String, String> {
    let bugs = bugs(root)?;
    let mut table = String::from("| failure | seeded bug | noticed by |\n|---|---|---|\n");
    for (failure, id) in BOUNDARY {
        let (_, bug) = bugs.iter().find(|(_, bug)| *bug.id == *id).ok_or(format!("no seeded bug is called {id}"))?;
        let run = bug.run.as_ref().ok_or(format!("{id} names no command"))?;
        table += &format!("| {failure} | `cargo verify mutants {id}` | `cargo {}` |\n", run.replace('|', "\\|"));
    }
    Ok(table)
}

fn joined<T: AsRef<str>>(cells: impl IntoIterator<Item = T>) -> String {
    cells.into_iter().map(|cell| format!(" {} |", cell.as_ref())).collect()
}

fn counted(numbers: impl IntoIterator<Item = u32>) -> Column {
    let mut column = Column::new();
    numbers.into_iter().for_each(|number| *column.entry(number).or_default() += 1);
    column
}

/// All seeded bugs that can be noticed, with the name of the file of their table.
fn bugs(root: &Path) -> Result<Vec<(String, Mutant)>, String> {
    Ok(all_bugs(root)?.into_iter().filter(|(_, bug)| bug.equivalent.is_none()).collect())
}

/// All seeded bugs, also those that are argued to change nothing.
pub fn all_bugs(root: &Path) -> Result<Vec<(String, Mutant)>, String> {
    let folder = Table::folder(root);
    let files = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut bugs = Vec::new();
    for file in files.flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        let table = Table::read(&file.path())?;
        bugs.extend(table.mutants.into_iter().map(|bug| (name.clone(), bug)));
    }
    Ok(bugs)
}

/// The number of the property at the beginning of a text such as `P20 cost`.
fn number(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('P')?;
    digits[..digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len())].parse().ok()
}

/// The numbers of the properties that follow this label in a text.
fn labels<'a>(text: &'a str, label: &'a str) -> impl Iterator<Item = u32> + 'a {
    text.split(label).skip(1).filter_map(|rest| number(&format!("P{rest}")))
}

/// The numbers of the properties that each proven statement is about: of the protocol, and of the queue's contracts.
fn proven(root: &Path) -> Result<Vec<u32>, String> {
    let (protocol, queue) = (read(root, "model/proof/properties.smt2")?, read(root, "model/proof/queue.mlw")?);
    let of_protocol = labels(&protocol, "; property: P").chain(labels(&protocol, "; step: P"));
    let promised = queue.lines().filter(|line| line.trim_start().starts_with("ensures"));
    let of_queue = promised.filter_map(|line| line.split_once("[@expl:")?.1.split_once(']'));
    let of_queue = of_queue.flat_map(|(label, _)| label.split(", ").filter_map(number).collect::<Vec<_>>());
    Ok(of_protocol.chain(of_queue).collect())
}

/// The number of rules of asyncio that are kept or changed, and so name their tests.
fn tested_rules(rules: &str) -> usize {
    let is_tested = |line: &&str| line.starts_with("| R") && line.trim_end().ends_with("` |");
    rules.lines().filter(is_tested).count()
}

/// The properties, with their short names, as the page of rules lists them.
fn properties(rules: &str) -> Vec<(u32, String)> {
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| P")?.split(" | ");
        let number = cells.next()?.split('<').next()?.parse().ok()?;
        Some((number, cells.next()?.to_owned()))
    };
    rules.lines().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::{labels, number, properties};

    #[test]
    fn numbers_are_read_up_to_the_first_other_letter() {
        assert_eq!(number("P20 cost"), Some(20));
        assert_eq!(number("P7"), Some(7));
        assert_eq!(number("R31"), None);
        assert_eq!(labels("; property: P1 a\n; step: P14 b", "; step: P").collect::<Vec<_>>(), [14]);
    }

    #[test]
    fn properties_are_read_with_their_names() {
        let page = "| P1<a id=\"p1\"></a> | one completion | kernel | text |\n| R1 | no | |\n";
        assert_eq!(properties(page), [(1, "one completion".to_owned())]);
    }
}
