//! Where a drain runs: never inside another drain of the same thread.
//!
//! A drain that starts while this thread is in one is put off until the outermost is through; its
//! task stays `Draining` meanwhile. So a chain of tasks that complete each other needs no stack
//! (R36), and hand-over stays serial and in order (P7, P8).

use std::cell::RefCell;
use std::collections::VecDeque;

type Job = Box<dyn FnOnce()>;

super::sync::thread_local! {
    /// The drains put off on this thread; `None` while it is in none.
    static PUT_OFF: RefCell<Option<VecDeque<Job>>> = RefCell::new(None);
}

/// Runs the drain now or, inside another, after it. The drain must not unwind, and contains panics.
pub(crate) fn run(drain: impl FnOnce() + 'static) {
    let mut drain = Some(drain);
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

/// Works off what was put off, and then leaves the thread as it was, also when a drain unwinds.
struct Outermost;

impl Drop for Outermost {
    fn drop(&mut self) {
        while let Some(job) = PUT_OFF.with(|jobs| jobs.borrow_mut().as_mut()?.pop_front()) {
            job();
        }
        PUT_OFF.with(|jobs| jobs.borrow_mut().take());
    }
}
