//! Ctrl-C: the programs in progress are finished and kept, and no other one is begun. The second Ctrl-C ends at once.
//! And the end of the process that started this one.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{process, thread};

/// The exit code after Ctrl-C.
pub const EXIT: u8 = 130;

static IS_ASKED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C only asks this process to end.
///
/// # Errors
///
/// If the system refuses a handler.
pub fn wait_for_it() -> Result<(), String> {
    let asked = || {
        if IS_ASKED.swap(true, Ordering::Relaxed) {
            process::exit(EXIT.into());
        }
        eprintln!("\ninterrupted: finishing the programs in progress; Ctrl-C again ends at once");
    };
    ctrlc::set_handler(asked).map_err(|error| format!("Ctrl-C: {error}"))
}

/// Leaves Ctrl-C to the process that started this one: a terminal sends it to both.
///
/// # Errors
///
/// If the system refuses a handler.
pub fn leave_it_to_the_parent() -> Result<(), String> {
    ctrlc::set_handler(|| ()).map_err(|error| format!("Ctrl-C: {error}"))
}

/// Calls a function when standard input ends: when the process ends that has the other end of the pipe, even if it is
/// killed.
pub fn on_end_of_input(end: impl FnOnce() + Send + 'static) {
    thread::spawn(move || {
        // The writing end sends nothing, and an error is an end, too.
        let _ = io::stdin().lock().read_to_end(&mut Vec::new());
        end();
    });
}

/// True once Ctrl-C was pressed.
pub fn is_asked() -> bool {
    IS_ASKED.load(Ordering::Relaxed)
}
