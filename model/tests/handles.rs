//! The last handle of a cell goes on any thread: its own count is loom's here, which sees every order and finds
//! what leaks. Scenarios do the same with a task's.

use loom::sync::Arc;
use loom::thread;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use whendone_model::engines::loom::mutex::kernel::{Added, Cell, Drain};

/// What happened to what was stored, by number: handed over, dropped. Loom does not see it.
#[derive(Default)]
struct Fate {
    handed: [AtomicUsize; 3],
    dropped: [AtomicUsize; 3],
}

/// An outcome or a callback.
struct Thing(std::sync::Arc<Fate>, usize);

impl Drop for Thing {
    fn drop(&mut self) {
        self.0.dropped[self.1].fetch_add(1, Relaxed);
    }
}

impl Fate {
    fn read(counts: &[AtomicUsize; 3]) -> [usize; 3] {
        counts.each_ref().map(|count| count.load(Relaxed))
    }
}

type Shared = Arc<Cell<Thing, Thing>>;

const OUTCOME: usize = 0;

/// What a thread does with a handle, which it gives away in the end; and what makes a thing of that number.
type Body = fn(Shared, &dyn Fn(usize) -> Thing);

/// All that a client can see of two of them.
fn fates(bodies: [Body; 2]) -> BTreeSet<[[usize; 3]; 2]> {
    let seen = std::sync::Arc::new(Mutex::new(BTreeSet::new()));
    let told = seen.clone();
    loom::model(move || {
        let fate = std::sync::Arc::new(Fate::default());
        let cell: Shared = Arc::new(Cell::new(1));
        wait(&cell, Thing(fate.clone(), 1));
        let threads = bodies.map(|body| {
            let (cell, fate) = (cell.clone(), fate.clone());
            thread::spawn(move || body(cell, &|number| Thing(fate.clone(), number)))
        });
        drop(cell);
        threads.into_iter().for_each(|thread| thread.join().expect("it ends"));
        told.lock().expect("nobody panics").insert([Fate::read(&fate.handed), Fate::read(&fate.dropped)]);
    });
    std::mem::take(&mut *seen.lock().expect("nobody panics"))
}

fn wait(cell: &Shared, callback: Thing) {
    assert!(matches!(Cell::add(cell, 0, callback), Added::Waits(_)), "it is pending");
}

fn drain(owed: Drain<Shared, Thing>) {
    owed.drain(|_, callback| {
        callback.0.handed[callback.1].fetch_add(1, Relaxed);
    });
}

fn complete(cell: Shared, thing: &dyn Fn(usize) -> Thing) {
    drain(Cell::complete(&cell, thing(OUTCOME)).unwrap_or_else(|_| unreachable!("it is completed once")));
}

fn add(cell: Shared, thing: &dyn Fn(usize) -> Thing) {
    if let Added::YouDrain(_, owed) = Cell::add(&cell, 0, thing(2)) {
        drain(owed);
    }
}

fn read(cell: Shared, _: &dyn Fn(usize) -> Thing) {
    cell.outcome();
}

/// As `Task::try_into_outcome`: an outcome that is taken out counts as handed over.
fn take(cell: Shared, _: &dyn Fn(usize) -> Thing) {
    if let Some(Thing(fate, number)) = Arc::try_unwrap(cell).ok().and_then(Cell::into_outcome).as_ref() {
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

/// P4, P5, P15: whoever is the last, each callback ran once, and all that was stored is dropped once.
#[test]
fn completer_and_late_adder_both_let_go() {
    assert_eq!(fates([complete, add]), BTreeSet::from([[[0, 1, 1], [1, 1, 1]]]));
}

/// P15
#[test]
fn completer_and_reader_both_let_go() {
    assert_eq!(fates([complete, read]), BTreeSet::from([[[0, 1, 0], [1, 1, 0]]]));
}

/// P6, P15: nobody completes it, so nothing is handed over, and what waits is dropped.
#[test]
fn nobody_completes_and_both_let_go() {
    assert_eq!(fates([add, read]), BTreeSet::from([[[0, 0, 0], [0, 1, 1]]]));
}
