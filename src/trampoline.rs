//! Where a drain runs: never inside another drain of the same thread.
//!
//! A drain that starts while this thread is in one is put off until the outermost is through; its
//! task stays `Draining` meanwhile. So a chain of tasks that complete each other needs no stack
//! (R36), and hand-over stays serial and in order (P7, P8).

use super::contain::contain;
use std::cell::RefCell;
use std::collections::VecDeque;

pub(super) type Job = Box<dyn FnOnce()>;

super::sync::thread_local! {
    /// The drains put off on this thread; `None` while it is in none.
    pub(super) static PUT_OFF: RefCell<Option<VecDeque<Job>>> = RefCell::new(None);
}

/// Runs the drain now or, inside another, after it.
///
/// UNPOISONED: a drain contains what it calls, but may drop the last handle of its task, and with it
/// a value whose drop panics; nobody is left to be told (P14).
pub(crate) fn run(drain: impl FnOnce() + 'static) {
    let mut drain = Some(move || drop(contain(drain)));
    let outermost = PUT_OFF.try_with(|jobs| match &mut *jobs.borrow_mut() {
        Some(jobs) => {
            jobs.extend(drain.take().map(|drain| Box::new(drain) as Job));
            None
        }
        jobs @ None => {
            *jobs = Some(VecDeque::new());
            Some(Outermost)
        }
    });
    // A thread that is ending has no trampoline any more: its drains run at once.
    let _outermost = outermost.ok().flatten();
    if let Some(drain) = drain {
        drain();
    }
}

/// Works off what was put off, and then leaves the thread as it was.
struct Outermost;

impl Drop for Outermost {
    fn drop(&mut self) {
        while let Some(job) = PUT_OFF.with(|jobs| jobs.borrow_mut().as_mut()?.pop_front()) {
            job();
        }
        PUT_OFF.with(|jobs| jobs.borrow_mut().take());
    }
}
