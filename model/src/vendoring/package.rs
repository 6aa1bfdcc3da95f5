//! A temporary package around a vendor's facade: with his dependencies and his edition, the core and the kit.

use crate::project::copy::{cargo, folder_in_target};
use crate::project::sources::digest;
use crate::vendoring::record::files;
use crate::vendoring::template::KIT;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use toml::{Table, Value};

/// A vendor's `sync.rs`, with what it needs.
pub struct Facade {
    pub path: PathBuf,
    pub text: String,
    pub edition: String,
    /// The sections of his `Cargo.toml` with the dependencies that the facade names.
    dependencies: Table,
    /// The folder of his `Cargo.toml`, or of the facade.
    home: PathBuf,
    pub has_manifest: bool,
}

/// The sections of a manifest that have dependencies.
const SECTIONS: [&str; 2] = ["dependencies", "dev-dependencies"];

impl Facade {
    /// Reads `sync.rs`, or the one in this folder, and the `Cargo.toml` beside or above it.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or the manifest is malformed.
    pub fn read(path: &Path) -> Result<Self, String> {
        let path = if path.is_dir() { path.join("sync.rs") } else { path.to_owned() };
        let path = std::path::absolute(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let text = fs::read_to_string(&path)
            .map_err(|error| format!("{}: {error}; name your sync.rs, or its folder", path.display()))?;
        let mut home = path.parent().unwrap_or(&path).to_owned();
        let manifest = path.ancestors().skip(1).map(|above| above.join("Cargo.toml")).find(|found| found.is_file());
        let (mut dependencies, mut edition) = (Table::new(), "2024".to_owned());
        if let Some(manifest) = &manifest {
            home = manifest.parent().unwrap_or(&home).to_owned();
            let table = read_table(manifest)?;
            let workspace = workspace_of(&home)?;
            edition = edition_of(&table, &workspace);
            dependencies = named_dependencies(&table, &workspace, &home, &text);
        }
        Ok(Facade { path, text, edition, dependencies, home, has_manifest: manifest.is_some() })
    }

    /// The names of the dependencies that it has.
    pub fn dependencies(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let targets = self.dependencies.get("target").and_then(Value::as_table);
        let of_targets = targets.into_iter().flat_map(Table::values).filter_map(Value::as_table);
        for sections in of_targets.chain([&self.dependencies]) {
            let tables = SECTIONS.iter().filter_map(|section| sections.get(*section)?.as_table());
            names.extend(tables.flat_map(Table::keys).cloned());
        }
        names.sort();
        names.dedup();
        names
    }

    /// Writes the package with this text of the facade. Under loom it has the cfg `loom` and depends on loom.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn package(&self, text: &str, is_under_loom: bool) -> Result<Package<'_>, String> {
        let name = if is_under_loom { "loom" } else { "threads" };
        let of = &digest([self.path.display().to_string()])[..12];
        let folder = folder_in_target(&format!("facade/{of}/{name}"))?;
        let package = Package { facade: self, folder };
        // Packages of one name have the same files in a target folder that they share, so that a facade which is checked at
        // the same time would be run in the place of this one.
        let mut manifest = self.manifest(&format!("facade-{name}-{of}"));
        let mut root = "pub mod kernel;\nmod sync;\n#[cfg(test)]\nmod conformance;\n".to_owned();
        if is_under_loom {
            let dependencies = manifest.entry("dependencies").or_insert_with(|| Table::new().into());
            if let Some(dependencies) = dependencies.as_table_mut() {
                dependencies.entry("loom").or_insert_with(|| Value::from("0.7"));
            }
            package.put("build.rs", "fn main() {\n    println!(\"cargo:rustc-cfg=loom\");\n}\n")?;
            package.put("src/cells.rs", CELLS)?;
            root += "mod cells;\n";
        }
        package.put("Cargo.toml", &toml::to_string(&manifest).map_err(|error| error.to_string())?)?;
        for (file, text) in files() {
            package.put(&format!("src/{file}"), text)?;
        }
        package.put("src/lib.rs", &format!("#![allow(warnings)]\n{root}"))?;
        package.put("src/sync.rs", text)?;
        package.put("src/conformance.rs", KIT)?;
        let lock = self.home.ancestors().map(|above| above.join("Cargo.lock")).find(|found| found.is_file());
        if let Some(lock) = lock {
            let lock = fs::read_to_string(&lock).map_err(|error| format!("{}: {error}", lock.display()))?;
            // Cargo adds to its copy, so another one tells whether the vendor's has changed.
            if !fs::read(package.folder.join("vendor.lock")).is_ok_and(|there| there == lock.as_bytes()) {
                package.put("Cargo.lock", &lock)?;
                package.put("vendor.lock", &lock)?;
            }
        }
        Ok(package)
    }

    fn manifest(&self, name: &str) -> Table {
        let mut manifest = self.dependencies.clone();
        let package = [("name", name), ("version", "0.0.0"), ("edition", &self.edition)];
        let package: Table = package.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect();
        let profile = Table::from_iter([("opt-level".to_owned(), Value::from(1)), ("debug".to_owned(), false.into())]);
        manifest.insert("package".to_owned(), package.into());
        manifest.insert("workspace".to_owned(), Table::new().into());
        manifest.insert("profile".to_owned(), Table::from_iter([("dev".to_owned(), Value::from(profile))]).into());
        manifest
    }
}

/// A cell for facades under loom, in which each access is a step of its own.
const CELLS: &str = "\
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};

pub(crate) struct UnsafeCell<T> {
    accesses: AtomicUsize,
    value: std::cell::UnsafeCell<T>,
}

impl<T> UnsafeCell<T> {
    pub(crate) fn new(value: T) -> Self {
        UnsafeCell { accesses: AtomicUsize::new(0), value: std::cell::UnsafeCell::new(value) }
    }

