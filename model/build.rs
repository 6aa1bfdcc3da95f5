//! Plants the seeded bugs of `mutants.toml` in copies of the audited files.

use serde::Deserialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[derive(Deserialize)]
struct Table {
    mutant: Vec<Mutant>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Mutant {
    id: String,
    breaks: String,
    shown_by: String,
    why: String,
    edit: Vec<Edit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    file: String,
    find: String,
    replace: String,
}

/// What the engines include, see `src/engines`.
const AUDITED: [&str; 17] = [
    "callback.rs",
    "completer.rs",
    "contain.rs",
    "hook.rs",
    "kernel/cell.rs",
    "kernel/drain.rs",
    "kernel/mod.rs",
    "kernel/queue.rs",
    "kernel/table.rs",
    "outcome.rs",
    "report.rs",
    "schedule.rs",
    "task.rs",
    "trampoline.rs",
    "wait.rs",
    // Not audited, but included beside them.
    "../model/src/engines/play.rs",
    "../model/mutants.toml",
];

fn main() {
    let model = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    let source = model.join("../src");
    for file in AUDITED {
        println!("cargo::rerun-if-changed={}", source.join(file).display());
    }
    let table = fs::read_to_string(model.join("mutants.toml")).expect("mutants.toml can be read");
    let table: Table = toml::from_str(&table).unwrap_or_else(|error| panic!("mutants.toml: {error}"));
    let mut modules = String::new();
    let mut entries = String::new();
    for mutant in &table.mutant {
        let folder = out.join("mutants").join(&mutant.id);
        plant(mutant, &source, &folder);
        modules += &module(&mutant.id, &folder, &model);
        let Mutant { id, breaks, shown_by, why, .. } = mutant;
        let entry = format!(
            "Mutant {{ id: {id:?}, breaks: {breaks:?}, shown_by: {shown_by:?}, why: {why:?}, play: {id}::play::play }},"
        );
        writeln!(entries, "    {entry}").expect("strings can be written");
    }
    let text = format!("{modules}\nconst MUTANTS: &[Mutant] = &[\n{entries}];\n");
    fs::write(out.join("mutants.rs"), text).expect("OUT_DIR can be written");
}

/// Writes the audited files with this mutant's edits.
fn plant(mutant: &Mutant, source: &Path, folder: &Path) {
    fs::create_dir_all(folder.join("kernel")).expect("OUT_DIR can be written");
    for file in AUDITED.iter().filter(|file| !file.starts_with("..")) {
        let mut text = fs::read_to_string(source.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        for edit in mutant.edit.iter().filter(|edit| edit.file == *file) {
            let matches = text.matches(&edit.find).count();
            assert!(matches == 1, "mutant {}: `{}` is found {matches} times in {file}, not once", mutant.id, edit.find);
            text = text.replace(&edit.find, &edit.replace);
        }
        fs::write(folder.join(file), text).expect("OUT_DIR can be written");
    }
    for edit in &mutant.edit {
        assert!(AUDITED.contains(&edit.file.as_str()), "mutant {}: there is no file {}", mutant.id, edit.file);
    }
}

/// The module that compiles them under loom, like `src/engines/loom_mutex.rs`.
fn module(id: &str, folder: &Path, model: &Path) -> String {
    let mut text = format!("#[allow(dead_code, unused_imports, unused_mut)]\npub mod {id} {{\n");
    text += "    pub use whendone_model::engines::loom_mutex::{stage, sync};\n";
    let mut include = |name: &str, path: &Path| {
        writeln!(text, "    #[path = {path:?}]\n    pub mod {name};").expect("strings can be written");
    };
    include("kernel", &folder.join("kernel/mod.rs"));
    include("play", &model.join("src/engines/play.rs"));
    for file in AUDITED.iter().filter(|file| !file.contains('/')) {
        include(file.trim_end_matches(".rs"), &folder.join(file));
    }
    text + "}\n"
}
