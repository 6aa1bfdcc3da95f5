//! The kernel on its spin lock, from one thread and from two.

use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use whendone_no_std::kernel::{Added, Batch, CallbackId, Cell, Drain, Phase, UNTAGGED};

type Line = Arc<Cell<u32, u32>>;

/// P2, P6, P7
#[test]
fn completion_hands_over_what_waits_in_order() {
    let cell = cell();
    let _ids = [1, 2, 3].map(|callback| waits(&cell, callback));
    assert_eq!(cell.outcome(), None);
    let owed = cell.complete(10).unwrap();
    assert_eq!(cell.outcome(), Some(&10));
    assert_eq!(handed_over(&cell, owed), [1, 2, 3]);
}

/// P1
#[test]
fn a_second_completion_is_refused_and_hands_the_value_back() {
    let cell = cell();
    assert!(handed_over(&cell, cell.complete(10).unwrap()).is_empty());
    assert_eq!(cell.complete(11).err(), Some(11));
    assert_eq!(cell.outcome(), Some(&10));
}

/// P9, P10
#[test]
fn a_removed_callback_is_given_back_once_and_never_handed_over() {
    let cell = cell();
    let [_, second, _] = [1, 2, 3].map(|callback| waits(&cell, callback));
    assert_eq!(cell.remove(second), Some(2));
    assert_eq!(cell.remove(second), None);
    assert_eq!(handed_over(&cell, cell.complete(10).unwrap()), [1, 3]);
}

/// P11, P19
#[test]
fn a_late_callback_is_handed_over_by_the_thread_that_adds_it() {
    let cell = cell();
    assert!(handed_over(&cell, cell.complete(10).unwrap()).is_empty());
    let Added::YouDrain(id, owed) = cell.add(UNTAGGED, 1) else { panic!("nobody else drains {:?}", cell) };
    assert_eq!(cell.remove(id), None);
    assert_eq!(cell.phase(), (Phase::Draining, 0));
    assert_eq!(handed_over(&cell, owed), [1]);
    assert_eq!(cell.phase(), (Phase::Settled, 0));
}

/// P15
#[test]
fn a_consumed_cell_gives_its_outcome_by_value() {
    let done = cell();
    assert!(handed_over(&done, done.complete(10).unwrap()).is_empty());
    let outcomes = [done, cell()].map(|cell| Arc::into_inner(cell).unwrap().into_outcome());
    assert_eq!(outcomes, [Some(10), None]);
}

/// P1, P4, P5, P7
/// Threads: two, each adds, completes and adds again, on the same cell.
/// May: any of them completes, any of them hands over.
/// Must not: both complete, a callback is lost or handed over twice, or overtakes its own thread's.
#[test]
fn adding_and_completing_vs_the_same() {
    for _ in 0..1_000 {
        let (cell, handed, start) = (cell(), Mutex::new(Vec::new()), Barrier::new(2));
        let hand_over = |batch: &mut Batch<_>| handed.lock().unwrap().extend(batch);
        let act = |name: u32| {
            start.wait();
            add(&cell, name, hand_over);
            let completed = cell.complete(name).map(|owed| cell.drain(owed, hand_over));
            add(&cell, name + 1, hand_over);
            completed.is_ok()
        };
        let completed = thread::scope(|scope| {
            let other = scope.spawn(|| act(20));
            [act(10), other.join().unwrap()]
        });
        let handed = handed.into_inner().unwrap();
        assert_eq!(completed.map(u8::from).iter().sum::<u8>(), 1);
        for name in [10, 20] {
            let own: Vec<_> = handed.iter().filter(|&&callback| callback / 10 == name / 10).collect();
            assert_eq!(own, [&name, &(name + 1)]);
        }
        assert_eq!(cell.snapshot().phase, Phase::Settled);
    }
}

fn cell() -> Line {
    Arc::new(Cell::new(1))
}

/// Adds a callback, and hands it over if that is owed.
fn add(cell: &Line, callback: u32, hand_over: impl FnMut(&mut Batch<u32>)) {
    if let Added::YouDrain(_, owed) = cell.add(UNTAGGED, callback) {
        cell.drain(owed, hand_over);
    }
}

/// Adds a callback that has to wait.
fn waits(cell: &Line, callback: u32) -> CallbackId {
    match cell.add(UNTAGGED, callback) {
        Added::Waits(id) => id,
        Added::YouDrain(..) => panic!("{:?} does not let {} wait", cell, callback),
    }
}

fn handed_over(cell: &Line, owed: Drain<u32>) -> Vec<u32> {
    let mut handed = Vec::new();
    cell.drain(owed, |batch| handed.extend(batch));
    handed
}
