//! loom's facade, in the place of `src/sync.rs`: it also counts the locks that a thread holds.
//!
//! loom has no `OnceLock`. Two stand-ins take its place: a mutex, which orders all reads and the write, and an atomic,
//! which publishes in std's order and no more.

use ::loom as machine;
#[path = "../shared/arc.rs"]
mod arc;
#[path = "../shared/locks.rs"]
mod locks;

pub use super::super::{Erased, fresh_serial, unheard};
pub use arc::{Counted, erase, explore_handles, restore};
pub use locks::{Mutex, Silent, be_thread, by_atomic, locks_held, this_thread};
pub use loom::thread_local;
pub use std::sync::Arc;

/// A mutex as a stand-in for the write-once cell.
pub mod by_mutex {
    use crate::engines::record::recorder;
    use crate::observation::event::Event;
    use std::panic::Location;

    /// A write-once cell whose value is outside the model; a flag under a loom mutex says whether it is there.
    pub struct OnceLock<T> {
        there: loom::sync::Mutex<bool>,
        value: std::sync::OnceLock<T>,
    }

    impl<T> OnceLock<T> {
        pub fn new() -> Self {
            OnceLock { there: loom::sync::Mutex::new(false), value: std::sync::OnceLock::new() }
        }

        #[track_caller]
        pub fn get(&self) -> Option<&T> {
            let place = Location::caller();
            let there = *self.there.lock().expect("poisons nothing");
            recorder::record(|| Event::Reads(there, place));
            there.then(|| self.value.get()).flatten()
        }

        pub fn set(&self, value: T) -> Result<(), T> {
            self.value.set(value)?;
            *self.there.lock().expect("poisons nothing") = true;
            recorder::record(|| Event::Publishes);
            Ok(())
        }

        pub fn into_inner(self) -> Option<T> {
            self.value.into_inner()
        }
    }
}
