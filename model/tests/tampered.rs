//! Copies of the core that were tampered with: each is told as what it is.

use std::fs;
use std::path::{Path, PathBuf};
use whendone_model::project::copy::folder_in_target;
use whendone_model::project::sources::Core;
use whendone_model::project::vendored::Vendored;

/// A fresh folder of a package with the core as it is.
fn copy(name: &str) -> PathBuf {
    let package = folder_in_target(&format!("tampered/{name}")).expect("writable");
    fs::remove_dir_all(&package).expect("ours");
    let kernel = package.join("src/kernel");
    fs::create_dir_all(&kernel).expect("writable");
    fs::write(package.join("Cargo.toml"), "[package]\nname = \"vendor\"\n").expect("writable");
    for (name, text) in Core::texts() {
        fs::write(package.join(name), text).expect("writable");
    }
    kernel
}

fn edit(kernel: &Path, name: &str, change: impl Fn(&str) -> String) {
    let path = kernel.join(name);
    let (text, before) = (fs::read_to_string(&path).expect("there"), fs::read_to_string(&path).expect("there"));
    let text = change(&text);
    assert_ne!(text, before, "{name} is changed");
    fs::write(path, text).expect("writable");
}

fn replace(name: &'static str, find: &'static str, by: &'static str) -> impl Fn(&Path) {
    move |kernel| edit(kernel, name, |text| text.replacen(find, by, 1))
}

/// Moves the last lines of a file to the front or the end of another.
fn shift(from: &'static str, to: &'static str, lines: usize, at_the_front: bool) -> impl Fn(&Path) {
    move |kernel| {
        let text = fs::read_to_string(kernel.join(from)).expect("there");
        let all: Vec<&str> = text.split_inclusive('\n').collect();
        let (kept, moved) = all.split_at(all.len() - lines);
        let moved = moved.concat();
        fs::write(kernel.join(from), kept.concat()).expect("writable");
        edit(kernel, to, |text| if at_the_front { moved.clone() + text } else { text.to_owned() + &moved });
    }
}

const EDITED: &str = "not the verified core";
const SAME_CODE: &str = "the code of this core is the verified one, its bytes are not";
const VERIFIED: &str = "this core is byte for byte the verified one";

