//! The conformance kit of a facade of whendone's kernel: one file that needs std alone. Put it beside your `sync.rs`,
//! write `#[cfg(test)] mod conformance;` beside `mod sync;`, and run `cargo test`.
//!
//! It checks the obligations F1 to F10, which docs/VENDORING.md of whendone lists, on real threads. With
//! `--cfg loom`, and a facade on loom's primitives, it explores those that depend on interleavings and memory orders
//! to the end. `cargo verify facade` runs it both ways, and checks F11 and F12 by compiling.

use super::sync::{Mutex, OnceLock};
use std::any::Any;
use std::panic;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

#[cfg(loom)]
use explored::{found, pause, played};
#[cfg(not(loom))]
use real::{found, pause, played};

/// A check ends long before. One that does not has a thread that waits for ever.
const LIMIT: Duration = Duration::from_secs(if cfg!(loom) { 200 } else { 20 });

/// The number of an obligation, its check, and the obligation that is broken if the check never ends.
struct Check(&'static str, fn() -> String, &'static str);

/// Those of one thread come first. The last one leaves a thread behind that waits for ever.
#[cfg(not(loom))]
const CHECKS: &[Check] = &[
    Check("F10", real::auto_traits, "F10"),
    Check("F7", real::a_cell_is_written_once, "F7"),
    Check("F9", real::values_are_dropped_once, "F9"),
    Check("F3", real::the_lock_is_free_after_the_scope, "F3"),
    Check("F4", real::a_panic_leaves_no_poison, "F3"),
    Check("F1", real::a_held_lock_lets_nobody_in, "F6"),
    Check("F3", real::the_lock_is_held_to_the_end_of_the_scope, "F6"),
    Check("F1", race::one_at_a_time, "F6"),
    Check("F2", race::the_next_sees_what_was_written, "F6"),
    Check("F7", race::one_of_two_writes, "F7"),
    Check("F8", race::who_finds_the_value_sees_what_was_before, "F8"),
    Check("F8", race::who_is_told_finds_the_value, "F6"),
    Check("F9", race::a_refused_value_is_given_back_whole, "F7"),
    Check("F6", real::four_threads_get_their_turns, "F6"),
    Check("F10", real::a_guard_that_is_sent_opens_the_lock, "F10"),
    Check("F5", real::the_same_thread_does_not_get_in_again, "F5"),
];

#[cfg(loom)]
const CHECKS: &[Check] = &[
    Check("F1", race::one_at_a_time, "F6"),
    Check("F2", race::the_next_sees_what_was_written, "F6"),
    Check("F7", race::one_of_two_writes, "F7"),
    Check("F8", race::who_finds_the_value_sees_what_was_before, "F8"),
    Check("F8", race::who_is_told_finds_the_value, "F6"),
    Check("F9", race::a_refused_value_is_given_back_whole, "F7"),
];

#[test]
fn the_facade_meets_its_obligations() {
    let mut broken = Vec::new();
    for Check(number, check, if_it_hangs) in CHECKS {
        println!("checking {}", number);
        let (number, why) = match ended(*check) {
            Ended::Held(extent) => {
                println!("{} held: {}", number, extent);
                continue;
            }
            Ended::Broken(why) => (number, why),
            Ended::Hangs => (if_it_hangs, format!("in the check of {} a thread waits for ever", number)),
        };
        println!("{} BROKEN: {}", number, why);
        broken.push(format!("{}: {}", number, why));
        if why.ends_with("waits for ever") {
            println!("the checks after this one are left out");
            break;
        }
    }
    assert!(broken.is_empty(), "this facade breaks its obligations\n{}", broken.join("\n"));
    println!("the facade meets the obligations that were checked");
}

enum Ended {
    /// What was played.
    Held(String),
    Broken(String),
    Hangs,
}

/// Runs a check on a thread of its own, which is left behind if it never ends.
fn ended(check: fn() -> String) -> Ended {
    let (tell, told) = mpsc::channel();
    drop(thread::spawn(move || tell.send(panic::catch_unwind(check))));
    match told.recv_timeout(LIMIT) {
        Ok(Ok(extent)) => Ended::Held(extent),
        Ok(Err(payload)) => match message(&*payload) {
            // What loom calls it.
            deadlock if deadlock.starts_with("deadlock") => Ended::Hangs,
            branches if branches.contains("exceeded maximum") => Ended::Broken(format!("NOT EXPLORED: {}", branches)),
            other => Ended::Broken(other),
        },
        // loom sees a deadlock itself.
        Err(_) if cfg!(loom) => Ended::Broken("NOT EXPLORED: too many executions".to_owned()),
        Err(_) => Ended::Hangs,
    }
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref().copied());
    text.unwrap_or("a panic without a message").replace('\n', " ")
}

