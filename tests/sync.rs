//! The shipped facade of std's lock, which no model checker explores.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

#[path = "../src/sync.rs"]
#[allow(dead_code, unused_imports, unused_macros)]
mod sync;

/// P13, P14: a thread that panics with the lock held leaves it to the next one, as it was.
#[test]
fn a_poisoned_lock_is_locked_again() {
    let lock = sync::Mutex::new(1);
    let dies = || {
        let mut guard = lock.lock();
        *guard = 2;
        panic!("under the lock");
    };
    thread::scope(|scope| scope.spawn(|| catch_unwind(AssertUnwindSafe(dies)).unwrap_err()).join().unwrap());
    assert_eq!(*lock.lock(), 2);
}
