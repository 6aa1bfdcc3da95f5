//! shuttle's facade, in the place of `src/sync.rs`: it also counts the locks that a thread holds.
//!
//! shuttle has no `OnceLock` either; an atomic, which is sequentially consistent here, takes its place.

use ::shuttle as machine;
#[path = "../shared/locks.rs"]
mod locks;

pub use super::super::{Erased, erase, explore_handles, fresh_serial, restore, unheard};
pub use locks::by_atomic::OnceLock;
pub use locks::{Mutex, be_thread, locks_held, this_thread};
pub use shuttle::thread_local;
pub use std::sync::{Arc, Arc as Counted};
