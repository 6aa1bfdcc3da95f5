//! The core and the task layer on std, on real threads: a sample of what this machine does, with its own
//! mutex, its own write-once cell and its own memory.
#![allow(dead_code, unused_imports)]

pub use super::std_sync as sync;
pub use super::threads_stage as stage;

audited_files!();
