//! The core and the task layer on std: its own mutex, its own write-once cell, this machine's memory.
#![allow(dead_code, unused_imports)]

pub use super::explore as stage;
pub use super::sync;

audited_files!();
