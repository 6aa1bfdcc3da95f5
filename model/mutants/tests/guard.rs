//! A guarded command ends with the process that asked for it, and its own end is passed on.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

/// Guards a command of the shell.
fn guarded(command: &str) -> Child {
    let mut guard = Command::new(env!("CARGO_BIN_EXE_whendone-mutants"));
    guard.args(["guard", "sh", "-c", command]).stdin(Stdio::piped()).stdout(Stdio::piped());
    guard.spawn().expect("it starts")
}

/// The pipe ends with the process at its other end, and then the command and all that it has started: until then they
/// hold the pipe of standard output open.
#[test]
fn a_command_that_hangs_ends_when_its_asker_does() {
    let mut guard = guarded("echo begun; tail -f /dev/null & tail -f /dev/null");
    let mut printed = BufReader::new(guard.stdout.take().expect("piped"));
    let mut first = String::new();
    printed.read_line(&mut first).expect("readable");
    assert_eq!(first, "begun\n");
    drop(guard.stdin.take());
    let mut rest = String::new();
    printed.read_to_string(&mut rest).expect("readable");
    assert_eq!((rest.as_str(), guard.wait().expect("ours").code()), ("", Some(128 + 9)));
}

#[test]
fn the_end_of_a_command_is_passed_on() {
    for (command, code) in [("exit 0", 0), ("exit 3", 3), ("kill -6 $$", 128 + 6)] {
        let mut guard = guarded(command);
        let pipe = guard.stdin.take();
        assert_eq!(guard.wait().expect("ours").code(), Some(code), "{command}");
        drop(pipe);
    }
}
