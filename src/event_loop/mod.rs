//! The loop: one thread, one first-in-first-out queue, turn after turn.
//!
//! A turn is a batch: the entries that were there when it began, and behind them the timers that
//! were due (R32). What the batch queues waits for the next turn. An entry is a callback whose turn
//! has come, a function given to [`Handle::call_soon`], or a step of a task.
//!
//! Handing over to a loop that is awake makes no system call; one that is asleep is woken once.

mod ambient;
mod entry;
mod handle;
mod run;
mod step;
mod timers;

pub use ambient::{sleep, spawn, spawn_named};
pub use handle::{Closed, Handle};
pub use run::{EventLoop, run};
pub use timers::Sleep;
