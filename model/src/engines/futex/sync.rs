//! The facade, in the place of `src/sync.rs`: it also counts the locks that a thread holds.

use super::machine;
#[path = "../shared/locks.rs"]
#[allow(dead_code, reason = "the write-once cell is std's, too")]
mod locks;

pub use super::super::{Erased, erase, explore_handles, fresh_serial, restore, unheard};
pub use super::once::OnceLock;
pub use locks::{Mutex, Silent, be_thread, locks_held, this_thread};
pub use loom::thread_local;
pub use std::sync::{Arc, Arc as Counted};
