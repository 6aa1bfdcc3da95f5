//! The house test: the promises of the source tree about itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use whendone_model::project::sources::{Core, code_lines};
use whendone_model::runner::baseline::Baseline;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every Rust file below a folder, by its path from the root.
fn sources(folder: &str) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut open = vec![PathBuf::from(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(root().join(&folder)).expect("the folder is there") {
            let entry = entry.expect("readable");
            let path = folder.join(entry.file_name());
            if entry.file_type().expect("readable").is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.to_str().expect("plain names").to_owned();
                files.insert(name.clone(), read(&name));
            }
        }
    }
    files
}

/// The file's lines of code, without comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.starts_with("//"))
}

/// The numbers after a letter, as in P7 or P1-P11.
fn properties(text: &str) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut range_from = None;
    for (at, _) in text.match_indices('P') {
        if text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
            continue;
        }
        let rest = &text[at + 1..];
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let Ok(number) = digits.parse::<u32>() else { continue };
        let range = range_from.take().filter(|_| text[..at].ends_with('-'));
        found.extend(range.unwrap_or(number)..=number);
        range_from = rest[digits.len()..].starts_with('-').then_some(number);
    }
    found
}

#[test]
fn the_core_is_small_enough_to_read_in_one_sitting() {
    let lines = Core::compiled().code_lines;
    assert!(lines <= 450, "src/kernel has {lines} lines of code");
    let counted: usize = sources("src/kernel").values().map(|text| code_lines(text)).sum();
    assert_eq!(lines, counted, "every file of the core is in the digest");
    assert!(read("README.md").contains(&format!("{lines} lines of code")), "the README says how many: {lines}");
}

/// A vendored folder: nothing but `alloc`, `core` and the facade, named by relative paths.
#[test]
fn the_core_depends_on_its_facade_alone() {
    for (name, text) in sources("src/kernel") {
        for line in code(&text) {
            let line = line.trim_start_matches("pub ");
            for forbidden in ["std::", "crate::", "unsafe", "cfg", "Atomic", "Ordering", "include_str!", "dyn "] {
                assert!(!line.contains(forbidden), "{name}: `{forbidden}` in {line}");
            }
            if let Some(path) = line.strip_prefix("use ") {
                let known = ["super::", "core::", "cell::", "drain::", "queue::", "table::", "self::"];
                assert!(known.iter().any(|known| path.starts_with(known)), "{name}: {line}");
                let above = path.starts_with("super::super::");
                assert!(!above || path.starts_with("super::super::sync::"), "{name}: {line}");
            }
        }
    }
}

#[test]
fn the_engines_compile_the_files_that_ship() {
    // Relative to a module of an engine, three folders below `model`.
    let shipped = |path: &str| path.strip_prefix("../../../../").map(str::to_owned);
    let mut compiled = BTreeSet::new();
    for (name, text) in sources("model/src/engines") {
        for line in code(&text) {
            let Some(path) = line.strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix("\"]")) else {
                continue;
            };
            let Some(file) = shipped(path) else {
                assert!(!path.contains("src/"), "{name} compiles {path}, which is no file of `src`");
                continue;
            };
            assert!(file.starts_with("src/") && !file.contains(".."), "{name} compiles {path}, which does not ship");
            compiled.insert(file);
        }
    }
    let modules = |file: &&String| file.matches('/').count() == 1 || file.ends_with("/mod.rs");
    let engines_own = ["src/lib.rs", "src/sync.rs"];
    let all: BTreeSet<String> = sources("src").into_keys().filter(|file| modules(&file)).collect();
    let missing: Vec<_> = all.difference(&compiled).filter(|file| !engines_own.contains(&file.as_str())).collect();
    assert!(missing.is_empty(), "no engine compiles {missing:?}");
}

/// The files of `src`: each imports only earlier files. Files on one line import each other in a circle, for a reason.
const FLOORS: &[&[&str]] = &[
    &["sync"],
    &["kernel/table"],
    &["kernel/queue"],
    // One protocol in two files: completing a cell returns a drain, and a drain looks into its cell.
    &["kernel/cell", "kernel/drain"],
    &["kernel"],
    &["panic"],
    &["outcome"],
    &["report"],
    &["hook"],
    &["id"],
    &["quote"],
    &["schedule"],
    &["serial"],
    &["trampoline"],
    &["waiter"],
    &["task"],
    &["identity"],
    &["callback"],
    &["completer"],
    &["wait"],
    &["event_loop/fused"],
    &["event_loop/state"],
    &["event_loop/name"],
    // Ownership: an entry owns a task of the loop, which owns a handle, which owns the queue of entries.
    &["event_loop/current", "event_loop/entry", "event_loop/handle", "event_loop/task", "event_loop/timers"],
    &["event_loop/run"],
    &["event_loop"],
];

