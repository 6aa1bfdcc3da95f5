//! The core and the task layer under loom, with a mutex for the write-once cell. Its observations must equal the allowed
//! ones.
#![allow(dead_code, unused_imports)]

pub use super::explore as stage;
pub mod sync {
    pub use super::super::channel::{self, Instant};
    pub use super::super::sync::by_mutex::OnceLock;
    pub use super::super::sync::*;
}

audited_files!();
#[path = "../shared/event_loop.rs"]
pub mod on_loop;
