//! The core and the task layer under shuttle, which chooses schedules: at random, by few preemptions, or
//! every one. It knows no memory orders, and is a second opinion on loom.
#![allow(dead_code, unused_imports)]

pub use super::explore as stage;
pub use super::sync;

audited_files!();
