//! The core and the task layer on coroutines. Its observations must equal the allowed ones.
#![allow(dead_code, unused_imports)]

pub use super::explore as stage;
pub use super::sync;

audited_files!();
#[path = "lockstep.rs"]
pub mod lockstep;
#[path = "../shared/event_loop.rs"]
pub mod on_loop;
