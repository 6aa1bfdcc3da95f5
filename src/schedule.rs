//! Where a callback is handed to: a scheduler, by value, in order.

use super::hook;
use super::panic::contain;
use super::report::{Failure, Origin, Report};
use super::sync::Arc;
use std::any::TypeId;
use std::fmt;

/// Decides where and when the callbacks of a task run.
///
/// Implemented by [`Inline`], by the event loop's handle, by `Arc`s of schedulers, and by any
/// `Fn(Ready) -> Result<(), Ready>`.
///
/// A task hands over one callback after another, in the order in which they were added (P7, P8),
/// from the thread that completed it or added late. What the scheduler does next is its business.
///
/// A task owns its scheduler, and a [`Ready`] its task. So a scheduler that owns its queue leaks what
/// is still queued when all else is gone: own the sending end only, as the event loop's handle does.
pub trait Schedule: Send + Sync + 'static {
    /// Takes a callback, to call [`Ready::run`] on it now or later, here or on another thread.
    /// Called with no lock held.
    ///
    /// # Errors
    ///
    /// A scheduler that takes no more gives it back; it is then reported and dropped (D4).
    ///
    /// # Panics
    ///
    /// A panic is contained and reported; the other callbacks are handed over all the same (P14).
    ///
    /// # Re-entrancy
    ///
    /// May call everything on any task. A drain that it causes runs after the current one.
    fn schedule(&self, ready: Ready) -> Result<(), Ready>;

    /// Told of failures in callbacks of its tasks. The default tells the hook of the process.
    fn report(&self, report: &Report) {
        hook::report(report);
    }
}

impl<F> Schedule for F
where
    F: Fn(Ready) -> Result<(), Ready> + Send + Sync + 'static,
{
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        self(ready)
    }
}

impl<S: Schedule + ?Sized> Schedule for Arc<S> {
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        (**self).schedule(ready)
    }

    fn report(&self, report: &Report) {
        (**self).report(report);
    }
}

/// Runs callbacks at once, on whoever drains: the thread that completes the task, or the one that
/// adds late when nobody drains (D11).
///
/// Never nested: a task that is completed inside a callback runs its own callbacks after the
/// outermost drain of the thread, so a chain of tasks needs no stack, and such a `complete` returns
/// before its callbacks have run. Meanwhile other threads' late adds to that task wait for this
/// thread too, so a callback must not block on callbacks that its own thread owes.
///
/// # Examples
///
/// ```
/// let (completer, task) = whendone::task(whendone::Inline);
/// task.add_done_callback(|task| println!("{task:?}"));
/// completer.complete(3)?; // prints <Task finished result=3>
/// # Ok::<(), whendone::AlreadyDone<i32>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Inline;

impl Schedule for Inline {
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        ready.run();
        Ok(())
    }
}

/// A callback whose turn has come, with its task, ready to be run once.
///
/// Dropped unrun, by whomever, it reports itself as lost (D4).
#[must_use = "a callback that is dropped unrun is lost; run it, or give it back"]
pub struct Ready(Option<Box<dyn Work>>);

impl Ready {
    #[inline]
    pub(crate) fn new(work: Box<dyn Work>) -> Self {
        Ready(Some(work))
    }

    /// Runs the callback on this thread. Its panic is contained and reported (D5).
    #[inline]
    pub fn run(mut self) {
        if let Some(work) = self.0.take() {
            work.run();
        }
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        if let Some(work) = self.0.take() {
            work.lose();
        }
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = self.0.as_ref().map(|work| work.origin());
        f.debug_tuple("Ready").field(&origin).finish()
    }
}

/// The work behind a [`Ready`], whatever its task's type.
pub(crate) trait Work: Send {
    /// Calls it. Its panic is contained and reported.
    fn run(self: Box<Self>);
    /// Reports it as lost and drops it.
    fn lose(self: Box<Self>);
    fn origin(&self) -> Origin;
}

/// What a task belongs to: its scheduler and, if it has one, its name. It lies in the task's own
/// allocation, behind the cell.
pub(crate) trait Owner: Send + Sync {
    fn schedule(&self, ready: Ready) -> Result<(), Ready>;

    /// True if it calls at once and does nothing else, so that the drainer may do so itself.
    fn is_inline(&self) -> bool {
        false
    }

    /// May panic, being a caller's code; [`tell`] is what to call.
    fn report(&self, report: &Report);

    fn name(&self) -> Option<&str> {
        None
    }

    /// `None`: the task can be cancelled at once. Else cancelling it is a request, with this answer (D10).
    fn request_cancel(&self) -> Option<bool> {
        None
    }
}

impl<S: Schedule> Owner for S {
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        Schedule::schedule(self, ready)
    }

    fn is_inline(&self) -> bool {
        TypeId::of::<S>() == TypeId::of::<Inline>()
    }

    fn report(&self, report: &Report) {
        Schedule::report(self, report);
    }
}

/// A scheduler with the name of the one task that it lies in.
pub(crate) struct Named<S> {
    pub(crate) name: Box<str>,
    pub(crate) scheduler: S,
}

impl<S: Schedule> Owner for Named<S> {
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        self.scheduler.schedule(ready)
    }

    fn is_inline(&self) -> bool {
        Owner::is_inline(&self.scheduler)
    }

    fn report(&self, report: &Report) {
        self.scheduler.report(report);
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }
}

/// Tells the owner's hook. One that panics does no harm: both failures are printed (R68).
pub(crate) fn tell(owner: &(impl Owner + ?Sized), report: &Report) {
    if let Err(panic) = contain(|| owner.report(report)) {
        let _ = contain(|| hook::print(report));
        let _ = contain(|| hook::print(&Report::new(Failure::HookPanicked).panic(panic)));
    }
}
