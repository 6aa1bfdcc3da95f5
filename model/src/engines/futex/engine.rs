//! The core and the task layer on std's own mutex and write-once cell, on a model of a futex under loom. Its observations must
//! equal the allowed ones.
#![allow(dead_code, unused_imports)]

pub use super::explore as stage;
pub use super::sync;

audited_files!();
