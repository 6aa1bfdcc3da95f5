//! loom's facade: what `src/sync.rs` is in production, aware of who holds a lock.
//!
//! loom has no `OnceLock`. Two stand-ins take its place: with a mutex loom finds every outcome; with
//! an atomic (the order in which std's publishes) it misses some, which is kept as a pinned list.

use ::loom as machine;
#[path = "../shared/locks.rs"]
mod locks;

pub use super::super::fresh_serial;
pub use super::arc::{Counted, explore_handles};
pub use locks::{Mutex, Silent, be_thread, by_atomic, locks_held, this_thread};
pub use loom::thread_local;
pub use std::sync::Arc;

pub mod by_mutex {
    use crate::engines::record::recorder;
    use crate::observation::event::Event;

    /// The value lies outside the model; whether it is there is asked under a loom mutex.
    pub struct OnceLock<T> {
        there: loom::sync::Mutex<bool>,
        value: std::sync::OnceLock<T>,
    }

    impl<T> OnceLock<T> {
        pub fn new() -> Self {
            OnceLock { there: loom::sync::Mutex::new(false), value: std::sync::OnceLock::new() }
        }

        pub fn get(&self) -> Option<&T> {
            let there = *self.there.lock().expect("poisons nothing");
            recorder::record(|| Event::Reads(there));
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
