//! Ctrl-C: the programs in progress are finished and kept, and no other one is begun. The second Ctrl-C ends at once.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// True once Ctrl-C was pressed.
pub fn is_asked() -> bool {
    IS_ASKED.load(Ordering::Relaxed)
}