#[test]
fn imports_point_in_one_direction() {
    let modules: BTreeMap<String, String> =
        sources("src").into_iter().map(|(name, text)| (module(&name).to_owned(), text)).collect();
    let floor = |module: &str| FLOORS.iter().position(|floor| floor.contains(&module));
    for (name, text) in modules.iter().filter(|(name, _)| *name != "lib") {
        let own = floor(name).unwrap_or_else(|| panic!("src/{name} is on no floor"));
        let imported: BTreeSet<String> = named_above(name, &code(text).collect::<String>()).into_iter().collect();
        let imported: Vec<&String> = imported.iter().filter(|import| modules.contains_key(*import)).collect();
        for import in &imported {
            assert!(
                floor(import).is_some_and(|floor| floor <= own),
                "src/{name} imports {import}, which lies above it"
            );
        }
        let in_circle = imported.iter().any(|import| *import != name && floor(import) == Some(own));
        assert_eq!(in_circle, FLOORS[own].len() > 1, "src/{name} is in the circle of its floor: {imported:?}");
        let absolute = code(text).find(|line| line.starts_with("use crate::"));
        assert_eq!(absolute, None, "src/{name} names its neighbours by relative paths");
    }
    assert_eq!(FLOORS.iter().map(|floor| floor.len()).sum::<usize>(), modules.len() - 1, "each floor has its files");
}

/// The module of a file: `src/kernel/mod.rs` is `kernel`.
fn module(file: &str) -> &str {
    let name = file.trim_start_matches("src/").trim_end_matches(".rs");
    name.strip_suffix("/mod").unwrap_or(name)
}

/// The modules that the code of this module names by `super::`, alone or in braces, as far as they are of this crate.
fn named_above(module: &str, code: &str) -> Vec<String> {
    let mut named = Vec::new();
    let mut rest = code;
    while let Some((_, path)) = rest.split_once("super::") {
        let supers = 1 + path.split("super::").take_while(|between| between.is_empty()).count();
        let path = path.trim_start_matches("super::");
        let folder = module.rsplitn(supers + 1, '/').nth(supers);
        let below = |name: &str| folder.map_or_else(|| name.to_owned(), |folder| format!("{folder}/{name}"));
        let first = |path: &str| path.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().map(below);
        match path.strip_prefix('{') {
            Some(listed) => {
                named.extend(listed.split(';').take(1).flat_map(|listed| listed.split(',')).filter_map(first))
            }
            None => named.extend(first(path)),
        }
        rest = path;
    }
    named
}

#[test]
fn imports_are_read_alone_in_braces_and_from_two_folders_up() {
    assert_eq!(named_above("task", "use super::kernel::{Added, Cell};"), ["kernel"]);
    assert_eq!(named_above("event_loop/run", "use super::super::sync::Arc;"), ["sync"]);
    assert_eq!(named_above("event_loop/run", "use super::handle::Handle;"), ["event_loop/handle"]);
    let listed = named_above("kernel/drain", "use super::{ cell::Cell, queue::Batch}; use core::{fmt, mem};");
    assert_eq!(listed, ["kernel/cell", "kernel/queue"]);
}

/// The folders of `model/src`, in the order in which a scenario passes them: each imports only earlier folders.
/// `project`, the files of the project as data, is the ground floor.
const FOLDERS: [&str; 15] = [
    "project",
    "vendoring",
    "scenario",
    "observation",
    "universe",
    "spec",
    "protocol",
    "engines",
    "proof",
    "check",
    "counterexample",
    "fuzzing",
    "runner",
    "soundness",
    "bin",
];

