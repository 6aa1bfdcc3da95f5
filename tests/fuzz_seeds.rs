//! The fuzzer's seeds, findings and corpus, replayed on stable Rust.
#![cfg(feature = "event-loop")]

#[path = "asyncio/program/mod.rs"]
mod program;

use fastrand::Rng;
use program::Program;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use whendone_model::engines::catalog::on_shuttle;
use whendone_model::engines::record::recorder::watch;
use whendone_model::engines::shuttle::explore::Schedules;
use whendone_model::fuzzing::bytes::decode;
use whendone_model::fuzzing::{queue, scenario, schedule, text};
use whendone_model::observation::Observation;
use whendone_model::observation::event::Event;

type Check = fn(&[u8]);

/// The targets of the fuzzer, each with its check of an input.
const TARGETS: [(&str, Check); 5] = [
    ("event_loop", |bytes| drop(play(bytes))),
    ("queue", queue::check),
    ("scenario", scenario::check),
    ("schedule", schedule::check),
    ("text", text::check),
];

/// Plays the program of an input on the event loop and on the plain model, which must agree.
fn play(bytes: &[u8]) -> Vec<String> {
    program::check(&program::decode(bytes)).unwrap_or_else(|why| panic!("{why}")).trace
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The files in a folder of `fuzz`, by name.
fn inputs(folder: &str) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(fuzz().join(folder)).into_iter().flatten().map(|file| file.expect("readable").path());
    files.map(|path| (path.display().to_string(), fs::read(path).expect("readable"))).collect()
}

#[test]
fn every_target_has_seeds_that_can_be_read_and_all_inputs_pass() {
    for (target, check) in TARGETS {
        let seeds = inputs(&format!("seeds/{target}"));
        assert!(seeds.len() >= 5, "{target} has {} seeds", seeds.len());
        for (name, seed) in &seeds {
            assert!(seed.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()), "{name} is no text");
        }
        let kept = ["artifacts", "corpus"].into_iter().flat_map(|folder| inputs(&format!("{folder}/{target}")));
        for (name, input) in seeds.into_iter().chain(kept) {
            println!("{name}");
            check(&input);
        }
    }
}

/// Plays every file of the targets' folders.
#[test]
fn every_target_of_the_fuzzer_is_built_and_has_seeds() {
    let names = |folder: &str| {
        let paths =
            fs::read_dir(fuzz().join(folder)).expect("it is there").map(|entry| entry.expect("readable").path());
        let mut names: Vec<_> = paths.map(|path| path.file_stem().expect("a name").to_owned()).collect();
        names.sort();
        names
    };
    let targets: Vec<&str> = TARGETS.into_iter().map(|(target, _)| target).collect();
    assert_eq!((names("fuzz_targets"), names("seeds")), (to_os(&targets), to_os(&targets)));
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).expect("readable");
    let built: Vec<&str> = manifest.lines().filter_map(|line| line.strip_prefix("path = \"fuzz_targets/")).collect();
    assert_eq!(built, targets.iter().map(|target| format!("{target}.rs\"")).collect::<Vec<_>>());
}

fn to_os(names: &[&str]) -> Vec<std::ffi::OsString> {
    names.iter().map(Into::into).collect()
}

/// A seed of scenarios is the text of a scenario.
#[test]
fn seeds_are_texts_of_the_scenario_language() {
    for (name, seed) in ["queue", "scenario"].into_iter().flat_map(|target| inputs(&format!("seeds/{target}"))) {
        let text = String::from_utf8(seed).expect("a text");
        assert_eq!(decode(text.as_bytes()).to_string(), text.trim(), "{name}");
    }
}

/// Its first line is the scenario; the rest chooses the schedule.
#[test]
fn seeds_of_schedules_begin_with_a_scenario() {
    for (name, seed) in inputs("seeds/schedule") {
        let (scenario, schedule) = schedule::decode(&seed);
        let text = String::from_utf8_lossy(&seed).into_owned();
        assert_eq!(
            Some((scenario.to_string().as_str(), schedule)),
            text.split_once('\n').map(|(line, rest)| (line, rest.as_bytes())),
            "{name}"
        );
    }
}

