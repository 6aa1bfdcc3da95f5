//! The loop: one thread, one first-in-first-out queue, turn after turn.
//!
//! A turn is a batch: the entries that were queued when it began, and behind them the timers that
//! were due ([R32]). Entries that the batch queues wait for the next turn. An entry is a function given to
//! [`Handle::call_soon`], a step of a task, or the callbacks that a task handed over together ([D31]): they run one
//! after another, in one turn, and a close counts each of them.
//!
//! `state.rs` is the protocol of a task of the loop, and says why no wake-up is lost ([P17]).
//!
//! The files import each other in a circle, which is one of ownership: an entry of the queue owns a
//! task of the loop, which owns a handle, which owns the sending end of the queue of entries.
//!
//! Handing over to a loop that is awake makes no system call; a loop that sleeps is woken once.
//!
//! [D31]: crate::rules#d31
//! [R32]: crate::rules#r32
//! [P17]: crate::rules#p17

mod current;
mod entry;
mod fused;
mod handle;
mod name;
mod run;
mod state;
mod task;
mod timers;

pub use current::{handle, sleep, spawn, spawn_named, try_handle};
pub use handle::{Closed, Handle};
pub use run::{EventLoop, run};
pub use timers::Sleep;
