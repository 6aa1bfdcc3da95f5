//! The blind spots: the behaviours that a tool here does not see, each with its reason and its cover.
//!
//! Each entry is checked to be unseen still, so a tool that comes to see it turns the check red, and the entry is deleted.

use crate::engines::Extent;
use crate::engines::loom::explore::explore;
use loom::sync::atomic::AtomicBool;
use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{Arc, Mutex, PoisonError};

/// A behaviour that an engine cannot show.
pub struct BlindSpot {
    pub what: &'static str,
    pub because: &'static str,
    /// The engine that covers it, or the argument that it does no harm.
    pub instead: &'static str,
    pub is_unseen: fn() -> bool,
}

/// The blind spots of this project's tools.
pub const BLIND_SPOTS: [BlindSpot; 7] = [
    BlindSpot {
        what: "some interleavings of a thread that begins with an atomic load, sequentially consistent ones too",
        because: "loom does not try to run the thread before others up to that load (tokio-rs/loom#392, tokio-rs/loom#166)",
        instead: "the stand-ins of the write-once cell contain no load: they read under a mutex, or by a \
                  read-modify-write, and with both every allowed outcome is seen",
        is_unseen: first_loads,
    },
    BlindSpot {
        what: "load buffering: each of two threads reads a value that the other one writes only afterwards",
        because: "loom executes the steps of a thread in program order",
        instead: "the core has no atomics of its own, only one lock and a write-once cell; real threads (`--engine threads`)",
        is_unseen: load_buffering,
    },
    BlindSpot {
        what: "spurious wake-ups",
        because: "under loom a parked thread continues only when it is unparked",
        instead: "the core never waits; a loop waits in crossbeam-channel, which checks its condition again; in std's \
                  locks they are chosen, of the first sleep on each word beneath the kernel (`--engine loom-futex`)",
        is_unseen: spurious_wake_ups,
    },
    BlindSpot {
        what: "a poisoned lock that is locked again",
        because: "loom's mutex never returns the error that the facade of the shipped crate recovers from",
        instead: "no caller's code runs under a lock (P13, checked in every execution); tests/sync.rs poisons the lock of \
                  the shipped facade and locks it again",
        is_unseen: poisoning,
    },
    BlindSpot {
        what: "more than four threads beside the first",
        because: "loom supports no more",
        instead: "samples of 5 to 8 threads (`cargo verify stress`); the protocol is proven for any number \
                  (`cargo verify proof`)",
        is_unseen: many_threads,
    },
    BlindSpot {
        what: "the inside of std's own Mutex, OnceLock and Arc",
        because: "loom switches threads only at its own types; the facade substitutes them for std's, and for Arc only \
                  where handles are dropped",
        instead: "a model of the algorithms of std's Mutex and OnceLock on a futex, explored under loom: alone, with up to \
                  two chosen spurious wake-ups on a word (`cargo test -p whendone-model --test std_locks`), and beneath the \
                  kernel, 2 threads, with up to one (`--engine loom-futex`); trusted are that the model is std's, the futex of \
                  the system, the compiler, and Arc; real threads run on std itself (`--engine threads`, `--engine tickets`)",
        is_unseen: std_itself,
    },
    BlindSpot {
        what: "the inside of Vec, an allocation that fails, and a destructor that unwinds in the middle of an operation",
        because: "the proof of the queue has a model in the place of Vec, in which only an explicit reservation can fail and \
                  nothing is ever dropped",
        instead: "the comparison with the shipped queue runs the real Vec (`cargo verify proof`); no operation drops a \
                  callback (`cargo test -p whendone-model --test queue`); elsewhere a failed allocation aborts the process",
        is_unseen: inside_of_vec,
    },
];

