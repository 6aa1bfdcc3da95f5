//! A task of the loop: how it is polled, woken and cancelled, one step at a time.

use super::super::id::TaskId;
use super::super::outcome::Outcome;
use super::super::panic::contain;
use super::super::report::{Failure, Report};
use super::super::schedule::{Owner, Ready, Schedule};
use super::super::sync::{Arc, Mutex};
use super::super::task::Task;
use super::entry::Entry;
use super::handle::Handle;
use super::name::Name;
use super::state::{Owes, State};
use futures_util::future::BoxFuture;
use futures_util::task::{ArcWake, waker_ref};
use std::collections::BTreeMap;
use std::mem;
use std::panic::Location;
use std::task::{Context, Poll, Waker};

/// The tasks of a loop that are not done, by age.
#[derive(Default)]
pub(super) struct Tasks {
    steppers: BTreeMap<TaskId, Arc<dyn Step>>,
    named: u64,
    closed: bool,
}

impl Tasks {
    pub(super) fn next_name(&mut self) -> Name {
        self.named += 1;
        Name::numbered(self.named)
    }

    /// Holds a task until it is done (R81). False if the loop is closed: then the caller abandons the task.
    pub(super) fn admit(&mut self, id: TaskId, stepper: Arc<dyn Step>) -> bool {
        if !self.closed {
            self.steppers.insert(id, stepper);
        }
        !self.closed
    }

    /// Holds a task no longer: it is done.
    fn release(&mut self, id: TaskId) -> Option<Arc<dyn Step>> {
        self.steppers.remove(&id)
    }

    pub(super) fn steppers(&self) -> Vec<Arc<dyn Step>> {
        self.steppers.values().cloned().collect()
    }

    /// Refuses tasks from now on, and returns those that are left: the caller abandons them, outside the lock.
    pub(super) fn close(&mut self) -> impl Iterator<Item = Arc<dyn Step>> + use<> {
        self.closed = true;
        mem::take(&mut self.steppers).into_values()
    }

    pub(super) fn len(&self) -> usize {
        self.steppers.len()
    }
}

/// A task of the loop, whatever the type of its value. Other threads share it with the loop: they wake it and
/// request its cancellation.
pub(super) trait Step: Send + Sync {
    /// Polls the task once, on the loop's thread.
    fn step(self: Arc<Self>);
    /// Returns true until the task is done; the loop will drop its future and cancel it (D10).
    fn request_cancel(self: Arc<Self>) -> bool;
    /// Ends the task early, and reports that, unless it is done (P16).
    fn abandon(&self);
    fn is_done(&self) -> bool;
}

/// The part of a task that its waker reaches.
pub(super) struct Stepper<T: 'static> {
    handle: Handle,
    state: Mutex<State>,
    /// `None` while it is polled, and once the task is done. Other threads store it and leave it alone.
    body: Mutex<Option<Body<T>>>,
}

/// The future of a task that is not done, with the only handle that completes it.
struct Body<T: 'static> {
    future: BoxFuture<'static, T>,
    task: Task<T>,
}

impl<T: Send + Sync> Stepper<T> {
    pub(super) fn new(handle: Handle) -> Self {
        Stepper { handle, state: Mutex::default(), body: Mutex::new(None) }
    }

    /// Stores the body, which owns the task, which owns this.
    pub(super) fn fill(&self, future: BoxFuture<'static, T>, task: Task<T>) {
        *self.body.lock() = Some(Body { future, task });
    }

