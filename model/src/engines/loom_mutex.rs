//! The core and the task layer under loom, with a mutex for the write-once cell. Its set of
//! observations must equal the specification's.
#![allow(dead_code, unused_imports)]

pub use super::loom_stage as stage;
pub mod sync {
    pub use super::super::loom_sync::by_mutex::OnceLock;
    pub use super::super::loom_sync::*;
}

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
