//! Programs that must not compile, and the advice that the compiler must give (D6, P21).

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Mutex, mpsc};
use whendone::{Inline, SharedCallback, Task};

/// Compiles a case as a package of its own, compares the compiler's message with its snapshot, and returns it.
///
/// The headline, the notes and the help must agree; the code excerpts and the names of private types may change.
/// trybuild is not used: it compares letter by letter, so that every other compiler version fails, and it builds all
/// dev-dependencies again.
#[track_caller]
fn refused(case: &str, snapshot: &str) -> String {
    let checked = check(case, &format!("tests/compile_fail/{case}.rs"), "bin", &["--features=event-loop"]);
    let message = String::from_utf8(checked.stderr).unwrap();
    assert!(!checked.status.success(), "it compiles");
    let (headline, rest) = snapshot.split_once('\n').unwrap();
    let advice = |line: &&str| ["= note: ", "= help: ", "help: "].iter().any(|word| line.starts_with(word));
    for said in rest.lines().map(str::trim_start).filter(advice).chain([headline]) {
        assert!(message.contains(said), "not said: {said}\n\n{message}");
    }
    message
}

/// Checks a file of this project as a package of its own that depends on this crate.
fn check(case: &str, source: &str, kind: &str, arguments: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile_fail").join(case);
    let copy = package.join(source);
    fs::create_dir_all(copy.parent().unwrap()).unwrap();
    fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock")).unwrap();
    fs::copy(root.join(source), copy).unwrap();
    let manifest = format!(
        "[workspace]\n[package]\nname = {case:?}\nedition = '2024'\n[[{kind}]]\nname = {case:?}\npath = {source:?}\n\
         [features]\nevent-loop = ['whendone/event-loop']\n[dependencies]\n\
         whendone = {{ path = {root:?}, default-features = false }}\n"
    );
    fs::write(package.join("Cargo.toml"), manifest).unwrap();
    let common = ["check", "--quiet", "--offline", "--color=never", "--target-dir=../target"];
    Command::new(env!("CARGO")).args(common).args(arguments).current_dir(package).output().unwrap()
}

/// P21, D6: the bounds are tested by use. Here a bound too many fails a test, and not the build of all tests. Without
/// the event loop, so that no dependency has to be built.
#[test]
fn programs_that_use_the_weakest_types_compile() {
    let checked = check("bounds", "tests/bounds.rs", "test", &["--tests"]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

/// R11, R66, D6
#[test]
fn a_callback_that_takes_no_argument_is_refused() {
    refused("wrong_arity", include_str!("compile_fail/wrong_arity.stderr"));
}

/// R11, R66, D6
#[test]
fn a_callback_that_takes_two_arguments_is_refused() {
    refused("two_arguments", include_str!("compile_fail/two_arguments.stderr"));
}

/// R69, D6
#[test]
fn an_async_callback_is_refused_with_the_advice_to_spawn_a_task() {
    let snapshot = include_str!("compile_fail/async_callback.stderr");
    assert!(snapshot.contains("= note: an `async` callback would never be awaited: spawn a task from it"));
    refused("async_callback", snapshot);
}

/// R69, D6: the block would have to be awaited.
#[test]
fn a_callback_that_returns_an_async_block_is_refused() {
    refused("async_block", include_str!("compile_fail/async_block.stderr"));
}

/// R69, D6
#[test]
fn an_async_closure_is_refused() {
    refused("async_closure", include_str!("compile_fail/async_closure.stderr"));
}

/// R11, R67, D6
#[test]
fn a_callback_that_cannot_be_called_is_refused() {
    refused("not_callable", include_str!("compile_fail/not_callable.stderr"));
}

/// D3: it may be called again, on several threads at once.
#[test]
fn a_shared_callback_that_changes_its_captures_is_refused() {
    refused("mutating_shared_callback", include_str!("compile_fail/mutating_shared_callback.stderr"));
}

/// D3, P21
#[test]
fn a_shared_callback_that_cannot_be_shared_is_refused() {
    refused("non_sync_shared_callback", include_str!("compile_fail/non_sync_shared_callback.stderr"));
}

/// R8, R9, D7
#[test]
fn a_task_is_not_completed_through_its_handle() {
    refused("completed_by_handle", include_str!("compile_fail/completed_by_handle.stderr"));
}

/// D7, P1
#[test]
fn there_is_one_completer() {
    refused("completer_cloned", include_str!("compile_fail/completer_cloned.stderr"));
}

/// D7, P1
#[test]
fn a_completer_is_used_up_by_completing() {
    refused("completer_used_twice", include_str!("compile_fail/completer_used_twice.stderr"));
}

/// P21
#[test]
fn a_callback_that_cannot_be_sent_is_refused() {
    refused("non_send_callback", include_str!("compile_fail/non_send_callback.stderr"));
}

/// P21
#[test]
fn a_callback_of_a_task_whose_value_cannot_be_shared_is_refused() {
    refused("non_sync_value", include_str!("compile_fail/non_sync_value.stderr"));
}

/// P21
#[test]
fn a_task_whose_value_cannot_be_shared_stays_on_its_thread() {
    refused("non_sync_value_sent", include_str!("compile_fail/non_sync_value_sent.stderr"));
}

/// R18, P21
#[test]
fn a_callback_that_borrows_its_captures_is_refused() {
    refused("borrowed_capture", include_str!("compile_fail/borrowed_capture.stderr"));
}

/// D22: the source line of the bound is the only text of this crate that reaches the message.
#[test]
fn a_task_whose_value_is_not_clone_is_not_awaited_by_value() {
    let message = refused("await_by_value", include_str!("compile_fail/await_by_value.stderr"));
    let advice = "T: Clone, // await a reference, `(&task).await`, or make the value `Clone`";
    assert!(message.contains(advice), "{message}");
}

/// R17, D6
#[test]
fn callbacks_of_all_other_shapes_compile_and_run() {
    fn plain(_: &Task<u32>) {
        RAN.lock().unwrap().push("plain");
    }
    static RAN: Mutex<Vec<&str>> = Mutex::new(Vec::new());
    let (sender, sent) = mpsc::channel();
    let (completer, task) = whendone::task(Inline);
    task.add_done_callback(|task| println!("{task:?}"));
    task.add_done_callback(move |task| sender.send(task.is_done()));
    task.add_done_callback(|_| panic!("contained"));
    task.add_done_callback(plain);
    task.add_shared(&SharedCallback::new(plain));
    task.add_shared(&SharedCallback::new(|_: &Task<u32>| panic!("contained")));
    completer.complete(3).unwrap();
    assert_eq!((sent.recv(), RAN.lock().unwrap().as_slice()), (Ok(true), ["plain", "plain"].as_slice()));
}

/// R69, D6
#[cfg(feature = "event-loop")]
#[test]
fn a_callback_may_spawn_a_task() {
    let (sender, spawned) = mpsc::channel();
    whendone::run(async move {
        let task = whendone::spawn(async { "first" });
        task.add_done_callback(|_| whendone::spawn(async { "second" }));
        task.add_done_callback(move |_| sender.send(whendone::spawn(async { "third" })));
        (&task).await;
    });
    assert!(spawned.recv().unwrap().is_done());
}