/// Programs of two threads, played many times on real threads, or in every interleaving under loom. The variables
/// beside the facade are relaxed, so that only the facade orders them.
mod race {
    use super::{found, pause, played, Mutex, OnceLock};
    use std::sync::Arc;

    #[cfg(loom)]
    use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
    #[cfg(not(loom))]
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

    /// A value that shows if only a part of it was written.
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Whole(usize, usize);

    fn whole(number: usize) -> Whole {
        Whole(number, !number)
    }

    fn several<T>(rounds: usize, make: fn() -> T) -> Vec<T> {
        (0..rounds).map(|_| make()).collect()
    }

    pub(super) fn one_at_a_time() -> String {
        played(
            |_| (Mutex::new(0_usize), AtomicBool::new(false)),
            |(lock, inside), _, _| {
                let mut guard = lock.lock();
                assert!(!inside.swap(true, Relaxed), "two threads have the guard at the same time");
                let before = *guard;
                pause(before % 7);
                *guard = before + 1;
                assert!(inside.swap(false, Relaxed), "two threads have the guard at the same time");
                drop(guard);
            },
            |(lock, _), rounds| assert_eq!(*lock.lock(), 2 * rounds, "sections under the lock were lost"),
        )
    }

    pub(super) fn the_next_sees_what_was_written() -> String {
        played(
            |_| (Mutex::new(()), AtomicUsize::new(0)),
            |(lock, side), _, _| {
                let guard = lock.lock();
                side.store(side.load(Relaxed) + 1, Relaxed);
                drop(guard);
            },
            |(_, side), rounds| {
                let all_seen = side.load(Relaxed) == 2 * rounds;
                assert!(all_seen, "a thread got the guard and did not see what the one before it had written");
            },
        )
    }

    pub(super) fn one_of_two_writes() -> String {
        played(
            |rounds| (several(rounds, OnceLock::new), AtomicUsize::new(0)),
            |(cells, wins), who, round| {
                let cell = &cells[round];
                match cell.set(whole(who)) {
                    Ok(()) => drop(wins.fetch_add(1, Relaxed)),
                    Err(refused) => assert_eq!(refused, whole(who), "a refused `set` gives the same value back"),
                }
                let value = *cell.get().expect("once `set` has returned, refused or not, the value can be read");
                assert!(value == whole(0) || value == whole(1), "the value is {:?}, which nobody wrote", value);
                assert_eq!(cell.get(), Some(&value), "the value has changed");
            },
            |(_, wins), rounds| assert_eq!(wins.load(Relaxed), rounds, "of two calls of `set` one succeeds"),
        )
    }

    pub(super) fn who_finds_the_value_sees_what_was_before() -> String {
        played(
            |rounds| several(rounds, || (OnceLock::new(), AtomicUsize::new(0))),
            |cells, who, round| {
                let (cell, side) = &cells[round];
                if who == 0 {
                    side.store(1, Relaxed);
                    assert!(cell.set(whole(round)).is_ok(), "the first `set` is refused");
                } else if let Some(value) = found(cell) {
                    assert_eq!(*value, whole(round), "`get` shows a value that is not written yet");
                    assert_eq!(side.load(Relaxed), 1, "`get` does not show what was written before `set`");
                }
            },
            |_, _| (),
        )
    }

    pub(super) fn who_is_told_finds_the_value() -> String {
        played(
            |rounds| several(rounds, || (OnceLock::new(), Mutex::new(false))),
            |cells, who, round| {
                let (cell, told) = &cells[round];
                if who == 0 {
                    assert!(cell.set(whole(round)).is_ok(), "the first `set` is refused");
                    *told.lock() = true;
                } else {
                    let is_told = *told.lock();
                    assert!(!is_told || cell.get().is_some(), "`get` finds nothing after `set` has returned");
                }
            },
            |_, _| (),
        )
    }

