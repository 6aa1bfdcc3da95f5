//! The public API of whendone, compared with `docs/PUBLIC_API.txt`: with and without the event loop. `--accept` records it.
//!
//! A bound too many or a trait that is no longer implemented breaks users, and no other test may notice. So a change of
//! the API shows up in review as a changed line. The text comes from rustdoc, whose JSON needs a nightly toolchain.
#![forbid(unsafe_code)]

use public_api::{Builder, MINIMUM_NIGHTLY_RUST_VERSION};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

const SECTIONS: [(&str, &[&str]); 2] =
    [("with the event loop, the default", &[]), ("without features", &["--no-default-features"])];

const HEAD: &str = "\
The public API of whendone, without the traits that every type or its fields decide (tests/auto_traits.rs has Send and
Sync). Written by `cargo run -p whendone-api -- --accept`, compared by `.ci/run`.
";

fn main() -> ExitCode {
    if !Command::new("rustup")
        .args(["run", "nightly", "rustdoc", "--version"])
        .output()
        .is_ok_and(|ran| ran.status.success())
    {
        println!("SKIPPED: THE PUBLIC API. It needs a nightly toolchain (rustup toolchain install nightly)");
        return ExitCode::SUCCESS;
    }
    match compare(env::args().any(|argument| argument == "--accept")) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Compares the API with the recorded one, or records it. Returns false if they differ.
fn compare(is_accepted: bool) -> Result<bool, String> {
    let path = root().join("docs/PUBLIC_API.txt");
    let sections = SECTIONS.iter().map(|(title, features)| Ok((*title, listed(features)?)));
    let sections = sections.collect::<Result<Vec<(&str, Vec<String>)>, String>>()?;
    let texts = sections.iter().map(|(title, lines)| format!("\n## {title}\n\n{}\n", lines.join("\n")));
    let present = HEAD.to_owned() + &texts.collect::<String>();
    if is_accepted {
        fs::write(&path, &present).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let recorded = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let lines: usize = sections.iter().map(|(_, lines)| lines.len()).sum();
    if normal(&present) == normal(&recorded) {
        println!("the public API is the recorded one: {lines} lines, with and without the event loop");
        return Ok(true);
    }
    println!("the public API is not the recorded one:");
    for (title, lines) in &sections {
        let before = recorded.split("\n## ").find_map(|section| section.strip_prefix(title)).unwrap_or_default();
        let before: BTreeSet<&str> = before.lines().filter(|line| !line.is_empty()).collect();
        let now: BTreeSet<&str> = lines.iter().map(String::as_str).collect();
        println!("  {title}");
        before.difference(&now).for_each(|line| println!("  - {line}"));
        now.difference(&before).for_each(|line| println!("  + {line}"));
    }
    println!(
        "if that is intended: cargo run -p whendone-api -- --accept, and say in CHANGELOG.md what it means for users"
    );
    Ok(false)
}

fn normal(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// The items of the API with these features, one a line.
fn listed(features: &[&str]) -> Result<Vec<String>, String> {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from).join("api");
    let mut rustdoc = Command::new("rustup");
    rustdoc.args(["run", "nightly", "cargo", "rustdoc", "--quiet", "--lib", "--package", "whendone"]).args(features);
    rustdoc.arg("--target-dir").arg(&target).args(["--", "-Z", "unstable-options", "--output-format", "json"]);
    let ran = rustdoc.current_dir(root()).output().map_err(|error| format!("rustup: {error}"))?;
    if !ran.status.success() {
        return Err(format!("{rustdoc:?} failed:\n{}", String::from_utf8_lossy(&ran.stderr)));
    }
    let json = Builder::from_rustdoc_json(target.join("doc/whendone.json"));
    let api = json.omit_blanket_impls(true).omit_auto_trait_impls(true).build();
    let api = api.map_err(|error| {
        format!("{error}; public-api needs {MINIMUM_NIGHTLY_RUST_VERSION} or later, of a format that it knows")
    })?;
    Ok(api.items().map(ToString::to_string).collect())
}
