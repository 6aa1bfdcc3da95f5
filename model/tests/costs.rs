//! What each operation of the core costs in lock sections, each of which is two atomic
//! read-modify-writes on std when nobody else wants the lock.

use std::sync::Arc;
use whendone_model::engines::alone::kernel::{Added, CallbackId, Cell};
use whendone_model::engines::std_sync::lock_sections;

type Handle = Arc<Cell<&'static str, u32>>;

fn add(cell: &Handle, callback: u32) -> CallbackId {
    match Cell::add(cell, 0, callback) {
        Added::Waits(id) => id,
        Added::YouDrain(id, drain) => {
            drain.drain(|_, _| ());
            id
        }
    }
}

fn sections<R>(operation: impl FnOnce() -> R) -> usize {
    let before = lock_sections();
    operation();
    lock_sections() - before
}

/// P18
#[test]
fn an_operation_takes_one_lock_section_and_a_drain_one_for_each_look() {
    let cell: Handle = Arc::new(Cell::new(1));
    let ids: Vec<_> = (0..8).map(|callback| add(&cell, callback)).collect();
    assert_eq!(sections(|| add(&cell, 8)), 1, "add");
    assert_eq!(sections(|| cell.remove(ids[3])), 1, "remove");
    assert_eq!(sections(|| cell.replace(ids[2], 9)), 1, "replace");
    assert_eq!(sections(|| cell.remove_all(7)), 1, "remove all");
    assert_eq!(sections(|| cell.outcome().is_none()), 0, "read while pending");
    let complete = || Cell::complete(&cell, "value").expect("the first one").drain(|_, _| ());
    assert_eq!(sections(complete), 2, "complete: publish, and a look that finds no more, however many callbacks");
    assert_eq!(sections(|| cell.outcome().is_some()), 0, "read once done");
    assert_eq!(sections(|| add(&cell, 9)), 2, "late add: admit, and a look that finds no more");
}
