//! The tables of seeded bugs of an auditor: every error is told in a line, with its place and what to do, before cargo
//! is called.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder that is deleted with this value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("whendone-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("writable");
        Folder(folder)
    }

    /// Runs `cargo verify mutants` on a table, with a cargo that cannot be started.
    fn verify(&self, table: &str) -> (String, Option<i32>) {
        let file = self.0.join("mine.toml");
        fs::write(&file, table).expect("writable");
        let mut run = Command::new(env!("CARGO_BIN_EXE_verify"));
        run.args(["mutants", "--file"]).arg(&file).env("CARGO", "no-such-cargo");
        told(&run.output().expect("it starts"), &self.0)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).expect("it is there");
    }
}

/// The printed text, without the name of the folder, and the exit code.
fn told(output: &Output, folder: &Path) -> (String, Option<i32>) {
    let text = [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat();
    (text.replace(&format!("{}/", folder.display()), ""), output.status.code())
}

fn bug(fields: &str, edit: &str) -> String {
    format!("[[mutant]]\nid = \"mine\"\nbreaks = \"P1\"\nwhy = \"w\"\n{fields}\n[[mutant.edit]]\n{edit}\n")
}

const EDIT: &str = "file = \"src/kernel/cell.rs\"\nfind = \"published.set(outcome)?;\"\nreplace = \"\"";

#[test]
fn a_malformed_table_is_refused_at_its_line_before_cargo_is_called() {
    let folder = Folder::new("malformed");
    let cases = [
        ("[[mutant]\n".to_owned(), "error: mine.toml:1:10: unclosed array table"),
        (bug("colour = 1", EDIT), "error: mine.toml:5:1: unknown field `colour`, expected one of `id`"),
        (bug("", "file = 1"), "error: mine.toml:7:8: invalid type: integer"),
        (bug("", EDIT) + &bug("", EDIT), "error: mine.toml:11:6: there are two mutants with the id mine: rename one"),
    ];
    for (table, expected) in cases {
        let (told, code) = folder.verify(&table);
        assert!(told.starts_with(expected), "{told}");
        assert_eq!((told.lines().count(), code), (1, Some(2)), "{told}");
    }
}

#[test]
fn an_edit_that_does_not_match_once_is_refused_with_the_lines_where_it_does() {
    let folder = Folder::new("edits");
    let edit = |file: &str, find: &str| format!("file = {file:?}\nfind = {find:?}\nreplace = \"\"");
    let cases = [
        (
            edit("src/kernel/cell.rs", "no such text"),
            "mine.toml:8:8: mine: the text to find is not in src/kernel/cell.rs",
        ),
        (edit("src/kernel/cell.rs", ".lock()"), "mine.toml:8:8: mine: found 9 times in src/kernel/cell.rs, in lines "),
        (edit("src/kernel/cell.rs", ""), "mine.toml:8:8: mine: the text to find is empty"),
        (edit("src/kernel/cells.rs", "a"), "mine.toml:7:8: mine: src/kernel/cells.rs: No such file"),
        (edit("CONTRIBUTING.md", "Read the"), "mine.toml:7:8: mine: CONTRIBUTING.md: no check reads this file"),
        (edit("benches/src/lib.rs", "//! "), "mine.toml:7:8: mine: benches/src/lib.rs: no suite is known for it"),
    ];
    for (edit, expected) in cases {
        let (told, code) = folder.verify(&bug("", &edit));
        assert!(told.starts_with(&format!("error: {expected}")), "{told}");
        assert_eq!((told.lines().count(), code), (1, Some(2)), "{told}");
    }
}

#[test]
fn a_misspelt_word_is_refused_with_the_valid_ones() {
    let folder = Folder::new("words");
    let cases = [
        ("shown-by = \"outcom\"", "5:12: mine: shown-by \"outcom\" is none of outcome, missing, engine, protocol"),
        ("shown-by = \"P1x\"", "5:12: mine: shown-by \"P1x\" is none of outcome"),
        ("shown-by = \"tset\"\nrun = \"test --test task\"", "5:12: mine: shown-by \"tset\" is none of test, hang;"),
        ("killer = \"pears: a ; C\"", "5:10: mine: there is no check \"pears\"; the checks are seeds, random, pairs"),
        ("killer = \"pairs\"", "5:10: mine: killer \"pairs\" must be a check and a program"),
        ("killer = \"pairs: a ; Y\"", "5:10: mine: `Y` is not an operation"),
        ("killer = \"pairs: aaaa ; C\"", "5:10: mine: pairs does not play \"aaaa ; C\", see docs/SCENARIOS.md"),
        ("killer = \"pairs: a ; C | A\"", "5:10: mine: pairs does not play \"a ; C | A\", but \"a ; A | C\", which"),
    ];
    for (fields, expected) in cases {
        let (told, code) = folder.verify(&bug(fields, EDIT));
        assert!(told.starts_with(&format!("error: mine.toml:{expected}")), "{told}");
        assert_eq!((told.lines().count(), code), (1, Some(2)), "{told}");
    }
}

/// The texts that crashing processes print, the rules and the words are accepted: then cargo is called.
#[test]
fn every_valid_word_is_accepted() {
    let folder = Folder::new("valid");
    let words = ["outcome", "deadlock", "P1", "P22", "SIGABRT", "overflowed its stack"]
        .map(|word| format!("shown-by = {word:?}"));
    for fields in words.into_iter().chain(["".to_owned(), "killer = \"pairs: a ; A | C\"".to_owned()]) {
        let (told, code) = folder.verify(&bug(&fields, EDIT));
        assert!(told.starts_with("error: cargo: "), "{fields}: {told}");
        assert_eq!(code, Some(2));
    }
}

/// Verifies a copy of the core with this change to a file. In place of cargo stands a command that fails with this message.
fn verify_core(name: &str, change: (&str, &str), message: &str) -> String {
    let (core, target) = (Folder::new(name), Folder::new(&format!("{name}-target")));
    let kernel = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/kernel");
    for entry in fs::read_dir(kernel).expect("it is there") {
        let entry = entry.expect("readable");
        fs::copy(entry.path(), core.0.join(entry.file_name())).expect("writable");
    }
    fs::write(core.0.join(change.0), change.1).expect("writable");
    let cargo = target.0.join("cargo");
    fs::write(&cargo, format!("#!/bin/sh\ncat >&2 <<'END'\n{message}\nEND\nexit 101\n")).expect("writable");
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o700)).expect("ours");
    let mut run = Command::new(env!("CARGO_BIN_EXE_verify"));
    run.arg("--core").arg(&core.0).args(["scenario", "a ; C"]).env("CARGO", cargo).env("CARGO_TARGET_DIR", &target.0);
    told(&run.output().expect("it starts"), &core.0).0
}

