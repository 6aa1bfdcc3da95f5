//! asyncio's done callbacks for Rust, from any thread, on a core whose correctness can be seen.
#![forbid(unsafe_code)]
#![warn(missing_docs, unreachable_pub)]

mod callback;
mod completer;
mod contain;
#[cfg(feature = "event-loop")]
pub mod event_loop;
mod hook;
pub mod kernel;
mod outcome;
mod report;
mod schedule;
mod sync;
mod task;
mod trampoline;
mod wait;

pub use callback::{DoneReturn, SharedCallback};
pub use completer::{AlreadyDone, Completer, task, task_named};
pub use hook::set_exception_hook;
pub use kernel::CallbackId;
pub use outcome::{Outcome, Panic};
pub use report::{Failure, Origin, Report};
pub use schedule::{Inline, Ready, Schedule};
pub use task::Task;
pub use wait::Wait;

#[cfg(feature = "event-loop")]
pub use event_loop::{Closed, EventLoop, Handle, run, sleep, spawn, spawn_named};
