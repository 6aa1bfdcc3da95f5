//! A worker of the pool ends with the process that started it.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

/// An exploration that takes minutes.
const LONG: &str = "{\"engine\":\"loom-mutex\",\"scenario\":\"@inline aa ; A A C G A | R0 P A G A\",\"draw\":false}\n";

/// If the pool is killed, the input of its workers ends. A worker that went on would print its answer.
#[test]
fn a_worker_amid_a_job_ends_when_its_input_does() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_verify"));
    command.arg("worker").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut worker = command.spawn().expect("it starts");
    let mut jobs = worker.stdin.take().expect("piped");
    jobs.write_all(LONG.as_bytes()).expect("it reads");
    drop(jobs);
    let mut answers = String::new();
    worker.stdout.take().expect("piped").read_to_string(&mut answers).expect("text");
    assert_eq!(answers, "");
    assert!(worker.wait().expect("it was started").success());
}
