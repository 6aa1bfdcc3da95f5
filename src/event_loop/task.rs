//! A task of the loop: how it is polled, woken and cancelled, one step at a time.

use super::super::outcome::Outcome;
use super::super::panic::contain;
use super::super::report::{Failure, Report};
use super::super::schedule::{Owner, Ready, Schedule, tell};
use super::super::sync::{Arc, Mutex, fresh_serial};
use super::super::task::Task;
use super::entry::Entry;
use super::handle::Handle;
use super::state::{Owes, State};
use futures::future::BoxFuture;
use futures::task::{ArcWake, waker_ref};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::mem;
use std::panic::Location;
use std::task::{Context, Poll, Waker};

/// The tasks of a loop that are not done, by age, each with its future.
#[derive(Default)]
pub(super) struct Tasks {
    bodies: BTreeMap<u64, (Arc<Stepper>, Body)>,
    named: u64,
    closed: bool,
}

type Body = BoxFuture<'static, ()>;

impl Tasks {
    pub(super) fn next_name(&mut self) -> String {
        self.named += 1;
        format!("Task-{}", self.named)
    }

    /// Stores the body of a task. Gives it back if the loop is closed: then the caller drops it, outside the lock.
    pub(super) fn put(&mut self, stepper: Arc<Stepper>, body: Body) -> Option<Body> {
        if self.closed {
            return Some(body);
        }
        self.bodies.insert(stepper.serial, (stepper, body));
        None
    }

    pub(super) fn steppers(&self) -> Vec<Arc<Stepper>> {
        self.bodies.values().map(|(stepper, _)| stepper.clone()).collect()
    }

    /// Refuses bodies from now on, and returns those that are left: the caller drops them, outside the lock.
    pub(super) fn close(&mut self) -> impl Iterator<Item = Body> + use<> {
        self.closed = true;
        mem::take(&mut self.bodies).into_values().map(|(_, body)| body)
    }

    pub(super) fn len(&self) -> usize {
        self.bodies.len()
    }
}

/// The part of a task that other threads share with the loop: they wake it and request its cancellation.
pub(super) struct Stepper {
    serial: u64,
    handle: Handle,
    state: Mutex<State>,
}

impl Stepper {
    pub(super) fn new(handle: Handle) -> Self {
        Stepper { serial: fresh_serial(), handle, state: Mutex::default() }
    }

    /// Polls the task once, on the loop's thread.
    pub(super) fn step(self: &Arc<Self>) {
        let tasks = &self.handle.shared().tasks;
        let found = tasks.lock().bodies.remove(&self.serial);
        let Some((stepper, mut body)) = found else { return };
        let owes = self.state.lock().begin_step();
        debug_assert_eq!(owes, Owes::Poll, "a task that is done has no body");
        let waker = waker_ref(self);
        let polled = contain(|| body.as_mut().poll(&mut Context::from_waker(&waker)));
        match polled {
            Ok(Poll::Ready(())) => {}
            Ok(Poll::Pending) => {
                let refused = tasks.lock().put(stepper, body);
                self.handle.discard(refused);
            }
            // The body contains the panics of its future, but not of the drop of a value that nobody kept.
            Err(panic) => tell(&self.handle, &Report::new(Failure::DropPanicked).panic(panic)),
        }
    }

    /// Returns true until the task is done; the loop will drop its future and cancel it (D10).
    pub(super) fn request_cancel(self: &Arc<Self>) -> bool {
        let owes = self.state.lock().request_cancel();
        ArcWake::wake_by_ref(self);
        owes == Owes::Wake
    }

    pub(super) fn is_done(&self) -> bool {
        self.state.lock().is_done()
    }

    fn is_cancel_requested(&self) -> bool {
        self.state.lock().is_cancel_requested()
    }
}

impl ArcWake for Stepper {
    fn wake_by_ref(stepper: &Arc<Self>) {
        let owes = stepper.state.lock().wake();
        if owes == Owes::Step {
            // A closed loop has abandoned the task.
            let _ = stepper.handle.push(Entry::Step(stepper.clone()));
        }
    }
}

/// The body of a task, from its first step to its last. Whenever it is dropped, it drops the future before
/// `running`: before the first step as the first argument, and later as the younger variable.
pub(super) async fn body<T: Send + Sync + 'static>(future: BoxFuture<'static, T>, running: Running<T>) {
    let mut future = future;
    let outcome = poll_fn(|context| {
        if running.stepper.is_cancel_requested() {
            return Poll::Ready(Outcome::Cancelled);
        }
        let polled = contain(|| future.as_mut().poll(context));
        match polled {
            Ok(polled) => polled.map(Outcome::Finished),
            Err(panic) => Poll::Ready(Outcome::Panicked(panic)),
        }
    })
    .await;
    running.drop_contained(|| drop(future));
    running.finish(outcome);
}

/// A task of the loop that is not done. If it is dropped early, it abandons its task and reports that (P16).
pub(super) struct Running<T: 'static> {
    pub(super) task: Task<T>,
    pub(super) stepper: Arc<Stepper>,
}

impl<T> Running<T> {
    /// Completes the task, once. A cancel request beats a value (R55), and no request is granted afterwards.
    fn finish(&self, outcome: Outcome<T>) {
        let mut state = self.stepper.state.lock();
        let ending = state.finish();
        if ending == Owes::Nothing {
            return;
        }
        let (outcome, beaten) = match outcome {
            Outcome::Panicked(_) => (outcome, None),
            _ if ending == Owes::Cancellation => (Outcome::Cancelled, Some(outcome)),
            _ => (outcome, None),
        };
        // ORDER: published in the section that ends requests, so that a refused one can read it (P2).
        let owed = self.task.publish(outcome);
        drop(state);
        self.drop_contained(|| drop(beaten));
        if let Ok(owed) = owed {
            self.task.hand_over_all(owed);
        }
    }

    fn drop_contained(&self, drop: impl FnOnce()) {
        if let Err(panic) = contain(drop) {
            self.task.tell(Report::new(Failure::DropPanicked).panic(panic));
        }
    }
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        self.finish(Outcome::Abandoned);
        if let Some(Outcome::Abandoned) = self.task.cell().outcome() {
            self.task.tell(Report::new(Failure::TaskAbandoned));
        }
    }
}

/// The owner of a task of a loop.
pub(super) struct Spawned {
    pub(super) name: String,
    pub(super) stepper: Arc<Stepper>,
    pub(super) spawned_at: &'static Location<'static>,
}

impl Owner for Spawned {
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        Schedule::schedule(&self.stepper.handle, ready)
    }

    fn only_queues(&self) -> bool {
        Schedule::only_queues(&self.stepper.handle)
    }

    fn report(&self, report: &Report) {
        Schedule::report(&self.stepper.handle, report);
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn request_cancel(&self) -> Option<bool> {
        Some(self.stepper.request_cancel())
    }

    fn is_cancelling(&self) -> bool {
        self.stepper.is_cancel_requested()
    }

    fn spawned_at(&self) -> Option<&'static Location<'static>> {
        Some(self.spawned_at)
    }

    fn is_polled_by(&self, waker: &Waker) -> bool {
        // `will_wake` would also compare tables of functions, of which a compiler may make several.
        waker.data() == Arc::as_ptr(&self.stepper).cast()
    }
}
