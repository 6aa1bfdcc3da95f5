//! An entry of the ready queue.

use super::super::id::TaskId;
use super::super::panic::contain;
use super::super::report::{Failure, Origin, Report};
use super::super::schedule::{Ready, Work, tell};
use super::super::sync::Arc;
use super::handle::Handle;
use super::task::Stepper;
use std::any::type_name;
use std::panic::Location;

/// One place in the ready queue.
pub(super) enum Entry {
    /// A done callback whose turn has come, or a `call_soon`.
    Ready(Ready),
    /// A step of a task: one poll.
    Step(Arc<Stepper>),
    /// Nothing but a reason to ask the timers again.
    Nudge,
}

/// A function given to `call_soon`.
pub(super) struct Soon<F> {
    pub(super) call: F,
    pub(super) handle: Handle,
    pub(super) added_at: &'static Location<'static>,
}

impl<F: FnOnce() + Send> Work for Soon<F> {
    fn run(self: Box<Self>) {
        let origin = self.origin();
        let Soon { call, handle, .. } = *self;
        if let Err(panic) = contain(call) {
            tell(&handle, &Report::new(Failure::CallbackPanicked).callback(origin).panic(panic));
        }
        let_go(handle);
    }

    fn lose(self: Box<Self>) {
        let origin = self.origin();
        let Soon { call, handle, .. } = *self;
        tell(&handle, &Report::new(Failure::CallbackLost).callback(origin));
        if let Err(panic) = contain(|| drop(call)) {
            tell(&handle, &Report::new(Failure::DropPanicked).callback(origin).panic(panic));
        }
        let_go(handle);
    }

    fn origin(&self) -> Origin {
        Origin { callback: type_name::<F>(), added_at: self.added_at }
    }

    fn task_id(&self) -> Option<TaskId> {
        None
    }
}

/// Drops a handle that may be the last one. If dropping the hook panics, nobody is left to report to.
fn let_go(handle: Handle) {
    let _ = contain(|| drop(handle));
}
