//! A run of the seeded bugs leaves its part of the evidence, with a failing interleaving of each bug that a program shows.

use std::fs;
use std::process::Command;
use tempfile::TempDir;
use whendone_model::project::copy::project;
use whendone_model::runner::part::{FIGURES, Part};

#[test]
fn a_run_leaves_the_failing_interleaving_in_its_part_and_on_a_page() {
    let target = TempDir::new().expect("a folder");
    let pages = target.path().join("pages");
    let mut run = Command::new(env!("CARGO_BIN_EXE_whendone-mutants"));
    run.args(["--played", "newest_first", "--html"]).arg(&pages);
    let run = run.env("CARGO_TARGET_DIR", target.path()).env_remove(FIGURES).current_dir(project()).output();
    let output = run.expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let part = Part::read(&target.path().join("verify/parts/mutants.json")).expect("it was left");
    assert!(part.skipped.iter().any(|skipped| skipped.contains("--played")), "{:?}", part.skipped);
    let bugs = part.figures["bugs"].as_array().expect("a list");
    let kill = &bugs.iter().find(|bug| bug["id"] == "newest_first").expect("it is named")["kills"][0];
    let drawn = kill["counterexample"].as_str().unwrap_or_else(|| panic!("no interleaving: {kill}"));
    assert!(drawn.starts_with("FAIL P7") && drawn.contains("runs, sees v0"), "{drawn}");
    // It was not asked for.
    assert!(!text.contains("FAIL"), "{text}");
    let page = fs::read_to_string(pages.join("newest_first.html")).expect("it was written").replace("&#x2f;", "/");
    assert!(page.contains("First refused step, by the specification"), "{page}");
    assert!(page.contains("<div>src/kernel/"), "{page}");
}
