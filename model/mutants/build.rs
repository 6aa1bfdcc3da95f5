//! Plants the seeded bugs that scenarios can see in copies of the audited files.
//!
//! An edit that no longer matches fails the build of this package alone. To plant a bug of your own beside one of these,
//! leave this package out, as the error says.

#[path = "../planting.rs"]
mod planting;
#[path = "../src/project/table.rs"]
#[allow(dead_code)]
mod table;

use planting::{audited_files, lay, module};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};
use table::{File, LEFT_OUT, OWN_TABLE, PROTOCOL, Table};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo")).join("../..");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    let (source, engines, path) = (root.join("src"), root.join("model/src/engines"), Table::path(&root));
    [&source, &engines, &path].into_iter().for_each(|read| println!("cargo::rerun-if-changed={}", read.display()));
    [OWN_TABLE, LEFT_OUT].into_iter().for_each(|name| println!("cargo::rerun-if-env-changed={name}"));
    let table = Table::read(&path).unwrap_or_else(|error| refuse(&error));
    let fingerprint = table.fingerprint();
    let table = table.without_those_left_out();
    let audited = audited_files(&root);
    let (mut modules, mut entries, mut of_the_kernel) = (String::new(), String::new(), String::new());
    let mut stale = Vec::new();
    for mutant in table.mutants.iter().filter(|mutant| mutant.is_played()) {
        let id: &str = &mutant.id;
        match mutant.plant(&audited) {
            Ok(files) => {
                let folder = out.join("mutants").join(id);
                lay(&folder, &files);
                let mut players = vec![("player", engines.join("player/mod.rs"))];
                let play = if mutant.is_of_the_loop() {
                    players.push(("on_loop", lay_loop(&engines, &folder)));
                    "on_loop::player_on_loop"
                } else {
                    "player"
                };
                writeln!(entries, "    ({id:?}, {id}::{play}::play),").expect("strings can be written");
                if mutant.is_of_the_kernel() {
                    players.push(("lockstep", engines.join("sections/lockstep.rs")));
                    writeln!(of_the_kernel, "    ({id:?}, {id}::lockstep::play),").expect("strings can be written");
                }
                modules += &module(id, "sections::engine", (&folder, &files), &players);
            }
            Err(mismatch) => stale.push(mismatch),
        }
    }
    // The others are planted by `cargo verify mutants`, in copies of the project.
    for mutant in table.mutants.iter().filter(|mutant| !mutant.is_played()) {
        let files: Vec<File> = mutant.edits.iter().filter_map(|edit| read(&root, &edit.file).ok()).collect();
        stale.extend(mutant.plant(&files).err());
    }
    let protocols = plant_protocols(&root, &out, &mut modules, &mut stale);
    if !stale.is_empty() {
        let advice =
            "seeded bugs whose edit matches no longer: adapt them, or leave them out, --exclude whendone-mutants";
        refuse(&format!("{advice}\n{}", stale.join("\n")));
    }
    let text = format!(
        "{modules}\n/// Seeded bugs that can be played.\npub const PLANTED: &[(&str, Play)] = &[\n{entries}];\n\n\
         /// Those that are bugs of the kernel.\npub const KERNELS: &[(&str, LockStep)] = &[\n{of_the_kernel}];\n\n\
         /// Bugs of the protocol: the claim that begins like this and does not hold, and the way to where it does not.\n\
         pub const PROTOCOLS: &[(&str, Explored)] = &[\n{protocols}];\n\n\
         /// The fingerprint of the table.\npub const FINGERPRINT: u64 = {fingerprint};\n"
    );
    fs::write(out.join("mutants.rs"), text).expect("OUT_DIR can be written");
}

/// Ends the build with an error of a table, in cargo's form.
fn refuse(error: &str) -> ! {
    error.lines().for_each(|line| println!("cargo::error={line}"));
    std::process::exit(1)
}

fn read(root: &Path, file: &str) -> io::Result<File> {
    let path = root.join(file);
    println!("cargo::rerun-if-changed={}", path.display());
    Ok((file.to_owned(), fs::read_to_string(path)?))
}

/// Plants the bugs of the protocol in copies of it, beside its claims.
fn plant_protocols(root: &Path, out: &Path, modules: &mut String, stale: &mut Vec<String>) -> String {
    let (table, source) = (Table::folder(root).join(PROTOCOL), root.join("model/src/protocol"));
    println!("cargo::rerun-if-changed={}", table.display());
    let files = ["model/src/protocol/model.rs", "model/proof/protocol.smt2"];
    let files = files.map(|file| read(root, file).unwrap_or_else(|error| panic!("{file}: {error}")));
    let mut entries = String::new();
    for bug in &Table::read(&table).unwrap_or_else(|error| refuse(&error)).mutants {
        let id: &str = &bug.id;
        match bug.plant(&files) {
            Ok(planted) => {
                let protocol = out.join(format!("protocol_{id}.rs"));
                fs::write(&protocol, &planted[0].1).expect("OUT_DIR can be written");
                let (properties, describe) = (source.join("properties.rs"), source.join("describe.rs"));
                writeln!(
                    modules,
                    "#[allow(warnings, clippy::all)]\npub mod protocol_{id} {{\n    #[path = {protocol:?}]\n    pub mod model;\n    \
                     #[path = {properties:?}]\n    pub mod properties;\n    #[path = {describe:?}]\n    pub mod describe;\n}}"
                )
                .expect("strings can be written");
                writeln!(entries, "    ({id:?}, protocol_{id}::properties::broken),").expect("strings can be written");
            }
            Err(mismatch) => stale.push(mismatch),
        }
    }
    entries
}

/// Copies the files that include the loop. Only bugs of the loop need them, and each copy costs a compilation.
fn lay_loop(engines: &Path, folder: &Path) -> PathBuf {
    let below = folder.join("model/src/engines");
    for file in ["shared/event_loop.rs", "player/naps.rs", "player/on_loop.rs"] {
        let copy = below.join(file);
        fs::create_dir_all(copy.parent().expect("it has a folder")).expect("OUT_DIR can be written");
        fs::copy(engines.join(file), copy).expect("OUT_DIR can be written");
    }
    below.join("shared/event_loop.rs")
}
