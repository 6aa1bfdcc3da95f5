//! The core and the task layer under loom, with an atomic for the write-once cell: publication in std's order. Its
//! observations must equal the allowed ones.
#![allow(dead_code, unused_imports)]

pub use super::explore as stage;
pub mod sync {
    pub use super::super::channel::{self, Instant};
    pub use super::super::sync::by_atomic::OnceLock;
    pub use super::super::sync::*;
}

audited_files!();
#[path = "../shared/event_loop.rs"]
pub mod on_loop;
