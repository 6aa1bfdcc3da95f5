//! The last handle of a cell may be dropped on any thread: loom counts the handles here, explores every order and finds
//! leaks. Scenarios do the same with the handles of a task.

use loom::sync::Arc;
use loom::thread;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use whendone_model::engines::Extent;
use whendone_model::engines::loom::explore::explore;
use whendone_model::engines::loom::mutex::kernel::{Added, Cell, Drain, UNTAGGED};

/// The fate of each stored thing, by number: how often it was handed over and dropped. loom does not see these counts.
#[derive(Default)]
struct Fate {
    handed: [AtomicUsize; 3],
    dropped: [AtomicUsize; 3],
}

/// An outcome or a callback.
struct Stored(std::sync::Arc<Fate>, usize);

impl Drop for Stored {
    fn drop(&mut self) {
        self.0.dropped[self.1].fetch_add(1, Relaxed);
    }
}

impl Fate {
    fn read(counts: &[AtomicUsize; 3]) -> [usize; 3] {
        counts.each_ref().map(|count| count.load(Relaxed))
    }
}

type SharedCell = Arc<Cell<Stored, Stored>>;

const OUTCOME: usize = 0;

/// A thread's use of its handle, which it drops at its end. The function given to it makes the thing with that number.
type UseHandle = fn(SharedCell, &dyn Fn(usize) -> Stored);

/// Every fate that two threads can bring about.
fn fates(bodies: [UseHandle; 2]) -> BTreeSet<[[usize; 3]; 2]> {
    let seen = std::sync::Arc::new(Mutex::new(BTreeSet::new()));
    let written = seen.clone();
    let explored = explore(move || {
        let fate = std::sync::Arc::new(Fate::default());
        let cell: SharedCell = Arc::new(Cell::new(1));
        wait(&cell, Stored(fate.clone(), 1));
        let threads = bodies.map(|body| {
            let (cell, fate) = (cell.clone(), fate.clone());
            thread::spawn(move || body(cell, &|number| Stored(fate.clone(), number)))
        });
        drop(cell);
        threads.into_iter().for_each(|thread| thread.join().expect("it ends"));
        written.lock().expect("nobody panics").insert([Fate::read(&fate.handed), Fate::read(&fate.dropped)]);
    });
    assert_eq!(explored, Ok(Extent::Complete), "the environment does not bound it");
    std::mem::take(&mut *seen.lock().expect("nobody panics"))
}

fn wait(cell: &SharedCell, callback: Stored) {
    assert!(matches!(cell.add(UNTAGGED, callback), Added::Waits(_)), "it is pending");
}

fn drain(cell: &SharedCell, owed: Drain<Stored>) {
    cell.drain(owed, |batch| {
        for callback in batch {
            callback.0.handed[callback.1].fetch_add(1, Relaxed);
        }
    });
}

fn complete(cell: SharedCell, thing: &dyn Fn(usize) -> Stored) {
    drain(&cell, cell.complete(thing(OUTCOME)).unwrap_or_else(|_| unreachable!("it is completed once")));
}

fn add(cell: SharedCell, thing: &dyn Fn(usize) -> Stored) {
    if let Added::YouDrain(_, owed) = cell.add(UNTAGGED, thing(2)) {
        drain(&cell, owed);
    }
}

fn read(cell: SharedCell, _: &dyn Fn(usize) -> Stored) {
    cell.outcome();
}

/// As `Task::try_into_outcome`: an outcome that is taken out counts as handed over.
fn take(cell: SharedCell, _: &dyn Fn(usize) -> Stored) {
    if let Some(Stored(fate, number)) = Arc::try_unwrap(cell).ok().and_then(Cell::into_outcome).as_ref() {
        fate.handed[*number].fetch_add(1, Relaxed);
    }
}

/// P2, P15: the last handle gets the whole outcome, whichever thread let the last but one go.
#[test]
fn the_outcome_is_taken_out_or_dropped_but_never_both() {
    let [taken, dropped] = [[[1, 1, 0], [1, 1, 0]], [[0, 1, 0], [1, 1, 0]]];
    assert_eq!(fates([complete, take]), BTreeSet::from([taken, dropped]));
    assert_eq!(fates([take, take]), BTreeSet::from([[[0, 0, 0], [0, 1, 0]]]));
}

/// P4, P5, P15: in either order each callback runs once, and each stored thing is dropped once.
#[test]
fn completer_and_late_adder_both_drop_their_handles() {
    assert_eq!(fates([complete, add]), BTreeSet::from([[[0, 1, 1], [1, 1, 1]]]));
}

/// P15
#[test]
fn completer_and_reader_both_drop_their_handles() {
    assert_eq!(fates([complete, read]), BTreeSet::from([[[0, 1, 0], [1, 1, 0]]]));
}

/// P6, P15: the cell stays pending, so nothing is handed over, and the waiting callbacks are dropped.
#[test]
fn a_cell_that_is_never_completed_is_dropped_by_both() {
    assert_eq!(fates([add, read]), BTreeSet::from([[[0, 0, 0], [0, 1, 1]]]));
}
