//! shuttle's facade: what `src/sync.rs` is in production, aware of who holds a lock.
//!
//! shuttle has no `OnceLock` either; an atomic takes its place, which is sequentially consistent here.

use ::shuttle as machine;
#[path = "../shared/locks.rs"]
mod locks;

pub use super::super::{explore_handles, fresh_serial, unheard};
pub use locks::by_atomic::OnceLock;
pub use locks::{Mutex, be_thread, locks_held, this_thread};
pub use shuttle::thread_local;
pub use std::sync::{Arc, Arc as Counted};
