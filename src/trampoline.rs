//! Where a drain runs: never inside another drain of the same thread.
//!
//! A drain that starts while this thread is in one is deferred until the outermost has ended; its
//! task stays `Draining` meanwhile. So a chain of tasks that complete each other needs no stack
//! (R36), and hand-over stays serial and in order (P7, P8).

use super::panic::contain;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::mem;

/// The drains of a thread.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Doing {
    #[default]
    NoDrain,
    Drain,
    /// A drain, and others are deferred.
    DrainAndMore,
}

type Job = Box<dyn FnOnce()>;

super::sync::thread_local! {
    static DOING: Cell<Doing> = Cell::new(Doing::NoDrain);
}

super::sync::thread_local! {
    static PUT_OFF: RefCell<VecDeque<Job>> = RefCell::new(VecDeque::new());
}

/// Begins a drain, unless this thread is in one already.
#[inline]
pub(super) fn enter() -> Option<Outermost> {
    DOING.with(|doing| (doing.get() == Doing::NoDrain).then(|| doing.set(Doing::Drain))).map(|()| Outermost)
}

/// Defers a drain until the one that this thread is in has ended.
///
/// UNPOISONED: a drain contains the panics of its callbacks, but may drop the last handle of its task,
/// and with it a value whose drop panics. A deferred drain has nobody left to report that to (P14).
#[cold]
pub(super) fn put_off(drain: impl FnOnce() + 'static) {
    let mut job: Option<Job> = Some(Box::new(move || drop(contain(drain))));
    let _ = PUT_OFF.try_with(|jobs| jobs.borrow_mut().extend(job.take()));
    match job {
        None => DOING.with(|doing| doing.set(Doing::DrainAndMore)),
        // A thread that is ending defers nothing.
        Some(job) => job(),
    }
}

/// Performs the deferred drains, and then leaves the thread as it was, also when the drain unwinds.
pub(super) struct Outermost;

impl Drop for Outermost {
    #[inline]
    fn drop(&mut self) {
        if DOING.with(Cell::get) == Doing::DrainAndMore {
            work_off();
        }
        DOING.with(|doing| doing.set(Doing::NoDrain));
    }
}

#[cold]
fn work_off() {
    while let Some(job) = PUT_OFF.with(|jobs| jobs.borrow_mut().pop_front()) {
        job();
    }
}

/// A fresh start: until it is dropped, drains of this thread run at once. It lets a loop that runs
/// or ends inside an inline callback make progress; the loop would otherwise wait for drains that
/// this callback has deferred.
#[allow(dead_code, reason = "only the event loop starts afresh")]
pub(super) struct Afresh(Doing, VecDeque<Job>);

#[allow(dead_code, reason = "only the event loop starts afresh")]
impl Afresh {
    pub(super) fn new() -> Self {
        Afresh(DOING.with(Cell::take), PUT_OFF.try_with(RefCell::take).unwrap_or_default())
    }
}

impl Drop for Afresh {
    fn drop(&mut self) {
        let put_off = mem::take(&mut self.1);
        let _ = PUT_OFF.try_with(|jobs| jobs.replace(put_off));
        DOING.with(|doing| doing.set(self.0));
    }
}
