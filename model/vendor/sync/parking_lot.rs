//! The facade of whendone's kernel on `parking_lot`: `kernel` takes its lock and its write-once cell from here.
//!
//! The obligations F1 to F12 are listed in docs/VENDORING.md of whendone. `cargo verify facade` checks this file.

/// F7, F8, F9: std's cell, because `parking_lot` has none that holds a value.
pub(crate) use std::sync::OnceLock;

/// F1 to F6: `parking_lot`'s mutex, which knows no poisoning (F4). Do not turn on its feature
/// `send_guard` for the kernel: no guard leaves its thread.
pub(crate) use parking_lot::Mutex;
