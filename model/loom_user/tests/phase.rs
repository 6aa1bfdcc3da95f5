//! Who loses the race of `complete` asks the kernel whether the hand-over is over.
#![cfg(loom)]

use loom::model;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread;
use whendone::kernel::{Added, Cell, Phase, UNTAGGED};

type Line = Cell<u32, &'static str>;

/// Two threads complete one cell, on which a callback waits. The loser looks at once:
/// if `is_over` says so, what the callbacks did is seen, though nothing but the cell orders it.
fn who_loses_looks(is_over: fn(&Line) -> bool) {
    let (cell, ran) = (Arc::new(Line::new(1)), Arc::new(AtomicUsize::new(0)));
    assert!(matches!(cell.add(UNTAGGED, "waits"), Added::Waits(_)));
    let complete = move |cell: Arc<Line>, ran: Arc<AtomicUsize>| match cell.complete(1) {
        Ok(owed) => cell.drain(owed, |batch| batch.for_each(|_| ran.store(1, Relaxed))),
        Err(_) => {
            let over = is_over(&cell);
            assert!(cell.outcome().is_some(), "P2");
            assert!(!over || ran.load(Relaxed) == 1, "P19");
            assert_ne!(cell.phase().0, Phase::Pending, "P3");
        }
    };
    let (others, runs) = (cell.clone(), ran.clone());
    let other = thread::spawn(move || complete(others, runs));
    complete(cell.clone(), ran);
    other.join().unwrap();
    assert_eq!(cell.phase(), (Phase::Settled, 0), "P19");
}

/// P2, P3, P19
#[test]
fn settled_means_that_every_callback_has_returned() {
    model(|| who_loses_looks(|cell| cell.phase().0 == Phase::Settled));
}

/// Done is not settled: the callback may not have run. So the test above is not empty.
#[test]
#[should_panic(expected = "P19")]
fn an_outcome_says_nothing_about_the_hand_over() {
    model(|| who_loses_looks(|cell| cell.outcome().is_some()));
}
