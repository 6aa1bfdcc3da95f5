//! Where a drain runs: one that may run callbacks, never inside another drain of the same thread.
//!
//! A drain that may run callbacks is deferred until the outermost drain of this thread has ended; its
//! task stays `Draining` meanwhile. So a chain of tasks that complete each other needs no stack
//! (R36), and hand-over stays serial and in order (P7, P8).
//!
//! A drain that only queues callbacks, and wakes awaits, runs at once inside a callback, so that nobody
//! elsewhere waits for the end of that callback (D25). Inside another drain that only queues, it is
//! deferred until that one has ended: a queue gets the callbacks of each thread in the order of
//! completion (R38), and a chain of wakers needs no stack either.

use super::panic::contain;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::mem::ManuallyDrop;

/// The drain that a thread is in. Another one begins only inside a lesser one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Doing {
    NoDrain,
    /// A drain that may run callbacks on this thread.
    Calls,
    /// A drain that only queues callbacks, and wakes awaits.
    Queues,
}

type Job = Box<dyn FnOnce()>;

/// The drains of a thread.
struct Drains {
    doing: Cell<Doing>,
    /// A drain was deferred since the outermost began.
    has_deferred: Cell<bool>,
    calling: RefCell<VecDeque<Job>>,
    queueing: RefCell<VecDeque<Job>>,
}

super::sync::thread_local! {
    /// Empty outside drains.
    static DRAINS: ManuallyDrop<Drains> = ManuallyDrop::new(Drains::new());
}

/// Begins a drain, unless it has to be deferred.
#[inline]
pub(super) fn enter(drain: Doing) -> Option<Inside> {
    let around = DRAINS.with(|drains| {
        let around = drains.doing.get();
        (around < drain).then(|| drains.doing.replace(drain))
    });
    around.map(|around| Inside { around })
}

/// Defers a drain until those that this thread is in allow it.
///
/// UNPOISONED: a drain contains the panics of its callbacks, but may drop the last handle of its task,
/// and with it a value whose drop panics. A deferred drain has nobody left to report that to (P14).
#[cold]
pub(super) fn put_off(kind: Doing, drain: impl FnOnce() + 'static) {
    let job: Job = Box::new(move || drop(contain(drain)));
    DRAINS.with(|drains| {
        let jobs = if kind == Doing::Queues { &drains.queueing } else { &drains.calling };
        jobs.borrow_mut().push_back(job);
        drains.has_deferred.set(true);
    });
}

/// A drain of this thread. At its end it performs the drains that it deferred, and then leaves the thread as it
/// was, also when the drain unwinds.
pub(super) struct Inside {
    around: Doing,
}

impl Drop for Inside {
    #[inline]
    fn drop(&mut self) {
        if DRAINS.with(|drains| drains.has_deferred.get()) {
            self.work_off();
        }
        DRAINS.with(|drains| drains.doing.set(self.around));
    }
}

impl Inside {
    #[cold]
    fn work_off(&self) {
        while let Some(job) = DRAINS.with(|drains| self.next(drains)) {
            job();
        }
    }

    /// The next deferred drain. Those that may run callbacks wait for the end of the outermost drain, which
    /// leaves nothing behind.
    fn next(&self, drains: &Drains) -> Option<Job> {
        let queueing = drains.queueing.borrow_mut().pop_front();
        if queueing.is_some() {
            drains.doing.set(Doing::Queues);
            return queueing;
        }
        if self.around != Doing::NoDrain {
            return None;
        }
        drains.doing.set(Doing::Calls);
        let calling = drains.calling.borrow_mut().pop_front();
        if calling.is_none() {
            drains.swap(&Drains::new());
        }
        calling
    }
}

impl Drains {
    const fn new() -> Self {
        Drains {
            doing: Cell::new(Doing::NoDrain),
            has_deferred: Cell::new(false),
            calling: RefCell::new(VecDeque::new()),
            queueing: RefCell::new(VecDeque::new()),
        }
    }

    fn swap(&self, other: &Drains) {
        self.doing.swap(&other.doing);
        self.has_deferred.swap(&other.has_deferred);
        self.calling.swap(&other.calling);
        self.queueing.swap(&other.queueing);
    }
}

/// A fresh start: until it is dropped, drains of this thread run at once. It lets a loop that runs
/// or ends inside an inline callback make progress; the loop would otherwise wait for drains that
/// this callback has deferred.
#[allow(dead_code, reason = "only the event loop starts afresh")]
pub(super) struct Afresh(Option<Drains>);

#[allow(dead_code, reason = "only the event loop starts afresh")]
impl Afresh {
    pub(super) fn new() -> Self {
        let is_inside = DRAINS.with(|drains| drains.doing.get() != Doing::NoDrain);
        let around = is_inside.then(Drains::new);
        swap_with(around.as_ref());
        Afresh(around)
    }
}

impl Drop for Afresh {
    fn drop(&mut self) {
        swap_with(self.0.as_ref());
    }
}

fn swap_with(around: Option<&Drains>) {
    if let Some(around) = around {
        DRAINS.with(|drains| drains.swap(around));
    }
}
