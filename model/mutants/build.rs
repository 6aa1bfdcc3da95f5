//! Plants the seeded bugs of `mutants.toml` in copies of the audited files.
//!
//! A bug whose edit does not match is not built but listed as stale, and the test fails on it: so
//! whoever edits the core can still run everything else.

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

fn main() {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    let source = here.join("../../src");
    let player = here.join("../src/engines/play.rs");
    let table = here.join("mutants.toml");
    [&source, &player, &table].into_iter().for_each(|read| println!("cargo::rerun-if-changed={}", read.display()));
    let table = fs::read_to_string(table).expect("mutants.toml can be read");
    let table: Table = toml::from_str(&table).unwrap_or_else(|error| panic!("mutants.toml: {error}"));
    let audited = audited_files(&source);
    let (mut modules, mut entries, mut stale) = (String::new(), String::new(), Vec::new());
    for Mutant { id, breaks, shown_by, why, edit } in &table.mutant {
        let folder = out.join("mutants").join(id);
        match plant(edit, &audited, &folder) {
            Ok(()) => {
                modules += &module(id, &audited, &folder, &player);
                let text = format!("id: {id:?}, breaks: {breaks:?}, shown_by: {shown_by:?}, why: {why:?}");
                writeln!(entries, "    Mutant {{ {text}, play: {id}::play::play }},").expect("strings can be written");
            }
            Err(mismatch) => stale.push(format!("{id}: {mismatch}")),
        }
    }
    let text = format!(
        "{modules}\npub const MUTANTS: &[Mutant] = &[\n{entries}];\n\n\
         /// Bugs whose edit matches no longer, and why.\npub const STALE: &[&str] = &{stale:?};\n"
    );
    fs::write(out.join("mutants.rs"), text).expect("OUT_DIR can be written");
}

/// What the engines include, with its text: all but the facade, the loop and the root.
fn audited_files(source: &Path) -> Vec<(String, String)> {
    let in_folder = |folder: &str| {
        let entries = fs::read_dir(source.join(folder)).expect("the folder is there");
        let names = entries.map(|entry| entry.expect("readable").file_name().into_string().expect("plain names"));
        names.map(|name| format!("{folder}{name}")).collect::<Vec<_>>()
    };
    let mut files = [in_folder(""), in_folder("kernel/")].concat();
    files.retain(|file| file.ends_with(".rs") && !["lib.rs", "sync.rs"].contains(&file.as_str()));
    files.sort();
    let text = |file: &str| fs::read_to_string(source.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    files.into_iter().map(|file| (file.clone(), text(&file))).collect()
}

/// Writes the audited files with these edits, each of which must match once.
fn plant(edits: &[Edit], audited: &[(String, String)], folder: &Path) -> Result<(), String> {
    let mut files = audited.to_vec();
    for Edit { file, find, replace } in edits {
        let found = files.iter_mut().find(|(name, _)| name == file);
        let (_, text) = found.ok_or_else(|| format!("there is no audited file {file}"))?;
        match text.matches(find.as_str()).count() {
            1 => *text = text.replace(find, replace),
            matches => return Err(format!("found {matches} times in src/{file}, not once:\n{find}")),
        }
    }
    fs::create_dir_all(folder.join("kernel")).expect("OUT_DIR can be written");
    files.into_iter().for_each(|(name, text)| fs::write(folder.join(name), text).expect("OUT_DIR can be written"));
    Ok(())
}

/// The module that compiles them under loom, as `src/engines/loom_mutex.rs` of the model does.
fn module(id: &str, audited: &[(String, String)], folder: &Path, player: &Path) -> String {
    let mut text = format!("#[allow(dead_code, unused_imports, unused_mut)]\npub mod {id} {{\n");
    text += "    pub use whendone_model::engines::loom_mutex::{stage, sync};\n";
    let mut include = |name: &str, path: &Path| {
        writeln!(text, "    #[path = {path:?}]\n    pub mod {name};").expect("strings can be written");
    };
    include("kernel", &folder.join("kernel/mod.rs"));
    include("play", player);
    for (file, _) in audited.iter().filter(|(file, _)| !file.contains('/')) {
        include(file.trim_end_matches(".rs"), &folder.join(file));
    }
    text + "}\n"
}