    pub(super) fn a_refused_value_is_given_back_whole() -> String {
        played(
            |rounds| several(rounds, OnceLock::new),
            |cells, _, round| {
                let (value, cell) = (Arc::new(()), &cells[round]);
                let is_stored = cell.set(value.clone()).is_ok();
                let handles = Arc::strong_count(&value);
                assert_eq!(handles, if is_stored { 2 } else { 1 }, "the handles of a value, stored: {}", is_stored);
            },
            |_, _| (),
        )
    }
}

#[cfg(not(loom))]
mod real {
    use super::{Mutex, OnceLock, LIMIT};
    use std::cell::{Cell, RefCell};
    use std::hint::spin_loop;
    use std::marker::PhantomData;
    use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
    use std::rc::Rc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
    use std::sync::{mpsc, Arc, MutexGuard};
    use std::thread;
    use std::time::{Duration, Instant};

    /// The most rounds of a race, in each of which two threads meet, and the time after which no more are begun.
    const ROUNDS: usize = 5_000;
    const ENOUGH: Duration = Duration::from_secs(1);

    /// The time for which a guard is held while another thread asks for it.
    const HELD: Duration = Duration::from_millis(50);

    /// Plays a program until there were enough rounds.
    pub(super) fn played<S: Send + Sync + 'static>(
        make: fn(usize) -> S,
        act: fn(&S, usize, usize),
        end: fn(&S, usize),
    ) -> String {
        let (state, meeting) = (Arc::new(make(ROUNDS)), Arc::new(Meeting::default()));
        let threads = [0, 1].map(|who| {
            let (state, meeting) = (state.clone(), meeting.clone());
            let begin = Instant::now();
            thread::spawn(move || {
                let _leaves = Leaves(meeting.clone());
                let goes_on = |round: &usize| meeting.meet(who, *round, begin.elapsed() < ENOUGH);
                (0..ROUNDS).take_while(goes_on).map(|round| act(&state, who, round)).count()
            })
        });
        let played = threads.map(|thread| thread.join());
        let [first, second] = played.map(|played| played.unwrap_or_else(|payload| resume_unwind(payload)));
        assert_eq!(first, second, "both threads play the same rounds");
        end(&state, first);
        format!("{} rounds on real threads", first)
    }

    /// Where two threads wait for each other, so that they begin a round together.
    #[derive(Default)]
    struct Meeting {
        arrived: AtomicUsize,
        is_over: AtomicBool,
    }

    impl Meeting {
        /// Returns false if the round is not to be played. The first thread decides.
        fn meet(&self, who: usize, round: usize, goes_on: bool) -> bool {
            if who == 0 && !goes_on {
                self.is_over.store(true, SeqCst);
            }
            self.arrived.fetch_add(1, SeqCst);
            let mut waited = 0;
            while self.arrived.load(SeqCst) < 2 * (round + 1) && !self.is_over.load(SeqCst) {
                waited += 1;
                if waited % 200 == 0 {
                    thread::yield_now();
                }
                spin_loop();
            }
            !self.is_over.load(SeqCst)
        }
    }

    /// Ends the meeting if a thread panics: the other one would wait for it.
    struct Leaves(Arc<Meeting>);

    impl Drop for Leaves {
        fn drop(&mut self) {
            if thread::panicking() {
                self.0.is_over.store(true, SeqCst);
            }
        }
    }

    /// Lasts a moment.
    pub(super) fn pause(steps: usize) {
        (0..steps).for_each(|_| spin_loop());
    }

    /// Reads a cell until it is written, or for long.
    pub(super) fn found<T>(cell: &OnceLock<T>) -> Option<&T> {
        (0..1_000_000).find_map(|tries| {
            if tries % 1000 == 999 {
                thread::yield_now();
            }
            cell.get()
        })
    }

    fn shared<T: Send>(value: T) -> &'static Mutex<T> {
        Box::leak(Box::new(Mutex::new(value)))
    }

    /// Holds the guard while another thread asks for it, and then gives it up.
    fn held(of: &'static Mutex<u32>, writes: bool) -> String {
        let (asks, is_in) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let mut guard = of.lock();
        let other = {
            let (asks, is_in) = (asks.clone(), is_in.clone());
            thread::spawn(move || {
                asks.store(true, SeqCst);
                let guard = of.lock();
                is_in.store(true, SeqCst);
                drop(guard);
            })
        };
        if writes {
            *guard += 1;
        }
        while !asks.load(SeqCst) {
            thread::yield_now();
        }
        let begin = Instant::now();
        while begin.elapsed() < HELD {
            assert!(!is_in.load(SeqCst), "a thread got the guard while another one had it");
            thread::yield_now();
        }
        drop(guard);
        other.join().unwrap_or_else(|payload| resume_unwind(payload));
        format!("a guard was held for {} ms while another thread asked for it", HELD.as_millis())
    }

    pub(super) fn a_held_lock_lets_nobody_in() -> String {
        held(shared(0), false)
    }

    pub(super) fn the_lock_is_held_to_the_end_of_the_scope() -> String {
        held(shared(0), true)
    }

    pub(super) fn the_lock_is_free_after_the_scope() -> String {
        let lock = Mutex::new(0);
        for _ in 0..3 {
            *lock.lock() += 1;
            drop(lock.lock());
        }
        assert_eq!(*lock.lock(), 3, "the value is kept");
        "a lock was taken again after each way of giving it up".to_owned()
    }

    pub(super) fn a_panic_leaves_no_poison() -> String {
        let lock = shared(1);
        let dies = move || {
            let mut guard = lock.lock();
            *guard = 2;
            resume_unwind(Box::new("under the lock"));
        };
        assert!(thread::spawn(dies).join().is_err(), "that thread panics");
        let value = catch_unwind(AssertUnwindSafe(|| *lock.lock()));
        assert_eq!(value.ok(), Some(2), "after a panic under the guard `lock` must return it, with the value as left");
        "a lock was taken after a panic under it".to_owned()
    }

    pub(super) fn a_cell_is_written_once() -> String {
        let cell = OnceLock::new();
        assert_eq!(cell.get(), None, "a new cell is empty");
        assert_eq!(cell.set(Box::new(1)), Ok(()), "the first `set` succeeds");
        assert_eq!(cell.set(Box::new(2)), Err(Box::new(2)), "the second `set` gives its value back");
        assert_eq!(cell.get(), Some(&Box::new(1)), "the first value stays");
        assert_eq!(cell.into_inner(), Some(Box::new(1)), "`into_inner` gives the value");
        assert_eq!(OnceLock::<u8>::new().into_inner(), None, "`into_inner` of an empty cell gives nothing");
        "the second write was refused".to_owned()
    }

    pub(super) fn values_are_dropped_once() -> String {
        let value = Rc::new(());
        let expect = |handles, what| assert_eq!(Rc::strong_count(&value), handles, "handles after {}", what);
        let lock = Mutex::new(value.clone());
        *lock.lock() = value.clone();
        expect(2, "a write through the guard");
        drop(lock);
        expect(1, "the drop of the lock");
        let cell = OnceLock::new();
        assert!(cell.set(value.clone()).is_ok() && cell.set(value.clone()).is_err());
        expect(2, "a refused `set`");
        drop(cell);
        expect(1, "the drop of the cell");
        let cell = OnceLock::new();
        assert!(cell.set(value.clone()).is_ok());
        let taken = cell.into_inner();
        expect(2, "`into_inner`");
        drop(taken);
        expect(1, "the drop of what `into_inner` gave");
        "each value was dropped once, and by its last owner".to_owned()
    }

    pub(super) fn four_threads_get_their_turns() -> String {
        const EACH: usize = 500;
        let lock = shared(0);
        let turns = move || (0..EACH).for_each(|_| *lock.lock() += 1);
        let threads = [(); 4].map(|()| thread::spawn(turns));
        let _ended = threads.map(|thread| thread.join().unwrap_or_else(|payload| resume_unwind(payload)));
        assert_eq!(*lock.lock(), 4 * EACH, "each turn counts");
        format!("4 threads with {} turns each ended within {} s", EACH, LIMIT.as_secs())
    }

    pub(super) fn the_same_thread_does_not_get_in_again() -> String {
        let (tell, told) = mpsc::channel();
        drop(thread::spawn(move || {
            let lock = shared(0);
            let first = lock.lock();
            tell.send(()).expect("the other end waits");
            let second = lock.lock();
            tell.send(()).expect("the other end waits");
            drop((first, second));
        }));
        told.recv().expect("the first lock is taken");
        let is_in_again = told.recv_timeout(4 * HELD).is_ok();
        assert!(!is_in_again, "a thread that had the guard got it a second time");
        format!("a thread that asked twice did not get in within {} ms", 4 * HELD.as_millis())
    }

    /// A value of a type, or none, whose auto traits are asked for. The compiler chooses the first trait that fits.
    struct Asked<T>(RefCell<Option<T>>, PhantomData<T>);

    trait IsSend {
        fn is_send(&self) -> bool;
        fn drop_elsewhere(&self);
    }

    impl<T: Send + 'static> IsSend for Asked<T> {
        fn is_send(&self) -> bool {
            true
        }

        fn drop_elsewhere(&self) {
            let value = self.0.take();
            thread::spawn(move || drop(value)).join().expect("a drop does not panic");
        }
    }

    trait IsNotSend {
        fn is_send(&self) -> bool;
        fn drop_elsewhere(&self);
    }

    impl<T> IsNotSend for &Asked<T> {
        fn is_send(&self) -> bool {
            false
        }

        fn drop_elsewhere(&self) {
            drop(self.0.take());
        }
    }

    trait IsSync {
        fn is_sync(&self) -> bool;
    }

    impl<T: Sync> IsSync for Asked<T> {
        fn is_sync(&self) -> bool {
            true
        }
    }

    trait IsNotSync {
        fn is_sync(&self) -> bool;
    }

    impl<T> IsNotSync for &Asked<T> {
        fn is_sync(&self) -> bool {
            false
        }
    }

    fn asked<T>(value: Option<T>) -> Asked<T> {
        Asked(RefCell::new(value), PhantomData)
    }

    macro_rules! expect {
        ($type:ty: send $send:literal, sync $sync:literal) => {
            let asked = asked(None::<$type>);
            let (is_send, is_sync) = ((&asked).is_send(), (&asked).is_sync());
            assert_eq!(is_send, $send, "whether {} is Send", stringify!($type));
            assert_eq!(is_sync, $sync, "whether {} is Sync", stringify!($type));
        };
    }

    pub(super) fn auto_traits() -> String {
        expect!(Mutex<u8>: send true, sync true);
        expect!(Mutex<Cell<u8>>: send true, sync true);
        expect!(Mutex<Rc<u8>>: send false, sync false);
        expect!(Mutex<MutexGuard<'static, u8>>: send false, sync false);
        expect!(OnceLock<u8>: send true, sync true);
        expect!(OnceLock<Cell<u8>>: send true, sync false);
        expect!(OnceLock<Rc<u8>>: send false, sync false);
        expect!(OnceLock<MutexGuard<'static, u8>>: send false, sync false);
        let of_one_thread: &'static Mutex<Rc<u8>> = Box::leak(Box::new(Mutex::new(Rc::new(0))));
        let guard = asked(Some(of_one_thread.lock()));
        assert!(!(&guard).is_send(), "a guard of a value that is not Send must not be Send");
        let guard = asked(Some(shared(Cell::new(0)).lock()));
        assert!(!(&guard).is_sync(), "a guard of a value that is not Sync must not be Sync");
        "8 types and 2 guards are Send and Sync as they must be".to_owned()
    }

    pub(super) fn a_guard_that_is_sent_opens_the_lock() -> String {
        let lock = shared(0);
        let guard = asked(Some(lock.lock()));
        let is_send = (&guard).is_send();
        (&guard).drop_elsewhere();
        drop(lock.lock());
        format!("the guard is {}Send, and was dropped where it may be", if is_send { "" } else { "not " })
    }
}

#[cfg(loom)]
mod explored {
    use super::OnceLock;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::sync::Arc;

    /// Plays a program in every interleaving, without a bound.
    pub(super) fn played<S: Send + Sync + 'static>(
        make: fn(usize) -> S,
        act: fn(&S, usize, usize),
        end: fn(&S, usize),
    ) -> String {
        let executions = Arc::new(AtomicUsize::new(0));
        let counted = executions.clone();
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = None;
        builder.max_branches = 10_000;
        builder.check(move || {
            counted.fetch_add(1, Relaxed);
            let state = Arc::new(make(1));
            let of_other = state.clone();
            let other = loom::thread::spawn(move || act(&of_other, 1, 0));
            act(&state, 0, 0);
            other.join().expect("loom reports a panic itself");
            end(&state, 1);
        });
        format!("{} executions under loom, which are all", executions.load(Relaxed))
    }

    /// Loom plays what happens between these steps by itself.
    pub(super) fn pause(_steps: usize) {}

    pub(super) fn found<T>(cell: &OnceLock<T>) -> Option<&T> {
        cell.get()
    }
}