/// The outcomes of a program under loom.
fn outcomes<T: Ord + Send + 'static>(program: impl Fn() -> T + Send + Sync + 'static) -> BTreeSet<T> {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let written = seen.clone();
    let explored = explore(move || {
        let outcome = program();
        written.lock().unwrap_or_else(PoisonError::into_inner).insert(outcome);
    });
    assert_eq!(explored, Ok(Extent::Complete), "loom explores it to its end");
    std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The core of `; G A | G C`: two threads read a flag, take a lock, and the second raises the flag. The first may see it.
fn first_loads() -> bool {
    let seen_by = |read: fn(&AtomicBool) -> bool| {
        outcomes(move || {
            let (flag, lock) = (AtomicBool::new(false), loom::sync::Mutex::new(()));
            let shared = Arc::new((flag, lock));
            let others = shared.clone();
            let other = loom::thread::spawn(move || {
                read(&others.0);
                drop(others.1.lock());
                others.0.store(true, Release);
            });
            let found = read(&shared.0);
            drop(shared.1.lock());
            other.join().expect("it ends");
            found
        })
    };
    let by_load = seen_by(|flag| flag.load(Acquire));
    by_load == BTreeSet::from([false]) && seen_by(|flag| flag.fetch_or(false, Acquire)) == BTreeSet::from([false, true])
}

fn load_buffering() -> bool {
    let seen = outcomes(|| {
        let flags = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
        let read_then_write = |flags: &[AtomicBool; 2], read: usize| {
            let found = flags[read].load(Relaxed);
            flags[1 - read].store(true, Relaxed);
            found
        };
        let others = flags.clone();
        let other = loom::thread::spawn(move || read_then_write(&others, 1));
        (read_then_write(&flags, 0), other.join().expect("it ends"))
    });
    seen == BTreeSet::from([(false, false), (false, true), (true, false)])
}

fn spurious_wake_ups() -> bool {
    let seen = outcomes(|| {
        let is_set = Arc::new(AtomicBool::new(false));
        let flag = is_set.clone();
        let waits = loom::thread::spawn(move || {
            let mut parked = 0;
            while !flag.load(Relaxed) {
                loom::thread::park();
                parked += 1;
            }
            parked
        });
        is_set.store(true, Relaxed);
        waits.thread().unpark();
        waits.join().expect("it ends")
    });
    seen == BTreeSet::from([0, 1])
}

fn poisoning() -> bool {
    let seen = outcomes(|| {
        let lock = loom::sync::Mutex::new(());
        let panics = || {
            let _guard = lock.lock();
            resume_unwind(Box::new("under the lock"))
        };
        let _: Result<(), _> = catch_unwind(AssertUnwindSafe(panics));
        catch_unwind(AssertUnwindSafe(|| lock.try_lock().is_err())).unwrap_or(false)
    });
    seen == BTreeSet::from([false])
}

fn many_threads() -> bool {
    loom::MAX_THREADS == 5
}

fn std_itself() -> bool {
    fn orders<M: Send + Sync + 'static>(
        new: fn() -> M,
        push: fn(&M, u8),
        take: fn(&M) -> Vec<u8>,
    ) -> BTreeSet<Vec<u8>> {
        outcomes(move || {
            let names = Arc::new(new());
            let others = names.clone();
            let other = loom::thread::spawn(move || (0..2).for_each(|_| push(&others, 1)));
            (0..2).for_each(|_| push(&names, 0));
            other.join().expect("it ends");
            take(&names)
        })
    }
    let alternating = [0, 1, 0, 1].as_slice();
    let of_std = orders(
        || Mutex::new(Vec::new()),
        |names, name| names.lock().expect("nobody panics").push(name),
        |names| names.lock().expect("nobody panics").clone(),
    );
    let of_loom = orders(
        || loom::sync::Mutex::new(Vec::new()),
        |names, name| names.lock().expect("nobody panics").push(name),
        |names| names.lock().expect("nobody panics").clone(),
    );
    of_loom.contains(alternating) && !of_std.contains(alternating)
}

/// Three lines.
impl fmt::Display for BlindSpot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BlindSpot { what, because, instead, .. } = self;
        write!(f, "{what}\n    because   {because}\n    instead   {instead}")
    }
}

/// In the proven text's module `Vec` one function can fail, the reservation; and no text there speaks of destructors.
fn inside_of_vec() -> bool {
    let text = include_str!("../../proof/queue.mlw");
    let of_vec = text.split_once("module Vec").and_then(|(_, rest)| rest.split_once("module Queue"));
    of_vec.is_some_and(|(of_vec, _)| of_vec.matches("raises").count() == 1) && !text.contains("destruct")
}
