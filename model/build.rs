//! Plants the defects of `self_test.toml` in one copy of the core for each engine, for the self-test.
//!
//! An edit that does not match leaves its defects out, and the self-test says so: somebody else's core may differ.

use serde::Deserialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The facades, by the module of the engine whose copy of the shipped files has the same one.
const FACADES: [(&str, &str); 4] = [
    ("loom_mutex", "loom::mutex"),
    ("loom_atomic", "loom::atomic"),
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
    needs: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    file: String,
    find: String,
    replace: String,
}

fn main() {
    let model = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    let (table, source) = (model.join("self_test.toml"), model.join("../src"));
    [&table, &source].into_iter().for_each(|read| println!("cargo::rerun-if-changed={}", read.display()));
    let table: Table = toml::from_str(&read(&table)).unwrap_or_else(|error| panic!("{}: {error}", table.display()));
    let mut files = audited_files(&source);
    let unmatched: Vec<&Edit> = table.edit.iter().filter(|edit| !edit.is_made_in(&mut files)).collect();
    lay(&out.join("defective"), &files);
    let (planted, left_out): (Vec<&Defect>, Vec<&Defect>) =
        table.defect.iter().partition(|defect| !unmatched.iter().any(|edit| edit.replace.contains(&defect.switch())));
    let mut text = String::new();
    for (name, engine) in FACADES {
        text += &module(name, engine, &out.join("defective/src"), &files, &model.join("src/engines/player/mod.rs"));
    }
    text += "/// The defects that are planted.\npub const DEFECTS: &[Defect] = &[\n";
    for Defect { id, shown_by, why, program, needs } in planted {
        writeln!(
            text,
            "    Defect {{ id: {id:?}, shown_by: {shown_by:?}, why: {why:?}, program: {program:?}, needs: {needs:?} }},"
        )
        .expect("strings can be written");
    }
    let left_out: Vec<&str> = left_out.iter().map(|defect| defect.id.as_str()).collect();
    writeln!(text, "];\n\n/// Those whose edits do not match this core.\npub const LEFT_OUT: &[&str] = &{left_out:?};")
        .expect("strings can be written");
    fs::write(out.join("defects.rs"), text).expect("OUT_DIR can be written");
}

impl Defect {
    /// The text that an edit of this defect contains.
    fn switch(&self) -> String {
        format!("is_on({:?})", self.id)
    }
}

impl Edit {
    /// Makes this edit, if it matches exactly once.
    fn is_made_in(&self, files: &mut [(String, String)]) -> bool {
        let Some((_, text)) = files.iter_mut().find(|(name, _)| *name == self.file) else { return false };
        let matches = text.matches(&self.find).count() == 1;
        if matches {
            let replace = self.replace.replace("is_on(", "whendone_model::engines::defects::is_on(");
            *text = text.replace(&self.find, &replace);
        }
        matches
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files that the engines compile, with their texts: the kernel and the task layer, without the facade and the root.
fn audited_files(source: &Path) -> Vec<(String, String)> {
    let in_folder = |folder: &str| {
        let entries = fs::read_dir(source.join(folder)).expect("the folder is there");
        let names = entries.map(|entry| entry.expect("readable").file_name().into_string().expect("plain names"));
        names.map(|name| format!("{folder}{name}")).collect::<Vec<_>>()
    };
    let mut files = [in_folder(""), in_folder("kernel/")].concat();
    files.retain(|file| file.ends_with(".rs") && !["lib.rs", "sync.rs"].contains(&file.as_str()));
    files.sort();
    files.iter().map(|file| (format!("src/{file}"), read(&source.join(file)))).collect()
}

/// Writes the files below this folder.
fn lay(folder: &Path, files: &[(String, String)]) {
    fs::create_dir_all(folder.join("src/kernel")).expect("OUT_DIR can be written");
    files.iter().for_each(|(name, text)| fs::write(folder.join(name), text).expect("OUT_DIR can be written"));
}

/// The module that compiles them with the facade of this engine, beside the player.
fn module(name: &str, engine: &str, source: &Path, files: &[(String, String)], player: &Path) -> String {
    let mut text = format!("#[allow(warnings, clippy::all)]\nmod {name} {{\n");
    text += &format!("    pub use crate::engines::{engine}::{{stage, sync}};\n");
    let mut include = |name: &str, path: &Path| {
        writeln!(text, "    #[path = {path:?}]\n    pub mod {name};").expect("strings can be written");
    };
    include("kernel", &source.join("kernel/mod.rs"));
    include("player", player);
    for file in files.iter().filter_map(|(file, _)| file.strip_prefix("src/")).filter(|file| !file.contains('/')) {
        include(file.trim_end_matches(".rs"), &source.join(file));
    }
    text + "}\n\n"
}
