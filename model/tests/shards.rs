//! Three shards of a run, killed at random moments, resumed, merged and audited, are the run that nobody killed.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::yield_now;
use tempfile::TempDir;
use whendone_model::runner::audit::root;
use whendone_model::runner::checkpoint::of_another_run;
use whendone_model::runner::plan::Plan;
use whendone_model::runner::report::Report;
use whendone_model::runner::shard::Shard;
use whendone_model::universe::Tier;

/// A tier that loom plays in some seconds.
const TIER: Tier = Tier::Printing;

const RUN: Shard = Shard { tier: Some(TIER), ..Shard::WHOLE };

const SHARDS: usize = 3;

/// A folder that commands write to.
struct Target(TempDir);

impl Target {
    fn new() -> Self {
        Target(TempDir::new().expect("a folder"))
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_verify"));
        command.args(words).env("CARGO_TARGET_DIR", self.0.path());
        command
    }

    /// The text and the exit code of a command.
    fn run(&self, words: &[&str]) -> (String, Option<i32>) {
        let output = self.command(words).output().expect("it starts");
        let text = [output.stdout, output.stderr].concat();
        (String::from_utf8(text).expect("plain text"), output.status.code())
    }

    fn shard(&self, index: usize) -> Command {
        let shard = format!("{index}/{SHARDS}");
        self.command(&["--deep", "--tier", "printing", "--shard", &shard, "--workers", "1"])
    }

    fn file(&self, index: usize, ending: &str) -> PathBuf {
        self.0.path().join(format!("verify/deep-printing-{index}-of-{SHARDS}.{ending}"))
    }

    fn report(&self, index: usize) -> Report {
        read(&self.file(index, "json"))
    }

    /// The reports of these shards, merged.
    fn merge(&self, indices: &[usize]) -> (String, Option<i32>) {
        let files: Vec<String> = indices.iter().map(|index| self.file(*index, "json").display().to_string()).collect();
        let files = files.iter().map(String::as_str);
        self.run(&["merge", "--tier", "printing"].into_iter().chain(files).collect::<Vec<_>>())
    }

    fn audit(&self, index: usize, sample: usize) -> (String, Option<i32>) {
        let journal = self.file(index, "checkpoint").display().to_string();
        self.run(&["audit", &journal, "--sample", &sample.to_string(), "--workers", "1"])
    }
}

fn read(path: &Path) -> Report {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("a report")
}

/// The number of verdicts in a journal.
fn verdicts(journal: &Path) -> usize {
    fs::read_to_string(journal).map_or(0, |text| text.lines().count().saturating_sub(1))
}

/// A report without what differs between two runs that found the same: the times, and how much an earlier run has played.
fn found(report: &Report) -> Value {
    fn without_times(value: &mut Value) {
        if let Value::Object(fields) = value {
            fields.retain(|name, _| !["seconds", "slowest", "resumed"].contains(&name.as_str()));
            fields.values_mut().for_each(without_times);
        }
    }
    let mut found = serde_json::to_value(report).expect("JSON");
    without_times(&mut found);
    found
}

/// Begins a shard, and kills it when its journal has this number of verdicts.
fn kill_after(target: &Target, index: usize, least: usize) {
    let mut shard = target.shard(index).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let has_ended = |shard: &mut Child| shard.try_wait().expect("it can be asked").is_some();
    while verdicts(&target.file(index, "checkpoint")) < least {
        assert!(!has_ended(&mut shard), "shard {index} ended before {least} verdicts");
        yield_now();
    }
    // It is sent SIGKILL, so that nothing of it can tidy up.
    shard.kill().expect("it runs");
    assert_eq!(shard.wait().expect("it was started").code(), None, "shard {index} ended by itself");
}

