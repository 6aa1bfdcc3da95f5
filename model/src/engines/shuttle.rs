//! The core and the task layer under shuttle, which chooses schedules: at random, by few preemptions, or
//! every one. It knows no memory orders, and is a second opinion on loom.
#![allow(dead_code, unused_imports)]

pub use super::shuttle_stage as stage;
pub use super::shuttle_sync as sync;

audited_files!();
