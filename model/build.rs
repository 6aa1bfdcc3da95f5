//! Plants the defects of `self_test.toml` in one copy of the core for each engine, for the self-test.
//!
//! An edit that does not match leaves its defects out, and the self-test says so: somebody else's core may differ.

mod origin;
mod planting;
#[path = "src/project/table.rs"]
#[allow(dead_code)]
mod table;

use origin::Origin;
use planting::{audited_files, lay, module};
use serde::Deserialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};
use table::File;

/// The facades, by the module of the engine whose copy of the shipped files has the same one.
const FACADES: [(&str, &str); 6] = [
    ("loom_mutex", "loom::mutex"),
    ("loom_atomic", "loom::atomic"),
    ("loom_futex", "futex::engine"),
    ("sections", "sections::engine"),
    ("shuttle", "shuttle::engine"),
    ("threads", "threads::engine"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    defect: Vec<Defect>,
    edit: Vec<Edit>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Defect {
    id: String,
    shown_by: String,
    why: String,
    program: String,
    needs: Option<Needs>,
}

/// `Needs` of `src/engines/defects.rs`, into whose names it is printed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Needs {
    Races,
    Loom,
    Protocol,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    file: String,
    find: String,
    replace: String,
}

fn main() {
    let rustc = Command::new(env::var_os("RUSTC").expect("set by cargo")).arg("--version").output().expect("it starts");
    let version = String::from_utf8_lossy(&rustc.stdout);
    println!("cargo::rustc-env=WHENDONE_RUSTC={}", version.trim().trim_start_matches("rustc "));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    let origin = Origin::find();
    origin.tell(&out);
    let Origin { root, model, .. } = origin;
    let (path, source) = (model.join("self_test.toml"), root.join("src"));
    [&path, &source].into_iter().for_each(|read| println!("cargo::rerun-if-changed={}", read.display()));
    let text = fs::read_to_string(&path).expect("self_test.toml can be read");
    let table: Table = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut files = audited_files(&root);
    let unmatched: Vec<&Edit> = table.edit.iter().filter(|edit| !edit.is_made_in(&mut files)).collect();
    let copy = out.join("defective");
    lay(&copy, &files);
    let (planted, left_out): (Vec<&Defect>, Vec<&Defect>) =
        table.defect.iter().partition(|defect| !unmatched.iter().any(|edit| edit.replace.contains(&defect.switch())));
    let mut text = String::new();
    for (name, engine) in FACADES {
        let mut players = vec![("player", model.join("src/engines/player/mod.rs"))];
        if name == "sections" {
            players.push(("lockstep", model.join("src/engines/sections/lockstep.rs")));
        }
        text += &module(name, engine, (&copy, &files), &players);
    }
    text += "/// The defects that are planted.\npub const DEFECTS: &[Defect] = &[\n";
    for Defect { id, shown_by, why, program, needs } in planted {
        let needs = needs.as_ref().map_or("None".to_owned(), |needs| format!("Some(Needs::{needs:?})"));
        writeln!(
            text,
            "    Defect {{ id: {id:?}, shown_by: {shown_by:?}, why: {why:?}, program: {program:?}, needs: {needs} }},"
        )
        .expect("strings can be written");
    }
    let left_out: Vec<&str> = left_out.iter().map(|defect| defect.id.as_str()).collect();
    writeln!(text, "];\n\n/// Those whose edits do not match this core.\npub const LEFT_OUT: &[&str] = &{left_out:?};")
        .expect("strings can be written");
    fs::write(out.join("defects.rs"), text).expect("OUT_DIR can be written");
    plant_small_queue(&root, &out);
}

/// Makes the copy of the queue whose constants are so small that a few operations reach its thresholds.
fn plant_small_queue(root: &Path, out: &Path) {
    const SMALL: [(&str, &str); 2] =
        [("const FEW: usize = 8;", "const FEW: usize = 2;"), ("const SLACK: usize = 32;", "const SLACK: usize = 1;")];
    let mut text = fs::read_to_string(root.join("src/kernel/queue.rs")).expect("the queue is there");
    let is_edited = SMALL.iter().all(|(find, _)| text.matches(find).count() == 1);
    SMALL.iter().for_each(|(find, small)| text = text.replace(find, small));
    let path = out.join("small.rs");
    fs::write(&path, text).expect("OUT_DIR can be written");
    let slack = if is_edited { 1 } else { 32 };
    let module = format!(
        "#[allow(dead_code)]\n#[path = {path:?}]\nmod small;\n\n/// `SLACK` of the copy.\nconst SMALL_SLACK: usize = {slack};\n\n\
         /// Whether the edits matched: somebody else's queue may have other constants.\nconst IS_SMALL: bool = {is_edited};\n"
    );
    fs::write(out.join("small_queue.rs"), module).expect("OUT_DIR can be written");
}

impl Defect {
    /// The text that an edit of this defect contains.
    fn switch(&self) -> String {
        format!("is_on({:?})", self.id)
    }
}

impl Edit {
    /// Makes this edit, if it matches exactly once.
    fn is_made_in(&self, files: &mut [File]) -> bool {
        let Some((_, text)) = files.iter_mut().find(|(name, _)| *name == self.file) else { return false };
        let matches = text.matches(&self.find).count() == 1;
        if matches {
            let replace = self.replace.replace("is_on(", "whendone_model::engines::defects::is_on(");
            *text = text.replace(&self.find, &replace);
        }
        matches
    }
}
