//! An entry of the ready queue.

use super::super::id::TaskId;
use super::super::panic::contain;
use super::super::report::{Failure, Origin, Report};
use super::super::schedule::{Ready, Source, Work, tell};
use super::super::sync::Arc;
use super::handle::Handle;
use super::task::Step;
use std::any::type_name;

/// One place in the ready queue.
pub(super) enum Entry {
    /// Done callbacks that were handed over together, or a `call_soon`.
    Ready(Ready),
    /// A step of a task: one poll.
    Step(Arc<dyn Step>),
    /// Nothing but a reason to ask the timers again.
    Nudge,
}

impl Entry {
    /// Drops it. Returns the number of callbacks and functions that never run: each reports itself (D4).
    pub(super) fn lose(self) -> usize {
        match self {
            Entry::Ready(mut ready) => ready.lose(),
            Entry::Step(_) | Entry::Nudge => 0,
        }
    }
}

/// A function given to `call_soon`.
pub(super) struct Soon<F> {
    pub(super) call: F,
    pub(super) handle: Handle,
}

impl<F: FnOnce() + Send> Work for Soon<F> {
    fn run(self: Box<Self>, Source { added_at, .. }: Source) {
        let origin = Origin { callback: self.type_name(), added_at };
        let Soon { call, handle } = *self;
        if let Err(panic) = contain(call) {
            tell(&handle, &Report::new(Failure::CallbackPanicked).callback(origin).panic(panic));
        }
        let_go(handle);
    }

    fn lose(self: Box<Self>, Source { added_at, .. }: Source) -> usize {
        let origin = Origin { callback: self.type_name(), added_at };
        let Soon { call, handle } = *self;
        tell(&handle, &Report::new(Failure::CallbackLost).callback(origin));
        if let Err(panic) = contain(|| drop(call)) {
            tell(&handle, &Report::new(Failure::DropPanicked).callback(origin).panic(panic));
        }
        let_go(handle);
        1
    }

    fn type_name(&self) -> &'static str {
        type_name::<F>()
    }

    fn task_id(&self, _: &Source) -> Option<TaskId> {
        None
    }
}

/// Drops a handle that may be the last one. If dropping the hook panics, nobody is left to report to.
fn let_go(handle: Handle) {
    let _ = contain(|| drop(handle));
}