/// The name, the change, the verdict, and what else must be said.
type Case = (&'static str, Box<dyn Fn(&Path)>, &'static str, &'static str);

fn cases() -> Vec<Case> {
    let crlf = |text: &str| text.replace('\n', "\r\n");
    let add = |file: &'static str| move |kernel: &Path| fs::write(kernel.join(file), "x").expect("writable");
    vec![
        ("constant", Box::new(replace("queue.rs", "FEW: usize = 8", "FEW: usize = 9")), EDITED, "queue.rs was edited"),
        (
            "operator",
            Box::new(replace("cell.rs", "self.phase != Phase::Settled", "self.phase == Phase::Settled")),
            EDITED,
            "cell.rs was edited",
        ),
        (
            "statement",
            Box::new(replace("cell.rs", "        self.phase = Phase::Draining;\n", "")),
            EDITED,
            "cell.rs was edited",
        ),
        (
            "string",
            Box::new(replace("drain.rs", "was given to another cell", "was  given to another cell")),
            EDITED,
            "drain.rs was edited",
        ),
        ("attribute", Box::new(replace("drain.rs", "    #[cold]\n", "")), EDITED, "drain.rs was edited"),
        ("visibility", Box::new(replace("cell.rs", "pub(super) serial", "pub serial")), EDITED, "cell.rs was edited"),
        (
            "two files",
            Box::new(|kernel| {
                replace("cell.rs", "last: 0", "last: 1")(kernel);
                replace("table.rs", "Settled", "Done")(kernel);
            }),
            EDITED,
            "cell.rs was edited",
        ),
        (
            "doc comment",
            Box::new(replace("mod.rs", "exactly one completion succeeds", "one completion succeeds")),
            EDITED,
            "mod.rs was edited",
        ),
        (
            "new line",
            Box::new(|kernel| edit(kernel, "mod.rs", |text| text.to_owned() + "mod more;\n")),
            EDITED,
            "mod.rs was edited",
        ),
        (
            "cut",
            Box::new(|kernel| edit(kernel, "table.rs", |text| text[..text.len() / 2].to_owned())),
            EDITED,
            "table.rs was edited",
        ),
        ("empty", Box::new(|kernel| edit(kernel, "table.rs", |_| String::new())), EDITED, "table.rs was edited"),
        (
            "moved forward",
            Box::new(shift("cell.rs", "drain.rs", 5, true)),
            EDITED,
            "text was moved between cell.rs and drain.rs",
        ),
        (
            "moved to an end",
            Box::new(shift("queue.rs", "table.rs", 3, false)),
            EDITED,
            "text was moved between queue.rs and table.rs",
        ),
        (
            "line ends",
            Box::new(move |kernel| edit(kernel, "cell.rs", crlf)),
            SAME_CODE,
            "cell.rs differs in its line ends alone",
        ),
        (
            "all line ends",
            Box::new(move |kernel| {
                Core::texts().iter().for_each(|(name, _)| edit(kernel, name.trim_start_matches("src/kernel/"), crlf));
            }),
            SAME_CODE,
            "table.rs differs in its line ends alone",
        ),
        (
            "indentation",
            Box::new(|kernel| edit(kernel, "queue.rs", |text| text.replace("    ", "\t"))),
            SAME_CODE,
            "queue.rs was reformatted",
        ),
        (
            "comment",
            Box::new(replace("cell.rs", "// ORDER: the queue is empty", "// the queue is empty")),
            SAME_CODE,
            "cell.rs was reformatted",
        ),
        (
            "trailing comma",
            Box::new(replace(
                "cell.rs",
                "State { phase: Phase::Pending, last: 0, queue: Queue::EMPTY }",
                "State { phase: Phase::Pending, last: 0, queue: Queue::EMPTY, }",
            )),
            SAME_CODE,
            "cell.rs was reformatted",
        ),
        (
            "mark of the encoding",
            Box::new(|kernel| edit(kernel, "mod.rs", |text| format!("\u{feff}{text}"))),
            SAME_CODE,
            "mod.rs was reformatted",
        ),
        ("added file", Box::new(add("patched.rs")), VERIFIED, "patched.rs is not of the core"),
        ("script in the folder", Box::new(add("build.rs")), VERIFIED, "build.rs is not of the core"),
        (
            "build script",
            Box::new(add("../../build.rs")),
            VERIFIED,
            "tampered/build script/build.rs is not of the core",
        ),
    ]
}

#[test]
fn every_tampered_copy_is_told_as_what_it_is() {
    let cases = cases();
    assert!(cases.len() >= 20);
    let recorded = Core::compiled().sha256;
    for (name, change, verdict, detail) in &cases {
        let kernel = copy(name);
        change(&kernel);
        let told = Vendored::find(&kernel, &recorded).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(told.identity.starts_with(verdict), "{name}: {}", told.identity);
        assert!(told.identity.contains(detail), "{name}: {}", told.identity);
        assert_eq!(told.is_compiled(), *verdict == VERIFIED, "{name}");
    }
}

#[test]
fn a_copy_as_it_is_needs_no_build_and_says_what_was_not_looked_at() {
    let kernel = copy("as it is");
    let told = Vendored::find(&kernel, &Core::compiled().sha256).expect("whole");
    assert!(told.is_compiled() && told.identity.starts_with(VERIFIED), "{}", told.identity);
    assert!(told.extent.contains("not looked at: your sync.rs (cargo verify facade "), "{}", told.extent);
    fs::remove_file(kernel.join("table.rs")).expect("there");
    let error = Vendored::find(&kernel, "").map(|_| ()).expect_err("a file is missing");
    assert!(error.contains("table.rs is missing"), "{error}");
}
