//! The promises of the shipped facade, on std's primitives: no model checker explores them.
//!
//! It is compiled here by itself, and a second time where a test needs the serials of a process that has used none.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Barrier, mpsc};
use std::thread;
use sync::{Counted, Erased, Mutex, OnceLock, Serials, SerialsUnderALock, erase, restore};

#[path = "../src/sync.rs"]
#[allow(dead_code, unused_imports, unused_macros, reason = "each test uses a part of it")]
mod sync;

/// Its serials are used by one test alone.
#[path = "../src/sync.rs"]
#[allow(dead_code, unused_imports, unused_macros, reason = "one test uses its serials")]
mod of_a_fresh_process;

/// D23, P10: they tell tasks apart, and the callbacks of one tag from those of another. None is the tag of callbacks
/// that have no tag of their own, which is the last number.
#[test]
fn serials_are_counted_from_one() {
    let first: Vec<u64> = (0..1000).map(|_| of_a_fresh_process::fresh_serial()).collect();
    assert!(first.iter().copied().eq(1..=1000), "{first:?}");
}

/// D23, P10
#[test]
fn serials_go_on_beyond_32_bits() {
    let end = u64::from(u32::MAX);
    for last in [0, 1, u64::from(u16::MAX), end - 1, end, u64::MAX - 3] {
        let (serials, under_a_lock) = (Serials::after(last), SerialsUnderALock::after(last));
        for n in 1..=2 {
            assert_eq!((serials.next(), under_a_lock.next()), (last + n, last + n));
        }
    }
}

/// D23, P10: this sample would show numbers that are read and written in two steps.
#[test]
fn no_serial_is_given_to_two_threads_and_none_is_left_out() {
    let (serials, under_a_lock) = (Serials::after(0), SerialsUnderALock::after(0));
    each_number_is_given_once(|| serials.next());
    each_number_is_given_once(|| under_a_lock.next());
}

/// The threads take numbers side by side until each has taken enough of them. If two threads got the same one, the next
/// number would be too small.
fn each_number_is_given_once(next: impl Fn() -> u64 + Sync) {
    const EACH: u64 = 500_000;
    let taken = [(); 4].map(|()| AtomicU64::new(0));
    let take = &|own: &AtomicU64| {
        let (mut last, mut grows) = (0, true);
        while taken.iter().any(|taken| taken.load(Relaxed) < EACH) {
            for _ in 0..1000 {
                let number = next();
                grows &= number > last;
                last = number;
            }
            own.fetch_add(1000, Relaxed);
        }
        grows
    };
    let grow = thread::scope(|scope| {
        let takers: Vec<_> = taken.iter().map(|own| scope.spawn(move || take(own))).collect();
        takers.into_iter().all(|taker| taker.join().unwrap())
    });
    assert!(grow, "the numbers of each thread grow");
    assert_eq!(next(), taken.iter().map(|taken| taken.load(Relaxed)).sum::<u64>() + 1);
}

/// P13, P14: a thread that panics with the lock held leaves it to the next one, with the value as it was then.
#[test]
fn a_poisoned_lock_is_locked_again() {
    let lock = Mutex::new(1);
    let dies = || {
        let mut guard = lock.lock();
        *guard = 2;
        panic!("under the lock");
    };
    thread::scope(|scope| scope.spawn(|| catch_unwind(AssertUnwindSafe(dies)).unwrap_err()).join().unwrap());
    assert_eq!(*lock.lock(), 2);
}

/// P18
#[test]
fn a_lock_lets_one_thread_in_at_a_time() {
    const THREADS: usize = 4;
    const EACH: u64 = 20_000;
    let (lock, start) = (Mutex::<(u64, bool)>::default(), Barrier::new(THREADS));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                for _ in 0..EACH {
                    let mut guard = lock.lock();
                    assert!(!std::mem::replace(&mut guard.1, true), "two are inside");
                    guard.0 += 1;
                    guard.1 = false;
                }
            });
        }
    });
    assert_eq!(*lock.lock(), (THREADS as u64 * EACH, false));
}

/// P1, P2
#[test]
fn a_write_once_cell_keeps_its_first_value_and_gives_the_others_back() {
    let cell = OnceLock::new();
    assert_eq!(cell.get(), None::<&Box<u32>>);
    assert_eq!(cell.set(Box::new(1)), Ok(()));
    assert_eq!(cell.set(Box::new(2)), Err(Box::new(2)));
    assert_eq!(cell.get(), Some(&Box::new(1)));
    assert_eq!(cell.into_inner(), Some(Box::new(1)));
    assert_eq!(OnceLock::<u32>::new().into_inner(), None);
}

/// P1, P2: whoever finds a value finds it whole, and the same one as everybody else.
#[test]
fn of_several_threads_one_writes_a_cell_and_all_read_its_value() {
    for _ in 0..200 {
        let (cell, start) = (OnceLock::<Vec<usize>>::new(), Barrier::new(3));
        let (won, seen): (Vec<bool>, Vec<Vec<usize>>) = thread::scope(|scope| {
            let (cell, start) = (&cell, &start);
            let write = |by: usize| {
                start.wait();
                let won = cell.set(vec![by; 3]).is_ok();
                (won, cell.get().cloned().unwrap())
            };
            let writers: Vec<_> = (0..3).map(|by| scope.spawn(move || write(by))).collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).unzip()
        });
        let winner = won.iter().position(|won| *won).unwrap();
        assert_eq!(won.iter().filter(|won| **won).count(), 1);
        assert_eq!(seen, vec![vec![winner; 3]; 3]);
    }
}

/// P15
#[test]
fn an_erased_handle_is_restored_as_the_same_one_and_as_no_other_type() {
    let handle = Counted::new(3_u32);
    let erased = erase(handle.clone());
    assert_eq!(Counted::strong_count(&handle), 2);
    let copy: Erased = erased.clone();
    let restored = restore::<u32>(erased).unwrap();
    assert!(Counted::ptr_eq(&restored, &handle));
    drop(restored);
    assert_eq!(Counted::strong_count(&handle), 2);
    assert!(restore::<i32>(copy).is_none());
    assert_eq!(Counted::strong_count(&handle), 1);
}

sync::thread_local! {
    /// A value without a destructor.
    static COUNT: Cell<u32> = Cell::new(1);
}

/// D29
#[test]
fn a_thread_local_is_of_its_thread_and_there_until_the_thread_has_ended() {
    struct Last(mpsc::Sender<u32>);
    impl Drop for Last {
        fn drop(&mut self) {
            self.0.send(COUNT.get()).unwrap();
        }
    }
    thread_local!(static LAST: Cell<Option<Last>> = const { Cell::new(None) });
    for registers_first in [true, false] {
        let (sender, seen) = mpsc::channel();
        let ending = thread::spawn(move || {
            if !registers_first {
                COUNT.set(COUNT.get() + 1);
            }
            LAST.set(Some(Last(sender)));
            COUNT.set(COUNT.get() + 1);
        });
        ending.join().unwrap();
        assert_eq!(seen.try_iter().collect::<Vec<_>>(), [if registers_first { 2 } else { 3 }]);
    }
    assert_eq!(COUNT.get(), 1);
}
