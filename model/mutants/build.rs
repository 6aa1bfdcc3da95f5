//! Plants the seeded bugs that scenarios can see in copies of the audited files.
//!
//! A bug whose edit does not match is not built but listed as stale, which fails `cargo verify mutants`
//! and a test: so whoever edits the core can still run everything else.

#[path = "src/table.rs"]
#[allow(dead_code)]
mod table;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};
use table::{File, Table};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo")).join("../..");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    let (source, player, table) = (root.join("src"), root.join("model/src/engines/play.rs"), Table::path());
    [&source, &player, &table].into_iter().for_each(|read| println!("cargo::rerun-if-changed={}", read.display()));
    println!("cargo::rerun-if-env-changed=WHENDONE_MUTANTS");
    let table = Table::read(&table).unwrap_or_else(|error| panic!("{error}"));
    let audited = audited_files(&source);
    let (mut modules, mut entries, mut stale) = (String::new(), String::new(), Vec::new());
    for mutant in table.mutants.iter().filter(|mutant| mutant.run.is_none()) {
        let id = &mutant.id;
        match mutant.plant(&audited) {
            Ok(files) => {
                let folder = out.join("mutants").join(id);
                fs::create_dir_all(folder.join("src/kernel")).expect("OUT_DIR can be written");
                files
                    .iter()
                    .for_each(|(name, text)| fs::write(folder.join(name), text).expect("OUT_DIR can be written"));
                modules += &module(id, &audited, &folder, &player);
                writeln!(entries, "    ({id:?}, {id}::play::play),").expect("strings can be written");
            }
            Err(mismatch) => stale.push(mismatch),
        }
    }
    let protocols = plant_protocols(&root, &out, &mut modules, &mut stale);
    let text = format!(
        "{modules}\n/// Seeded bugs that can be played.\npub const PLANTED: &[(&str, Engine)] = &[\n{entries}];\n\n\
         /// Bugs of the protocol: the claim that begins like this and does not hold, and the way to where it does not.\n\
         pub const PROTOCOLS: &[(&str, Explored)] = &[\n{protocols}];\n\n\
         /// Bugs whose edit matches no longer, and why.\npub const STALE: &[&str] = &{stale:?};\n"
    );
    fs::write(out.join("mutants.rs"), text).expect("OUT_DIR can be written");
}

/// The bugs of the protocol, in copies of it beside what is claimed of it.
fn plant_protocols(root: &Path, out: &Path, modules: &mut String, stale: &mut Vec<String>) -> String {
    let (table, source) = (root.join("model/mutants/protocol.toml"), root.join("model/src"));
    let read = |file: &str| {
        let path = root.join(file);
        println!("cargo::rerun-if-changed={}", path.display());
        (file.to_owned(), fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}")))
    };
    println!("cargo::rerun-if-changed={}", table.display());
    let files = ["model/src/protocol.rs", "model/proof/protocol.smt2"].map(read);
    let mut entries = String::new();
    for bug in &Table::read(&table).unwrap_or_else(|error| panic!("{error}")).mutants {
        let id = &bug.id;
        match bug.plant(&files) {
            Ok(planted) => {
                let protocol = out.join(format!("protocol_{id}.rs"));
                fs::write(&protocol, &planted[0].1).expect("OUT_DIR can be written");
                let (claims, words) = (source.join("claims.rs"), source.join("words.rs"));
                writeln!(
                    modules,
                    "#[allow(warnings, clippy::all)]\npub mod protocol_{id} {{\n    #[path = {protocol:?}]\n    pub mod protocol;\n    \
                     #[path = {claims:?}]\n    pub mod claims;\n    #[path = {words:?}]\n    pub mod words;\n}}"
                )
                .expect("strings can be written");
                writeln!(entries, "    ({id:?}, protocol_{id}::claims::broken),").expect("strings can be written");
            }
            Err(mismatch) => stale.push(mismatch),
        }
    }
    entries
}

/// What the engines include, with its text: all but the facade, the loop and the root.
fn audited_files(source: &Path) -> Vec<File> {
    let in_folder = |folder: &str| {
        let entries = fs::read_dir(source.join(folder)).expect("the folder is there");
        let names = entries.map(|entry| entry.expect("readable").file_name().into_string().expect("plain names"));
        names.map(|name| format!("{folder}{name}")).collect::<Vec<_>>()
    };
    let mut files = [in_folder(""), in_folder("kernel/")].concat();
    files.retain(|file| file.ends_with(".rs") && !["lib.rs", "sync.rs"].contains(&file.as_str()));
    files.sort();
    let text = |file: &str| fs::read_to_string(source.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    files.iter().map(|file| (format!("src/{file}"), text(file))).collect()
}

/// The module that compiles them under loom, as `src/engines/loom_mutex.rs` of the model does.
fn module(id: &str, audited: &[File], folder: &Path, player: &Path) -> String {
    let mut text = format!("#[allow(warnings, clippy::all)]\npub mod {id} {{\n");
    text += "    pub use whendone_model::engines::loom_mutex::{stage, sync};\n";
    let mut include = |name: &str, path: &Path| {
        writeln!(text, "    #[path = {path:?}]\n    pub mod {name};").expect("strings can be written");
    };
    include("kernel", &folder.join("src/kernel/mod.rs"));
    include("play", player);
    for file in audited.iter().filter_map(|(file, _)| file.strip_prefix("src/")).filter(|file| !file.contains('/')) {
        include(file.trim_end_matches(".rs"), &folder.join("src").join(file));
    }
    text + "}\n"
}
