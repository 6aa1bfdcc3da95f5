//! The event loop and its player, above the task layer beside this file. Compiled once for each engine whose facade has a
//! channel and a clock.

use super::{hook, id, kernel, outcome, panic, player, report, schedule, stage, task, trampoline, wait};

/// The engine's facade. The loop's locks do not record their contents.
pub mod sync {
    pub use super::super::sync::{Arc, Instant, OnceLock, Silent as Mutex};
    pub use super::super::sync::{channel, fresh_serial, locks_held, thread_local};
}

#[path = "../../../../src/event_loop/mod.rs"]
mod event_loop;
#[path = "../player/naps.rs"]
mod naps;
#[path = "../player/on_loop.rs"]
pub mod player_on_loop;
