//! The core and the task layer on std, one thread after the other: for long programs.
#![allow(dead_code, unused_imports)]

pub use super::alone_stage as stage;
pub use super::std_sync as sync;

#[path = "../../../src/callback.rs"]
mod callback;
#[path = "../../../src/completer.rs"]
mod completer;
#[path = "../../../src/contain.rs"]
mod contain;
#[path = "../../../src/hook.rs"]
mod hook;
#[path = "../../../src/kernel/mod.rs"]
pub mod kernel;
#[path = "../../../src/outcome.rs"]
mod outcome;
#[path = "play.rs"]
pub mod play;
#[path = "../../../src/report.rs"]
mod report;
#[path = "../../../src/schedule.rs"]
mod schedule;
#[path = "../../../src/task.rs"]
mod task;
#[path = "../../../src/trampoline.rs"]
mod trampoline;
#[path = "../../../src/wait.rs"]
mod wait;