#[test]
fn seeds_of_the_event_loop_are_texts_of_programs() {
    for (name, seed) in inputs("seeds/event_loop") {
        serde_json::from_slice::<Program>(&seed).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

/// A thousand random inputs, always the same.
fn random_inputs(length: usize) -> Vec<Vec<u8>> {
    let mut random = Rng::with_seed(1);
    (0..1000).map(|_| (0..length).map(|_| random.u8(..)).collect()).collect()
}

/// Most random inputs are programs worth running: eight of ten inputs of 8 bytes, and nine of ten longer ones.
#[test]
fn most_random_inputs_have_three_operations_or_more() {
    for (length, most) in [(8, 800), (16, 900), (64, 900), (256, 900)] {
        let inputs = random_inputs(length);
        let scenarios = inputs.iter().filter(|bytes| decode(bytes).operations() >= 3).count();
        let concurrent = inputs.iter().filter(|bytes| schedule::decode(bytes).0.operations() >= 3).count();
        let counts = [scenarios, concurrent];
        assert!(counts.iter().all(|&count| count >= most), "of {length} bytes: {counts:?} of 1000");
    }
}

/// Programs of the event loop begin with two plain tasks, so this test counts events instead of operations.
#[test]
fn most_random_programs_of_the_event_loop_show_three_events_or_more() {
    for (length, most) in [(16, 700), (32, 950), (64, 1000), (256, 1000)] {
        let traces: Vec<_> = random_inputs(length).iter().map(|bytes| play(bytes)).collect();
        let count = traces.iter().filter(|trace| trace.len() >= 3).count();
        assert!(count >= most, "of {length} bytes: {count} of 1000");
    }
}

#[test]
fn seeds_and_random_inputs_show_every_event_of_the_event_loop() {
    let seeds = inputs("seeds/event_loop").into_iter().map(|(_, seed)| seed).collect();
    for inputs in [seeds, random_inputs(64)] {
        let traces: Vec<_> = inputs.iter().map(|input| play(input)).collect();
        let shown: BTreeSet<_> =
            traces.iter().flatten().map(|event| event.split(' ').next().expect("a word")).collect();
        assert_eq!(shown, program::EVENTS.split(' ').collect());
    }
}

/// The steps, events and observation of the execution chosen by these bytes, without the addresses of locks.
fn execution(bytes: &[u8]) -> (String, Vec<(usize, Event)>, Option<Observation>) {
    let (scenario, schedule) = schedule::decode(bytes);
    let play = || on_shuttle(Schedules::Chosen(schedule.to_vec()), &scenario);
    let (_, mut executions) = watch(play, |trace| Some(trace.number));
    let (_, mut execution) = executions.pop_first().expect("it was executed");
    assert!(executions.is_empty(), "one schedule is one execution");
    execution.events.retain(|(_, event)| !matches!(event, Event::Unlocks(..) | Event::Frees(_)));
    (execution.steps, execution.events, execution.observation)
}

/// A finding of the fuzzer can be replayed. The schedule matters: another schedule gives another execution.
#[test]
fn the_same_bytes_play_the_same_execution_twice() {
    for (name, seed) in inputs("seeds/schedule") {
        assert_eq!(execution(&seed), execution(&seed), "{name}");
        let line = seed.split_inclusive(|&byte| byte == b'\n').next().expect("a scenario");
        let schedules: [&[u8]; 2] = [&[0; 100], &[1; 100]];
        let [one, other] = schedules.map(|schedule| execution(&[line, schedule].concat()));
        assert_ne!(one, other, "{name}");
    }
    for input in random_inputs(32).iter().take(100) {
        assert_eq!(execution(input), execution(input), "{input:?}");
    }
}
