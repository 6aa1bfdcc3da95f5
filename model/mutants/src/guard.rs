//! A guard of a command: the command ends when the process that asked for it does, however that ends.
//!
//! The guard is a process of its own, this binary with the word `guard`. It holds the reading end of a pipe whose
//! writing end only the asking process has. So the pipe ends with that process, even if it is killed.

use std::env;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::Duration;
use wait_timeout::ChildExt;
use whendone_model::runner::interrupt::on_end_of_input;

/// The word that makes this binary a guard.
pub const GUARD: &str = "guard";

/// Begins a command that ends with this process. Its standard input is the pipe.
///
/// # Errors
///
/// If this binary is not found.
pub fn guarded(program: &str) -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    // In a group of its own, so that Ctrl-C does not reach it before it has ended the command.
    command.args([GUARD, program]).stdin(Stdio::piped()).process_group(0);
    Ok(command)
}

/// Waits for a guarded command, and ends it if it takes longer than this. Then there is no status.
///
/// # Errors
///
/// If it cannot be waited for.
pub fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    // `wait_timeout` would close the pipe.
    let pipe = child.stdin.take();
    let end = child.wait_timeout(limit)?;
    drop(pipe);
    if end.is_none() {
        child.wait()?;
    }
    Ok(end)
}

/// The guard's side: runs the command in a group of its own, and ends the group when standard input ends.
pub fn guard(mut arguments: impl Iterator<Item = String>) -> ExitCode {
    let Some(program) = arguments.next() else { return ExitCode::FAILURE };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).process_group(0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("{command:?}: {error}");
            return ExitCode::FAILURE;
        }
    };
    let group = format!("-{}", child.id());
    on_end_of_input(move || drop(Command::new("kill").args(["-9", "--", &group]).status()));
    match child.wait() {
        Ok(end) => {
            ExitCode::from(end.code().and_then(|code| u8::try_from(code).ok()).unwrap_or_else(|| of_signal(end)))
        }
        Err(_) => ExitCode::FAILURE,
    }
}

/// The status that a shell gives to a command which a signal has ended.
fn of_signal(end: ExitStatus) -> u8 {
    end.signal().and_then(|signal| u8::try_from(128 + signal).ok()).unwrap_or(1)
}