    /// Drops the future and completes the task. A cancel request beats a value (R55), and no request is granted
    /// afterwards.
    fn end(&self, body: Body<T>, outcome: Outcome<T>) {
        let Body { future, task } = body;
        drop_contained(&task, future);
        let mut state = self.state.lock();
        let cancels = state.finish() == Owes::Cancellation;
        let (outcome, beaten) = match outcome {
            Outcome::Panicked(_) => (outcome, None),
            _ if cancels => (Outcome::Cancelled, Some(outcome)),
            _ => (outcome, None),
        };
        // ORDER: published in the section that ends requests, so that a refused one can read it (P2).
        let owed = task.publish(outcome);
        drop(state);
        let held = self.handle.shared().tasks.lock().release(task.id());
        drop(held);
        if let Some(beaten) = beaten {
            drop_contained(&task, beaten);
        }
        if let Ok(owed) = owed {
            task.hand_over_all(owed);
        }
        // With the last handle a value goes that nobody kept.
        self.handle.discard(task);
    }
}

fn drop_contained<T: 'static>(task: &Task<T>, given: impl Sized) {
    if let Err(panic) = contain(|| drop(given)) {
        task.tell(Report::new(Failure::DropPanicked).panic(panic));
    }
}

impl<T: Send + Sync> Step for Stepper<T> {
    fn step(self: Arc<Self>) {
        let body = self.body.lock().take();
        let Some(mut body) = body else { return };
        let mut state = self.state.lock();
        let owes = state.begin_step();
        let is_cancelled = state.is_cancel_requested();
        drop(state);
        debug_assert_eq!(owes, Owes::Poll, "a task that is done has no body");
        if is_cancelled {
            return self.end(body, Outcome::Cancelled);
        }
        let waker = waker_ref(&self);
        let polled = contain(|| body.future.as_mut().poll(&mut Context::from_waker(&waker)));
        match polled {
            Ok(Poll::Pending) => *self.body.lock() = Some(body),
            Ok(Poll::Ready(value)) => self.end(body, Outcome::Finished(value)),
            Err(panic) => self.end(body, Outcome::Panicked(panic)),
        }
    }

    fn request_cancel(self: Arc<Self>) -> bool {
        let owes = self.state.lock().request_cancel();
        ArcWake::wake_by_ref(&self);
        owes == Owes::Wake
    }

    fn abandon(&self) {
        let body = self.body.lock().take();
        let Some(body) = body else { return };
        let task = body.task.clone();
        self.end(body, Outcome::Abandoned);
        if let Some(Outcome::Abandoned) = task.cell().outcome() {
            task.tell(Report::new(Failure::TaskAbandoned));
        }
        self.handle.discard(task);
    }

    fn is_done(&self) -> bool {
        self.state.lock().is_done()
    }
}

impl<T: Send + Sync> ArcWake for Stepper<T> {
    fn wake_by_ref(stepper: &Arc<Self>) {
        let owes = stepper.state.lock().wake();
        if owes == Owes::Step {
            // A closed loop has abandoned the task.
            let _ = stepper.handle.push(Entry::Step(stepper.clone()));
        }
    }
}

/// The owner of a task of a loop.
pub(super) struct Spawned<T: 'static> {
    pub(super) name: Name,
    pub(super) stepper: Arc<Stepper<T>>,
    pub(super) spawned_at: &'static Location<'static>,
}

impl<T: Send + Sync> Owner for Spawned<T> {
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        Schedule::schedule(&self.stepper.handle, ready)
    }

    fn is_inline(&self) -> bool {
        false
    }

    fn only_queues(&self) -> bool {
        true
    }

    fn takes_batches(&self) -> bool {
        true
    }

    fn report(&self, report: &Report) {
        Schedule::report(&self.stepper.handle, report);
    }

    fn name(&self) -> Option<&str> {
        Some(self.name.as_str())
    }

    fn request_cancel(&self) -> Option<bool> {
        Some(self.stepper.clone().request_cancel())
    }

    fn is_cancelling(&self) -> bool {
        self.stepper.state.lock().is_cancel_requested()
    }

    fn spawned_at(&self) -> Option<&'static Location<'static>> {
        Some(self.spawned_at)
    }

    fn is_polled_by(&self, waker: &Waker) -> bool {
        // `will_wake` would also compare tables of functions, of which a compiler may make several.
        waker.data() == Arc::as_ptr(&self.stepper).cast()
    }
}
