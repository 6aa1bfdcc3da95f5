//! The tutorial's programs print the expected lines.
#![cfg(feature = "event-loop")]

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};

/// The example, built by the command that builds everything for `cargo test --workspace`: another choice of packages would
/// build the dependencies once more.
static EXAMPLE: LazyLock<PathBuf> = LazyLock::new(|| {
    let command = ["build", "--quiet", "--workspace", "--example", "tutorial"];
    let built = Command::new(env!("CARGO")).args(command).current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap();
    assert!(built.success(), "cargo {}", command.join(" "));
    let test = std::env::current_exe().unwrap();
    let profile = test.ancestors().nth(2).expect("tests lie in the folder `deps` of their profile");
    profile.join("examples/tutorial")
});

/// Runs a program of the example, and returns its standard output and standard error.
#[track_caller]
fn program(number: u32) -> (String, String) {
    let ran = Command::new(&*EXAMPLE).arg(number.to_string()).env("TUTORIAL_SECOND_MS", "20").output().unwrap();
    let [output, error] = [ran.stdout, ran.stderr].map(|written| String::from_utf8(written).unwrap());
    assert!(ran.status.success(), "{output}{error}");
    (output, error)
}

/// Asserts that the output is the two lines with which every program begins, and then these lines.
#[track_caller]
fn prints(output: &str, rest: &[&str]) {
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines, [&["main coroutine started", "executing the task"], rest].concat());
}

const TASK: &str = r#"Task: <Task finished name='Task-2' result="the task's value">"#;

/// R12, R17, R42
#[test]
fn program_1_adds_a_callback_that_runs_before_main_goes_on() {
    prints(&program(1).0, &["Task is done", "main coroutine done"]);
}

/// R12, R102, R103
#[test]
fn program_2_adds_two_callbacks_that_run_in_order() {
    prints(&program(2).0, &["Task is done", TASK, "main coroutine done"]);
}

/// R19, P9
#[test]
fn program_3_removes_a_callback_that_then_never_runs() {
    prints(&program(3).0, &["main coroutine done"]);
}

/// R21, P10
#[test]
fn program_4_removes_a_callback_that_was_never_added_without_an_error() {
    prints(&program(4).0, &["main coroutine done"]);
}

/// R33, R87, D12
#[test]
fn program_5_adds_a_late_callback_that_runs_after_mains_last_line() {
    prints(&program(5).0, &["main coroutine done", "Task is done"]);
}

/// R60, R61, R62, R65, D5
#[test]
fn program_6_reports_a_callback_that_fails_and_runs_the_next_one() {
    let (output, error) = program(6);
    prints(&output, &["Task is done", TASK, "main coroutine done"]);
    let report = error.split_once("whendone: exception in callback\n").unwrap().1;
    let [callback, task, spawned, panic, ..] = report.lines().collect::<Vec<_>>()[..] else { panic!("{error}") };
    assert!(callback.starts_with("  callback  tutorial::a_callback_that_fails::"), "{error}");
    assert!(callback.contains(" added at examples/tutorial.rs:"), "{error}");
    assert_eq!(task, "  task      <Task finished name='Task-2'>");
    assert!(spawned.starts_with("  spawned   at examples/tutorial.rs:"), "{error}");
    assert_eq!(panic, "  panic     something is wrong");
}

/// R66, D6
#[test]
fn program_7_shows_the_advice_for_a_callback_without_an_argument() {
    let (output, _) = program(7);
    let (refused, instead) = output.split_once("write instead:").unwrap();
    let (source, message) = refused.split_once("error[").unwrap();
    assert!(source.contains(r#"    task.add_done_callback(|| println!("Task is done"));"#), "{output}");
    assert!(message.contains("takes 0 arguments"), "{output}");
    assert!(instead.contains(r#"    task.add_done_callback(|_task| println!("Task is done"));"#), "{output}");
}

/// R69, D6
#[test]
fn program_8_shows_the_advice_for_an_async_callback() {
    let (output, _) = program(8);
    let (refused, instead) = output.split_once("write instead:").unwrap();
    let (source, message) = refused.split_once("error[").unwrap();
    assert!(source.contains("async fn callback("), "{output}");
    assert!(source.contains("    task.add_done_callback(callback);"), "{output}");
    assert!(message.contains("spawn a task from it"), "{output}");
    assert!(instead.contains("    task.add_done_callback(|_task| whendone::spawn(async {"), "{output}");
}

/// R34, D6
#[test]
fn program_9_has_a_callback_that_starts_a_task() {
    prints(&program(9).0, &["Task is done", "callback task", "main coroutine done"]);
}

/// R87, D12
#[test]
fn the_task_that_a_callback_started_still_runs_when_main_ends_at_once() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let print = {
        let lines = lines.clone();
        move |line| lines.lock().unwrap().push(line)
    };
    whendone::run(async move {
        let task = whendone::spawn(async {});
        let of_callback = print.clone();
        task.add_done_callback(move |_| {
            of_callback("Task is done");
            whendone::spawn(async move { of_callback("callback task") })
        });
        (&task).await;
        print("main coroutine done");
    });
    assert_eq!(*lines.lock().unwrap(), ["Task is done", "main coroutine done", "callback task"]);
}
