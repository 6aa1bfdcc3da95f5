//! The lock sections of each operation of the core: its own source files, over a facade that counts.

#[path = "../../src/kernel/mod.rs"]
#[allow(dead_code, unused_imports)]
mod kernel;

use kernel::{Added, CallbackId, Cell, UNTAGGED};
use std::collections::BTreeMap;
use std::sync::Arc;

type Handle = Arc<Cell<&'static str, u32>>;

/// Counts by the operation's name. Each was done once, with eight callbacks in line.
///
/// # Panics
///
/// If the core refuses an operation that it must admit.
pub fn lock_sections() -> BTreeMap<&'static str, usize> {
    let cell: Handle = Arc::new(Cell::new(1));
    let ids: Vec<_> = (0..8).map(|callback| add(&cell, callback)).collect();
    let complete = || cell.drain(cell.complete("value").expect("the first one"), |batch| batch.for_each(drop));
    BTreeMap::from([
        ("add", sections(|| add(&cell, 8))),
        ("remove", sections(|| cell.remove(ids[3]))),
        ("replace", sections(|| cell.replace(ids[2], 9))),
        ("remove all", sections(|| cell.remove_all(UNTAGGED))),
        ("read, pending", sections(|| cell.outcome().is_none())),
        ("complete", sections(complete)),
        ("read", sections(|| cell.outcome().is_some())),
        ("late add", sections(|| add(&cell, 9))),
    ])
}

fn add(cell: &Handle, callback: u32) -> CallbackId {
    match cell.add(UNTAGGED, callback) {
        Added::Waits(id) => id,
        Added::YouDrain(id, drain) => {
            cell.drain(drain, |batch| batch.for_each(drop));
            id
        }
    }
}

fn sections<R>(operation: impl FnOnce() -> R) -> usize {
    let before = sync::SECTIONS.get();
    operation();
    sync::SECTIONS.get() - before
}

mod sync {
    use std::cell::Cell;
    use std::sync::{MutexGuard, PoisonError};

    pub use std::sync::OnceLock;

    thread_local! {
        /// The number of lock sections that the current thread has begun.
        pub static SECTIONS: Cell<usize> = const { Cell::new(0) };
    }

    pub struct Mutex<T>(std::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub fn new(value: T) -> Self {
            Mutex(std::sync::Mutex::new(value))
        }

        pub fn lock(&self) -> MutexGuard<'_, T> {
            SECTIONS.set(SECTIONS.get() + 1);
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}

/// P18: a draining operation takes two, for any number of callbacks; the second finds the queue empty.
#[test]
fn an_operation_takes_one_lock_section_and_a_drain_one_for_each_look() {
    let expected = [
        ("add", 1),
        ("complete", 2),
        ("late add", 2),
        ("read", 0),
        ("read, pending", 0),
        ("remove", 1),
        ("remove all", 1),
        ("replace", 1),
    ];
    assert_eq!(lock_sections(), BTreeMap::from(expected));
}
