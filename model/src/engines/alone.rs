//! The core and the task layer on std, one thread after the other: for long programs.
#![allow(dead_code, unused_imports)]

pub use super::alone_stage as stage;
pub use super::std_sync as sync;

audited_files!();