    pub(crate) fn get(&self) -> *mut T {
        self.accesses.fetch_add(1, Relaxed);
        self.value.get()
    }

    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    pub(crate) fn into_inner(self) -> T {
        self.value.into_inner()
    }
}
";

/// A package in the target folder.
pub struct Package<'a> {
    facade: &'a Facade,
    pub folder: PathBuf,
}

impl Package<'_> {
    /// Writes a file, unless it has this text already.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn put(&self, name: &str, text: &str) -> Result<(), String> {
        let path = self.folder.join(name);
        if fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
            return Ok(());
        }
        let written = fs::create_dir_all(path.parent().unwrap_or(&path)).and_then(|()| fs::write(&path, text));
        written.map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Runs cargo where the vendor does, so that his configuration counts, first without the network.
    ///
    /// # Errors
    ///
    /// If it does not start, or cannot get a dependency.
    pub fn cargo(&self, arguments: &[&str]) -> Result<Output, String> {
        let run = |more: &[&str]| {
            let mut cargo = cargo();
            let target = folder_in_target("facade/target")?;
            cargo.args(arguments).args(more).arg("--manifest-path").arg(self.folder.join("Cargo.toml"));
            cargo.args(["--quiet", "--message-format", "json"]).current_dir(&self.facade.home);
            let output = cargo.env("CARGO_TARGET_DIR", target).output();
            output.map_err(|error| format!("cargo: {error}"))
        };
        let output = run(&["--offline"])?;
        if !printed(&output).contains("--offline") {
            return Ok(output);
        }
        let output = run(&[])?;
        // Errors of the compiler are messages; others mean that nothing was compiled.
        if output.status.success() || String::from_utf8_lossy(&output.stdout).contains("compiler-message") {
            return Ok(output);
        }
        Err(format!("cargo could not build the facade: {}", printed(&output).trim()))
    }
}

/// What a command printed to standard error.
pub fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn read_table(path: &Path) -> Result<Table, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    text.parse().map_err(|error: toml::de::Error| format!("{}: {}", path.display(), error.message()))
}

/// The section `workspace` of the manifest at or above a package, with its folder.
fn workspace_of(home: &Path) -> Result<Option<(Table, PathBuf)>, String> {
    for above in home.ancestors() {
        let manifest = above.join("Cargo.toml");
        if !manifest.is_file() {
            continue;
        }
        if let Some(workspace) = read_table(&manifest)?.get("workspace").and_then(Value::as_table) {
            return Ok(Some((workspace.clone(), above.to_owned())));
        }
    }
    Ok(None)
}

/// The edition of a package, which may be that of its workspace. Without one it is 2015.
fn edition_of(manifest: &Table, workspace: &Option<(Table, PathBuf)>) -> String {
    let of = |table: Option<&Value>| table.and_then(|package| package.get("edition")?.as_str().map(str::to_owned));
    let inherited = || of(workspace.as_ref().and_then(|(workspace, _)| workspace.get("package")));
    let own = manifest.get("package");
    let inherits = own.and_then(|package| package.get("edition")).is_some_and(Value::is_table);
    of(own).or_else(|| inherits.then(inherited).flatten()).unwrap_or_else(|| "2015".to_owned())
}

/// The dependencies that the facade names, by the sections in which they stand.
fn named_dependencies(manifest: &Table, workspace: &Option<(Table, PathBuf)>, home: &Path, text: &str) -> Table {
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let of = |sections: &Table| -> Table {
        let named = |section: &&str| {
            let all = sections.get(*section)?.as_table()?;
            let named = all.iter().filter(|(name, _)| words.contains(&name.replace('-', "_").as_str()));
            let named: Table = named.map(|(name, of)| (name.clone(), resolved(name, of, workspace, home))).collect();
            (!named.is_empty()).then(|| ((*section).to_owned(), named.into()))
        };
        SECTIONS.iter().filter_map(named).collect()
    };
    let mut dependencies = of(manifest);
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flatten();
    let targets = targets.map(|(target, sections)| (target, sections.as_table().map(of).unwrap_or_default()));
    let targets: Table =
        targets.filter(|(_, named)| !named.is_empty()).map(|(target, named)| (target.clone(), named.into())).collect();
    if !targets.is_empty() {
        dependencies.insert("target".to_owned(), targets.into());
    }
    dependencies
}

/// A dependency as a package elsewhere has to write it: not inherited, not optional, with absolute paths.
fn resolved(name: &str, dependency: &Value, workspace: &Option<(Table, PathBuf)>, home: &Path) -> Value {
    let Some(own) = dependency.as_table() else { return dependency.clone() };
    let (mut table, mut from) = (own.clone(), home.to_owned());
    let inherits = table.remove("workspace").is_some();
    if let (true, Some((workspace, root))) = (inherits, workspace) {
        let shared = workspace.get("dependencies").and_then(|all| all.get(name));
        let mut whole = match shared {
            Some(Value::Table(shared)) => shared.clone(),
            Some(version) => Table::from_iter([("version".to_owned(), version.clone())]),
            None => Table::new(),
        };
        let more = table.remove("features").and_then(|features| features.as_array().cloned()).unwrap_or_default();
        let features = whole.entry("features").or_insert_with(|| Value::Array(Vec::new()));
        if let Some(features) = features.as_array_mut() {
            features.extend(more);
        }
        whole.extend(table);
        (table, from) = (whole, root.clone());
    }
    table.remove("optional");
    if let Some(path) = table.get("path").and_then(Value::as_str).map(|path| from.join(path)) {
        table.insert("path".to_owned(), path.display().to_string().into());
    }
    table.into()
}