#[test]
fn folders_of_the_model_import_only_earlier_ones() {
    let place = |folder: &str| FOLDERS.iter().position(|known| *known == folder);
    let files = sources("model/src");
    let mut seen = BTreeSet::new();
    for (name, text) in files.iter().filter(|(name, _)| *name != "model/src/lib.rs") {
        let folder = name.split('/').nth(2).expect("it lies in a folder");
        let own = place(folder).unwrap_or_else(|| panic!("{name} lies in none of the folders"));
        seen.insert(folder);
        for import in folders_named(&code(text).collect::<Vec<_>>().join("\n")) {
            let imported = place(&import).unwrap_or_else(|| panic!("{name} imports {import}, which is no folder"));
            assert!(imported <= own, "{name} imports {import}, which comes later in the order of flow");
        }
    }
    assert_eq!(seen, FOLDERS.into_iter().collect(), "each folder has files");
    assert_eq!(
        folders_named("use crate::spec::cell; x(whendone_model::check::all); other_crate::spec"),
        ["spec", "check"]
    );
    assert_eq!(folders_named("use crate::{spec, check::fault};"), ["spec", "check"]);
}

/// The modules that code names behind `crate::` or the crate's own name, alone or first in braces.
fn folders_named(code: &str) -> Vec<String> {
    let mut named = Vec::new();
    for root in ["crate::", "whendone_model::"] {
        for (at, _) in code.match_indices(root) {
            if code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':') {
                continue;
            }
            let rest = &code[at + root.len()..];
            let listed = rest.strip_prefix('{').map(|listed| listed.split('}').next().unwrap_or_default());
            let first = |path: &str| -> String {
                path.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
            };
            match listed {
                Some(listed) => named.extend(listed.split(',').map(first)),
                None => named.push(first(rest)),
            }
        }
    }
    named
}

#[test]
fn no_file_of_the_model_is_longer_than_450_lines() {
    for (name, text) in sources("model/src") {
        let lines = text.lines().count();
        assert!(lines <= 450, "{name} has {lines} lines");
    }
}

/// Only the facade names std's primitives. The hook of the process is a static, which no model owns.
#[test]
fn primitives_are_named_in_the_facade_alone() {
    for (name, text) in sources("src") {
        for primitive in ["std::sync::", "std::thread", "crossbeam_channel", "Atomic"] {
            let named = code(&text).any(|line| line.contains(primitive));
            let may = name == "src/sync.rs" || (name == "src/hook.rs" && primitive == "std::sync::");
            assert!(!named || may, "{name} names {primitive}");
        }
    }
}

/// The places that take a lock, with their counts. In the kernel each lock section is one statement, but that of an add: its
/// two ends differ in who has the callback, and one statement for both takes eight instructions more. Elsewhere the end of a
/// guard's life is visible in the source, so that no caller's code runs under it (P13).
#[test]
fn locks_are_taken_in_few_places() {
    let mut taken = BTreeMap::new();
    for (name, text) in sources("src") {
        let locks: Vec<&str> = code(&text).filter(|line| line.contains(".lock()")).collect();
        for line in &locks {
            let lives_on = ["write!(", "format!(", "println!(", "match ", "for ", "if let ", "while let "];
            assert!(!lives_on.iter().any(|lives_on| line.contains(lives_on)), "{name}: {line}");
            // A value that a statement does not bind is dropped under the guard of that statement.
            let is_bound = !line.ends_with(';') || line.contains("let ") || line.contains(" = ");
            assert!(is_bound, "{name}: {line}");
        }
        if !locks.is_empty() {
            taken.insert(name, locks.len());
        }
    }
    let places: Vec<_> = taken.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    let expected = [
        ("src/event_loop/handle.rs", 3),
        ("src/event_loop/run.rs", 7),
        ("src/event_loop/task.rs", 11),
        ("src/event_loop/timers.rs", 3),
        ("src/kernel/cell.rs", 9),
        ("src/kernel/drain.rs", 2),
        ("src/panic.rs", 2),
        ("src/serial.rs", 3),
        ("src/sync.rs", 4),
    ];
    assert_eq!(places, expected);
    let kernel = sources("src/kernel");
    let kept: Vec<&str> =
        kernel.values().flat_map(|text| code(text).filter(|line| line.ends_with(".lock();"))).collect();
    assert_eq!(kept, ["let mut state = self.state.lock();"], "a lock section is one call");
}