#[test]
fn shards_that_are_killed_and_resumed_are_a_run_that_was_not() {
    let (whole, broken) = (Target::new(), Target::new());
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let all = |index| Plan::deep(Shard { index, of: SHARDS, ..RUN }).jobs.len();
    // All at once, as on three machines.
    std::thread::scope(|scope| {
        for index in 1..=SHARDS {
            let (least, broken, whole) = (random.usize(1..all(index) / 2), &broken, &whole);
            scope.spawn(move || {
                kill_after(broken, index, least);
                let there = verdicts(&broken.file(index, "checkpoint"));
                println!("shard {index}: killed after {least} or more verdicts, {there} of {}", all(index));
                assert!(!broken.file(index, "json").exists(), "a run that was killed has no report");
                let resumed = broken.shard(index).output().expect("it starts");
                let told = String::from_utf8_lossy(&resumed.stderr).into_owned();
                assert_eq!(resumed.status.code(), Some(0), "{told}");
                assert!(told.contains(&format!("of {} programs; --fresh starts over", all(index))), "{told}");
                let unbroken = whole.shard(index).output().expect("it starts");
                assert_eq!(unbroken.status.code(), Some(0), "{}", String::from_utf8_lossy(&unbroken.stderr));
                let [resumed, unbroken] = [broken, whole].map(|target| target.report(index));
                assert!((least..all(index)).contains(&resumed.resumed), "{} were resumed", resumed.resumed);
                assert_eq!(unbroken.resumed, 0);
                assert_eq!(found(&resumed), found(&unbroken), "shard {index}");
            });
        }
    });
    let [merged, unbroken] = [&broken, &whole].map(|target| {
        let (told, code) = target.merge(&[1, 2, 3]);
        assert_eq!(code, Some(0), "{told}");
        assert!(told.contains("VERIFIED shard 1/1 of the tier printing of the deep run"), "{told}");
        read(&target.0.path().join("verify/deep-printing.json"))
    });
    assert_eq!(merged.scenarios.generated, Plan::all_of_deep(RUN));
    assert_eq!(found(&merged), found(&unbroken));
    println!("root of both: {}", merged.root);
    for index in 1..=SHARDS {
        let (told, code) = broken.audit(index, 10);
        assert_eq!(code, Some(0), "{told}");
        let root = broken.report(index).root;
        assert!(told.contains(&format!("root {root}")) && told.contains("played again: 10, seed "), "{told}");
    }
    is_refused(&broken);
}

/// A shard that is missing, there twice or of another run, a verdict that is missing, and one that is forged.
fn is_refused(target: &Target) {
    let refused = |indices: &[usize], why: &str| {
        let (told, code) = target.merge(indices);
        assert!(told.contains(why) && code == Some(2), "{told}");
    };
    refused(&[1, 3], "missing shards: 2/3");
    refused(&[1, 2, 2], "is shard 2/3 of the tier printing, which another report is already");
    let file = target.file(1, "json").display().to_string();
    let (told, code) = target.run(&["merge", &file]);
    assert!(told.contains("is of the run deep-printing; to be merged: deep; see --tier and --engine"), "{told}");
    let (told, _) = target.run(&["merge", "--tier", "printing", "--engine", "sections", &file]);
    assert!(told.contains("deep-printing; to be merged: deep-printing-sections; see --tier and --engine"), "{told}");
    assert_eq!(code, Some(2));

    let (journal, report) = (target.file(2, "checkpoint"), target.file(2, "json"));
    let text = fs::read_to_string(&journal).expect("it was written");
    let (before, last) = text.trim_end().rsplit_once('\n').expect("lines");
    fs::write(&journal, format!("{before}\n")).expect("writable");
    let (told, code) = target.audit(2, 1);
    assert!(told.contains("NOT WHOLE") && told.contains("FORGED") && code == Some(1), "{told}");

    let (name, count) = last.split_once("\"executions\":").expect("a verdict");
    let digits = count.find(|digit: char| !digit.is_ascii_digit()).expect("more follows");
    let more = count[..digits].parse::<u64>().expect("a number") + 1;
    fs::write(&journal, format!("{before}\n{name}\"executions\":{more}{}\n", &count[digits..])).expect("writable");
    let (told, code) = target.audit(2, 1);
    assert!(told.contains("FORGED: the report has the root ") && code == Some(1), "{told}");
    assert!(!told.contains("NOT WHOLE"), "{told}");

    // The report is forged, too, so that its root is that of the journal: only playing the program again shows it.
    let (shard, verdicts) = of_another_run(&journal).expect("it is a journal");
    let forged = Report { root: root(&verdicts), ..read(&report) };
    fs::write(&report, serde_json::to_string(&forged).expect("JSON")).expect("writable");
    let all = Plan::deep(shard).jobs.len();
    let (told, code) = target.audit(2, all);
    assert!(!told.contains("FORGED") && told.contains("DIFFERENT ") && code == Some(1), "{told}");
    assert!(told.contains(&format!("\"executions\":{more}")), "{told}");
    assert!(told.contains(&format!("played again: {all}, ")) && told.contains(", 1 different"), "{told}");
}
