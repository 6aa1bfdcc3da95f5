//! This engine's facade, in the place of `src/sync.rs`: it also counts the locks that a thread holds.

use super::machine;
#[path = "../shared/arc.rs"]
mod arc;
#[path = "../shared/locks.rs"]
mod locks;

pub use super::super::{Erased, unheard};
pub use super::channel::{self, Instant};
pub use arc::{Counted, erase, explore_handles, restore};
pub use locks::by_atomic::OnceLock;
pub use locks::{Mutex, Silent, be_thread, locks_held, this_thread};
pub use machine::thread_local;
pub use std::sync::Arc;

/// A serial number. Which thread gets the smaller one can be noticed: sleeps that end at one time are woken in its order.
pub fn fresh_serial() -> u64 {
    super::world::access(super::world::ORDER, true);
    super::super::fresh_serial()
}