#[test]
fn there_is_no_unsafe_code() {
    assert!(read("src/lib.rs").contains("#![forbid(unsafe_code)]"));
    assert!(read("model/src/lib.rs").contains("#![forbid(unsafe_code)]"));
}

/// `cargo verify --accept` records which core it has verified.
#[test]
fn the_core_is_the_one_that_was_verified() {
    let recorded = Baseline::read().expect("model/pinned.json").core;
    assert_eq!(Core::compiled().sha256, recorded, "verify it, and record it: cargo verify --accept");
}

/// Every property that the core promises is checked by name somewhere, and none is invented.
#[test]
fn property_numbers_exist_on_both_sides() {
    let promised = properties(&read("src/kernel/mod.rs"));
    let mut checked = BTreeSet::new();
    for folder in ["tests", "model/src", "model/tests"] {
        sources(folder).into_iter().filter(|(name, _)| name != "tests/house.rs").for_each(|(_, text)| {
            checked.extend(properties(&text));
        });
    }
    let unchecked: Vec<_> = promised.difference(&checked).collect();
    assert!(unchecked.is_empty(), "promised and not checked by name: {unchecked:?}");
    let invented: Vec<_> = checked.iter().filter(|number| !(1..=22).contains(*number)).collect();
    assert!(invented.is_empty(), "checked and never promised: {invented:?}");
    assert_eq!(properties("P3, (P1-P4) P20; not XP9 nor PX"), BTreeSet::from([1, 2, 3, 4, 20]));
}

/// The labels that `CONTRIBUTING.md` explains are used in `src`, and no others.
#[test]
fn comment_labels_are_the_ones_that_are_explained() {
    let contributing = read("CONTRIBUTING.md");
    let explained: BTreeSet<&str> = contributing.split('`').skip(1).step_by(2).filter_map(label).collect();
    let sources = sources("src");
    let comments = sources.values().flat_map(|text| text.lines()).filter_map(|line| line.split_once("//"));
    let used: BTreeSet<&str> = comments.filter_map(|(_, comment)| label(comment)).collect();
    assert!(!explained.is_empty());
    assert_eq!(used, explained, "labels in src, and in CONTRIBUTING.md");
    assert_eq!(["/ ORDER: a", "! ONE: b"].map(label), [Some("ORDER"), Some("ONE")]);
    assert!([" P7: c", "ORDER", " Why: d", "P1-P22: e"].into_iter().all(|comment| label(comment).is_none()));
}

/// The word in capitals and a colon at the beginning of a comment.
fn label(comment: &str) -> Option<&str> {
    let (word, _) = comment.trim_start_matches(['/', '!', ' ']).split_once(':')?;
    (word.len() > 1 && word.bytes().all(|letter| letter.is_ascii_uppercase())).then_some(word)
}

/// One noun a file, one sentence on top.
#[test]
fn every_file_begins_with_a_sentence_about_itself() {
    for folder in ["src", "model/src", "tests", "examples"] {
        for (name, text) in sources(folder) {
            let compile_fail = name.starts_with("tests/compile_fail/");
            assert!(compile_fail || text.starts_with("//! "), "{name} does not");
        }
    }
}

/// Neither tests nor benches sleep to wait for something.
#[test]
fn nothing_sleeps_on_a_thread() {
    for folder in ["src", "model", "tests", "examples", "benches", "fuzz/fuzz_targets"] {
        for (name, text) in sources(folder) {
            // A receiver with a time limit waits itself.
            let waits = name == "examples/adapters/src/oneshot.rs";
            assert_eq!(code(&text).find(|line| sleeps(line) && !waits), None, "{name}");
        }
    }
    let of_threads = ["sleep(nap)", "{self, sleep}", "sleep_until(then)", "park_timeout(nap)"];
    assert!(of_threads.iter().all(|call| sleeps(&["thread", call].join("::"))));
    assert!(!sleeps("handle.sleep(nap)"));
    assert!(!sleeps("thread::spawn(sleeper)"));
}

/// Returns true if a line calls a function of `thread` that sleeps, or imports one.
fn sleeps(line: &str) -> bool {
    let words: Vec<&str> = line.split(|letter: char| !letter.is_alphanumeric() && letter != '_').collect();
    let naps = ["sleep", "sleep_ms", "sleep_until", "park_timeout", "park_timeout_ms"];
    words.contains(&"thread") && naps.iter().any(|nap| words.contains(nap))
}
