//! The folders that this crate is compiled from: those of a clone, or those of its package, which has them at other places.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The root of the project, and its folder `model`.
pub(crate) struct Origin {
    pub root: PathBuf,
    pub model: PathBuf,
    is_packaged: bool,
}

impl Origin {
    /// Finds the folders. A package has the project's root as its own, a clone the folder `model`.
    pub(crate) fn find() -> Self {
        let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
        let is_packaged = manifest.join("model").is_dir();
        let (root, model) =
            if is_packaged { (manifest.clone(), manifest.join("model")) } else { (manifest.join(".."), manifest) };
        Origin { root, model, is_packaged }
    }

    /// Tells the crate where it comes from. A package is compiled in whole: its folder need not last.
    pub(crate) fn tell(&self, out: &Path) {
        let commit = fs::read_to_string(self.root.join("COMMIT")).unwrap_or_default();
        let command = if self.is_packaged { "cargo whendone" } else { "cargo verify" };
        println!("cargo::rustc-check-cfg=cfg(packaged)");
        println!("cargo::rustc-env=WHENDONE_ROOT={}", self.root.display());
        println!("cargo::rustc-env=WHENDONE_COMMAND={command}");
        println!("cargo::rustc-env=WHENDONE_COMMIT={}", commit.trim());
        let mut text = "/// The files of the package, by their paths from the root. None in a clone.\n\
                        pub const PACKAGED: &[(&str, &str)] = &[\n"
            .to_owned();
        if self.is_packaged {
            println!("cargo::rustc-cfg=packaged");
            println!("cargo::rerun-if-changed={}", self.root.display());
            for (name, path) in self.files() {
                writeln!(text, "    ({name:?}, include_str!({path:?})),").expect("strings can be written");
            }
        }
        text += "];\n";
        fs::write(out.join("packaged.rs"), text).expect("OUT_DIR can be written");
    }

    /// The files that a build of the package needs, by their names and their paths.
    fn files(&self) -> Vec<(String, PathBuf)> {
        let mut open = ["src", "model", "Cargo.toml", "Cargo.lock", "COMMIT"].map(str::to_owned).to_vec();
        let mut files = Vec::new();
        while let Some(name) = open.pop() {
            let path = self.root.join(&name);
            if path.is_dir() {
                let entries = fs::read_dir(&path).expect("the folder is there");
                open.extend(entries.map(|entry| {
                    let entry = entry.expect("readable").file_name();
                    format!("{name}/{}", entry.into_string().expect("plain names"))
                }));
            } else if path.is_file() {
                files.push((name, path));
            }
        }
        files.sort();
        files
    }
}
