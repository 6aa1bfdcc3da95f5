//! The core and the task layer on std: its own mutex and write-once cell, and the memory of this machine.
#![allow(dead_code, unused_imports)]

pub use super::explore as stage;
pub use super::sync;

audited_files!();
