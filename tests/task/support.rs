//! Schedulers, wakers and logs that the tests of a task share.

#[path = "../support/panics.rs"]
mod panics;
#[path = "../support/touchy.rs"]
mod touchy;

use futures::FutureExt;
use std::future::{Future, IntoFuture};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use whendone::{Failure, Ready, Report, Schedule, SharedCallback, Task};

pub(crate) use panics::{blamed, while_unwinding};
pub(crate) use touchy::{Touch, touchy_waker};

/// The events, in order.
#[derive(Clone, Default)]
pub(crate) struct Log(pub(crate) Arc<Mutex<Vec<&'static str>>>);

impl Log {
    pub(crate) fn note(&self, word: &'static str) {
        self.0.lock().unwrap().push(word);
    }

    /// A callback that notes a word.
    pub(crate) fn says<T>(&self, word: &'static str) -> impl Fn(&Task<T>) + Send + Sync + use<T> {
        let log = self.clone();
        move |_| log.note(word)
    }

    /// A waker that notes a word.
    pub(crate) fn waker(&self, word: &'static str) -> Waker {
        struct Noting(Log, &'static str);
        impl Wake for Noting {
            fn wake(self: Arc<Self>) {
                self.0.note(self.1);
            }
        }
        Arc::new(Noting(self.clone(), word)).into()
    }

    pub(crate) fn words(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }
}

/// A scheduler that keeps callbacks until the test runs them.
pub(crate) fn queue() -> (impl Schedule + Clone, Receiver<Ready>) {
    let (sender, queue) = mpsc::channel();
    (move |ready| sender.send(ready).map_err(|refused| refused.0), queue)
}

pub(crate) fn run_all(queue: &Receiver<Ready>) {
    queue.try_iter().for_each(Ready::run);
}

pub(crate) fn refusing(ready: Ready) -> Result<(), Ready> {
    Err(ready)
}

/// A scheduler with a hook that keeps its reports.
pub(crate) struct Watched<S>(S, Sender<Report>);

impl<S: Schedule> Schedule for Watched<S> {
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        self.0.schedule(ready)
    }

    fn report(&self, report: &Report) {
        let _ = self.1.send(report.clone());
    }
}

pub(crate) fn watched<S: Schedule>(scheduler: S) -> (Watched<S>, Receiver<Report>) {
    let (sender, reports) = mpsc::channel();
    (Watched(scheduler, sender), reports)
}

pub(crate) fn failures(reports: &Receiver<Report>) -> Vec<Failure> {
    reports.try_iter().map(|report| report.failure).collect()
}

/// A value that makes a call when it is dropped.
pub(crate) struct OnDrop<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Performs every operation on a task; the last one completes it. Hangs if a lock is held.
pub(crate) fn use_all(task: &Task<u32>) {
    let shared = SharedCallback::new(|_: &Task<u32>| ());
    task.add_shared(&shared);
    let id = task.add_done_callback(|_| ());
    let done = task.is_done();
    assert_eq!((task.remove_done_callback(id), task.remove_shared(&shared)), (!done, usize::from(!done)));
    assert_eq!(poll(&mut task.into_future(), Waker::noop()).is_ready(), done);
    assert_eq!((task.cancel(), task.is_done()), (!done, true));
    assert!(format!("{task:?}{:?}{:?}", task.name(), task.outcome()).starts_with("<Task "));
}

pub(crate) fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    future.poll_unpin(&mut Context::from_waker(waker))
}
