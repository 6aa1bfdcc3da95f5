//! An assumption of the proof of the queue: no operation drops a callback, so none can unwind halfway.

use queue::Queue;
use std::cell::{Cell, RefCell};
use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

extern crate alloc;

#[allow(dead_code, reason = "only the cell uses the rest")]
#[path = "../../src/kernel/queue.rs"]
mod queue;

/// A callback that notes its drop. One of them panics.
struct Noted {
    number: u64,
    panics: bool,
    dropped: Rc<RefCell<Vec<u64>>>,
}

impl Drop for Noted {
    fn drop(&mut self) {
        self.dropped.borrow_mut().push(self.number);
        assert!(!self.panics, "its drop panics, as planned");
    }
}

/// Up and down at each height, by every operation: nothing is dropped before it is given back.
#[test]
fn no_operation_drops_a_callback() {
    let dropped = Rc::default();
    let noted = |number| Noted { number, panics: false, dropped: Rc::clone(&dropped) };
    let sequence = |number: u64| NonZeroU64::new(number).expect("not zero");
    let tag = |number: u64| sequence(1 + number % 3);
    let inside = Cell::new(0);
    for height in 1..200 {
        let mut queue = Queue::EMPTY;
        let mut given = Vec::new();
        (1..=height).for_each(|number| queue.push(sequence(number), tag(number), noted(number)));
        given.push(queue.replace(sequence(1), noted(0)).unwrap_or_else(|refused| refused));
        given.push(queue.replace(sequence(height + 1), noted(0)).unwrap_or_else(|refused| refused));
        given.extend((1..=height / 2).filter_map(|half| queue.remove(sequence(2 * half))));
        given.extend(queue.remove_all(tag(1)));
        let mut batch = queue.take();
        given.extend(batch.by_ref());
        assert!(batch.is_empty() && queue.len() == 0);
        inside.set(inside.get() + dropped.borrow().len());
        assert_eq!(given.len() as u64, height + 2);
        drop(given);
        dropped.borrow_mut().clear();
    }
    assert_eq!(inside.get(), 0, "callbacks were dropped inside of an operation");
}

/// A queue that is dropped with callbacks in it drops each one, also if one of them panics.
#[test]
fn a_drop_that_panics_keeps_no_other_from_being_dropped() {
    for height in 1..20 {
        let dropped = Rc::default();
        let mut queue = Queue::EMPTY;
        for number in 1..=height {
            let noted = Noted { number, panics: number == height.div_ceil(2), dropped: Rc::clone(&dropped) };
            queue.push(NonZeroU64::new(number).expect("not zero"), NonZeroU64::MIN, noted);
        }
        assert!(catch_unwind(AssertUnwindSafe(|| drop(queue))).is_err());
        assert_eq!(*dropped.borrow(), (1..=height).collect::<Vec<_>>());
    }
}
