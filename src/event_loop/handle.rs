//! How a loop is reached from anywhere: push an entry, spawn a task, set a timer.

use super::super::panic::contain;
use super::super::report::{Failure, Report};
use super::super::schedule::{Ready, Schedule, tell};
use super::super::sync::channel::Sender;
use super::super::sync::{Arc, Mutex};
use super::super::task::Task;
use super::entry::{Entry, Soon};
use super::task::{Running, Spawned, Stepper, Tasks, body};
use super::timers::{Sleep, Timers};
use futures::task::ArcWake;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::time::Duration;

/// Reaches an event loop from any thread. Cheap to clone; may outlive its loop, which is then closed.
///
/// It is a [`Schedule`]: give it to [`whendone::task`](crate::task()) and that task's callbacks run
/// on the loop.
#[derive(Clone)]
pub struct Handle(Arc<Shared>);

pub(super) struct Shared {
    ready: Sender<Entry>,
    pub(super) tasks: Mutex<Tasks>,
    pub(super) timers: Mutex<Timers>,
    hook: Box<dyn Fn(&Report) + Send + Sync>,
}

impl Handle {
    pub(super) fn new(ready: Sender<Entry>, hook: Box<dyn Fn(&Report) + Send + Sync>) -> Self {
        let (tasks, timers) = (Mutex::default(), Mutex::default());
        Handle(Arc::new(Shared { ready, tasks, timers, hook }))
    }

    /// Spawns a future as a task of the loop, named `Task-1`, `Task-2` and so on (D13). Its body
    /// does not run before the loop's next turn (R52).
    ///
    /// The future must be `Send`, because any thread may spawn it, and because a loop may be closed
    /// on another thread than it ran on. It is polled by the loop alone, and dropped by it too.
    ///
    /// If the loop is closed the future is dropped here, the hook is told, and the task that is returned
    /// is [abandoned](crate::Outcome::Abandoned): whoever awaits it sees that at once.
    ///
    /// # Panics
    ///
    /// A future that panics makes its task [`Panicked`](crate::Outcome::Panicked), not the loop.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut event_loop = whendone::EventLoop::new();
    /// let task = event_loop.handle().spawn(async { 3 });
    /// event_loop.run_until_complete(async move { assert_eq!((&task).await.value(), Some(&3)) });
    /// ```
    pub fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future<Output: Send + Sync> + Send + 'static,
    {
        self.start(None, future)
    }

    /// Spawns a future as a task with a name of its own; see [`spawn`](Self::spawn).
    pub fn spawn_named<F>(&self, name: impl Into<String>, future: F) -> Task<F::Output>
    where
        F: Future<Output: Send + Sync> + Send + 'static,
    {
        self.start(Some(name.into()), future)
    }

    fn start<F>(&self, name: Option<String>, future: F) -> Task<F::Output>
    where
        F: Future<Output: Send + Sync> + Send + 'static,
    {
        let stepper = Arc::new(Stepper::new(self.clone()));
        let name = name.unwrap_or_else(|| self.0.tasks.lock().next_name());
        let task = Task::new(Spawned { name, stepper: stepper.clone() });
        let running = Running { task: task.clone(), stepper: stepper.clone() };
        let body = Box::pin(body(future, running));
        let refused = self.0.tasks.lock().put(stepper.clone(), body);
        match refused {
            None => ArcWake::wake_by_ref(&stepper),
            Some(body) => self.discard(body),
        }
        task
    }

    /// Queues a function, to be called once on the loop's thread, after everything that is queued
    /// already (R31, R97). Wakes the loop if it sleeps.
    ///
    /// # Errors
    ///
    /// If the loop is closed the function is given back as a [`Ready`], which can still be run here.
    ///
    /// # Panics
    ///
    /// A panic in the function is contained and reported to the loop's hook.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut event_loop = whendone::EventLoop::new();
    /// let handle = event_loop.handle();
    /// std::thread::spawn(move || handle.call_soon(|| println!("on the loop's thread"))).join().unwrap()?;
    /// event_loop.run_until_complete(async {});
    /// # Ok::<(), whendone::Closed>(())
    /// ```
    #[track_caller]
    pub fn call_soon(&self, call: impl FnOnce() + Send + 'static) -> Result<(), Closed> {
        let soon = Soon { call, handle: self.clone(), added_at: Location::caller() };
        self.schedule(Ready::new(Box::new(soon))).map_err(Closed)
    }

    /// A future that is done after `duration`, measured from its first poll. Any executor may poll
    /// it, but it ends only while this loop runs. A task that sleeps goes on in the turn in which it is
    /// due (D17).
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::Duration;
    /// let mut event_loop = whendone::EventLoop::new();
    /// let nap = event_loop.handle().sleep(Duration::from_millis(1));
    /// event_loop.run_until_complete(nap);
    /// ```
    pub fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(self.clone(), duration)
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.0
    }

    /// Gives the entry back if the loop is closed.
    pub(super) fn push(&self, entry: Entry) -> Result<(), Entry> {
        self.0.ready.send(entry).map_err(|refused| refused.0)
    }

    /// Drops what a caller gave us, panic contained.
    pub(super) fn discard<T>(&self, given: T) {
        if let Err(panic) = contain(|| drop(given)) {
            tell(self, &Report::new(Failure::DropPanicked).panic(panic));
        }
    }

    pub(super) fn is_same(&self, other: &Handle) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Runs callbacks on the loop's thread, in order, and reports to the loop's hook.
impl Schedule for Handle {
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        match self.push(Entry::Ready(ready)) {
            Err(Entry::Ready(ready)) => Err(ready),
            _ => Ok(()),
        }
    }

    fn report(&self, report: &Report) {
        (self.0.hook)(report);
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tasks = self.0.tasks.lock().len();
        write!(f, "<Handle of an event loop with {tasks} tasks>")
    }
}

/// The event loop is closed. Gives back what was to be called.
#[derive(Debug)]
pub struct Closed(pub Ready);

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("event loop is closed")
    }
}

impl std::error::Error for Closed {}
