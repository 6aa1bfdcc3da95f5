//! The handle of a loop: from any thread it pushes an entry, spawns a task or sets a timer.

use super::super::panic::contain;
use super::super::report::{Failure, Report};
use super::super::schedule::{Ready, Schedule, Sealed, Source, tell};
use super::super::sync::channel::Sender;
use super::super::sync::{Arc, Mutex};
use super::super::task::Task;
use super::entry::{Entry, Soon};
use super::name::Name;
use super::task::{Spawned, Step, Stepper, Tasks};
use super::timers::{Sleep, Timers};
use futures_util::future::BoxFuture;
use futures_util::task::ArcWake;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::time::Duration;

/// A handle of an event loop, for any thread. Cheap to clone. It may outlive its loop, which is then
/// closed.
///
/// It is a [`Schedule`]: callbacks of a task that is made with it by [`whendone::task`](crate::task())
/// run on the loop, and wake it ([R39], [R95]).
///
/// [R39]: crate::rules#r39
/// [R95]: crate::rules#r95
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

    /// Spawns a future as a task of the loop, named `Task-1`, `Task-2` and so on ([D13]). It is
    /// polled in a later turn of the loop, and never if it is cancelled before that ([R52]).
    ///
    /// The future must be `Send`, because any thread may spawn it, and because a loop may be closed
    /// on another thread than the one on which it ran. Only the loop polls and drops it. The loop holds
    /// the task until it is done, also if nobody else does ([R81]). The future is boxed first, and not moved again;
    /// its value is moved several times: box a large one.
    ///
    /// If the loop is closed, the future is dropped here, which is reported, and the task that is
    /// returned is [abandoned](crate::Outcome::Abandoned) ([P16]).
    ///
    /// # Panics
    ///
    /// A panic of the future is contained, and makes its task
    /// [`Panicked`](crate::Outcome::Panicked) ([D5]).
    ///
    /// # Examples
    ///
    /// ```
    /// let mut event_loop = whendone::EventLoop::new();
    /// let task = event_loop.handle().spawn(async { 3 });
    /// event_loop.run_until_complete(async move { assert_eq!((&task).await.value(), Some(&3)) });
    /// ```
    ///
    /// [R52]: crate::rules#r52
    /// [R81]: crate::rules#r81
    /// [D5]: crate::rules#d5
    /// [D13]: crate::rules#d13
    /// [P16]: crate::rules#p16
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future<Output: Send + Sync> + Send + 'static,
    {
        self.start(None, Box::pin(future))
    }

    /// Spawns a future as a task with a name of its own; see [`spawn`](Self::spawn).
    #[track_caller]
    pub fn spawn_named<F>(&self, name: impl Into<String>, future: F) -> Task<F::Output>
    where
        F: Future<Output: Send + Sync> + Send + 'static,
    {
        self.start(Some(name.into()), Box::pin(future))
    }

    /// Takes the future in the one box that its caller put it in: a large one is not moved any more.
    #[track_caller]
    pub(super) fn start<T: Send + Sync + 'static>(
        &self,
        name: Option<String>,
        future: BoxFuture<'static, T>,
    ) -> Task<T> {
        let name = name.map_or_else(|| self.0.tasks.lock().next_name(), |name| Name::Given(name.into()));
        let stepper = Arc::new(Stepper::new(self.clone()));
        let task = Task::new(Spawned { name, stepper: stepper.clone(), spawned_at: Location::caller() });
        stepper.fill(future, task.clone());
        let admitted = self.0.tasks.lock().admit(task.id(), stepper.clone());
        match admitted {
            true => ArcWake::wake_by_ref(&stepper),
            false => stepper.abandon(),
        }
        task
    }

    /// Queues a function, which is called once on the loop's thread, behind all entries that are queued
    /// already ([R31], [R97]). Wakes the loop if it sleeps.
    ///
    /// # Errors
    ///
    /// If the loop is closed, the function is given back as a [`Ready`], which can still be run on this
    /// thread.
    ///
    /// # Panics
    ///
    /// A panic of the function is contained and reported to the loop's hook ([D5]).
    ///
    /// # Re-entrancy
    ///
    /// The function may call everything ([D1]).
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
    ///
    /// [R31]: crate::rules#r31
    /// [R97]: crate::rules#r97
    /// [D1]: crate::rules#d1
    /// [D5]: crate::rules#d5
    #[track_caller]
    pub fn call_soon(&self, call: impl FnOnce() + Send + 'static) -> Result<(), Closed> {
        let (soon, source) = (Soon { call, handle: self.clone() }, Source { task: None, added_at: Location::caller() });
        self.schedule(Ready::new(Box::new(soon), source)).map_err(Closed)
    }

    /// Returns a future that is done after `duration`, measured from its first poll. Any executor may
    /// poll it, but it ends only while this loop runs, or early when this loop is closed ([D26]). A task that
    /// sleeps goes on in the turn in which its timer is due ([D17]).
    ///
    /// Once the loop is closed every sleep of it is over at once. Whoever sleeps again and again on another executor must
    /// notice that: [`call_soon`](Self::call_soon) is refused then.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::Duration;
    /// let mut event_loop = whendone::EventLoop::new();
    /// let nap = event_loop.handle().sleep(Duration::from_millis(1));
    /// event_loop.run_until_complete(nap);
    /// ```
    ///
    /// [D17]: crate::rules#d17
    /// [D26]: crate::rules#d26
    pub fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(self.clone(), duration)
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.0
    }

    /// Pushes an entry to the ready queue; gives it back if the loop is closed.
    pub(super) fn push(&self, entry: Entry) -> Result<(), Entry> {
        self.0.ready.send(entry).map_err(|refused| refused.0)
    }

    /// Drops a value of a caller. A panic is contained and reported.
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

    fn only_queues(&self) -> bool {
        true
    }

    fn takes_batches(&self, _: Sealed) -> bool {
        true
    }

    fn report(&self, report: &Report) {
        (self.0.hook)(report);
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tasks = self.0.tasks.lock().len();
        let plural = if tasks == 1 { "" } else { "s" };
        write!(f, "<Handle of an event loop with {tasks} task{plural}>")
    }
}

/// The error of a call on an event loop that is closed. Gives the function back.
#[derive(Debug)]
pub struct Closed(pub Ready);

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("event loop is closed")
    }
}

impl std::error::Error for Closed {}
