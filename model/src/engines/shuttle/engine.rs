//! The core and the task layer under shuttle, which plays every schedule, random ones, or ones with few preemptions. It
//! models no memory orders, and is a second opinion on loom.
#![allow(dead_code, unused_imports)]

pub use super::explore as stage;
pub use super::sync;

audited_files!();
