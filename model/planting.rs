//! The copies of the audited files that the build scripts make: that of the model for the self-test, and that of
//! `model/mutants` for the seeded bugs.

use super::table::{File, is_audited};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// The folders with audited files, from the root of the project.
const FOLDERS: [&str; 3] = ["src", "src/kernel", "src/event_loop"];

/// The files that the engines compile, with their texts: all of `src` but the facade and the root.
pub(crate) fn audited_files(root: &Path) -> Vec<File> {
    let in_folder = |folder: &str| {
        let entries = fs::read_dir(root.join(folder)).expect("the folder is there");
        let names = entries.map(|entry| entry.expect("readable").file_name().into_string().expect("plain names"));
        names.map(|name| format!("{folder}/{name}")).collect::<Vec<_>>()
    };
    let mut files = FOLDERS.map(in_folder).concat();
    files.retain(|file| is_audited(file));
    files.sort();
    let text = |file: &str| fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    files.into_iter().map(|file| (file.clone(), text(&file))).collect()
}

/// Writes the files below this folder.
pub(crate) fn lay(folder: &Path, files: &[File]) {
    FOLDERS.iter().for_each(|below| fs::create_dir_all(folder.join(below)).expect("OUT_DIR can be written"));
    files.iter().for_each(|(name, text)| fs::write(folder.join(name), text).expect("OUT_DIR can be written"));
}

/// The module that compiles the files below this folder with the facade of an engine, as the engine's own module does.
/// `engine` is its path; `players` are the engine's modules beside the files.
pub(crate) fn module(
    name: &str,
    engine: &str,
    (folder, files): (&Path, &[File]),
    players: &[(&str, PathBuf)],
) -> String {
    let mut text = format!("#[allow(warnings, clippy::all)]\npub mod {name} {{\n");
    writeln!(text, "    pub use whendone_model::engines::{engine}::{{stage, sync}};").expect("strings can be written");
    let mut include = |name: &str, path: &Path| {
        writeln!(text, "    #[path = {path:?}]\n    pub mod {name};").expect("strings can be written");
    };
    include("kernel", &folder.join("src/kernel/mod.rs"));
    players.iter().for_each(|(name, path)| include(name, path));
    for (file, _) in files {
        if let Some(name) = file.strip_prefix("src/").filter(|name| !name.contains('/')) {
            include(name.trim_end_matches(".rs"), &folder.join(file));
        }
    }
    text + "}\n\n"
}
