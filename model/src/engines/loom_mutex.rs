//! The core and the task layer under loom, with a mutex for the write-once cell. Its set of
//! observations must equal the specification's.
#![allow(dead_code, unused_imports)]

pub use super::loom_stage as stage;
pub mod sync {
    pub use super::super::loom_channel::{self as channel, Instant};
    pub use super::super::loom_sync::by_mutex::OnceLock;
    pub use super::super::loom_sync::*;
}

audited_files!();
#[path = "on_loop.rs"]
pub mod on_loop;