/// Cargo is not called for a core that is there already.
#[test]
fn an_extra_file_of_a_vendored_core_is_named() {
    let told = verify_core("extra", ("patched.rs", ""), "");
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].starts_with("this core is byte for byte the verified one"), "{told}");
    assert!(lines[0].ends_with(": patched.rs is not of the core"), "{told}");
    assert!(lines[1].contains("not looked at: your sync.rs"), "{told}");
    assert_eq!(lines.last(), Some(&"  ok"), "{told}");
}

const UNCLOSED: &str = "\
error: this file contains an unclosed delimiter
   --> src/kernel/../../src/kernel/drain.rs:131:3
    |
126 | impl<H> Drop for Drain<H> {
    |                           - unclosed delimiter

error: could not compile `whendone-model` (lib) due to 1 previous error";

const UNRESOLVED: &str = "\
error[E0425]: cannot find value `x` in this scope
  --> src/kernel/../../src/kernel/drain.rs:13:3

error: could not compile `whendone-model` (lib) due to 1 previous error";

/// A syntax error is told as one, and not as a missing interface.
#[test]
fn a_vendored_core_that_does_not_parse_is_told_so_with_the_place() {
    let told = verify_core("unclosed", ("drain.rs", "fn open() {"), UNCLOSED);
    let last = told.lines().last().unwrap_or_default();
    assert!(last.ends_with(" does not parse: drain.rs:131:3: this file contains an unclosed delimiter"), "{told}");
    let told = verify_core("unresolved", ("drain.rs", "x"), UNRESOLVED);
    assert!(told.contains("it must have the interface that src/kernel/mod.rs documents"), "{told}");
}
