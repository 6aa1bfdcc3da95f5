//! What an exception hook is told.

use super::panic::Panic;
use std::fmt;
use std::panic::Location;

/// Something that went wrong where no caller could be given an error (D4, D5).
///
/// Its `Display` is a readable block of a few lines.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Report {
    /// What happened.
    pub failure: Failure,
    /// The callback that it happened to.
    pub callback: Option<Origin>,
    /// Its task, name and state.
    pub task: Option<String>,
    /// The panic, if there was one.
    pub panic: Option<Panic>,
}

/// What went wrong.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A callback panicked. The others run all the same (R60-R62).
    CallbackPanicked,
    /// A callback was dropped without having run: its scheduler refused it, or dropped it, or closed.
    CallbackLost,
    /// What a callback had captured panicked when it was dropped.
    DropPanicked,
    /// A scheduler panicked when a callback was handed to it.
    SchedulerPanicked,
    /// The waker of an await panicked, in its wake or in its drop.
    WakerPanicked,
    /// An exception hook panicked.
    HookPanicked,
    /// A task panicked, its last handle is gone, and nobody looked at its outcome (D8).
    PanicNeverRetrieved,
    /// An event loop ended before this task did. The task is abandoned.
    TaskAbandoned,
    /// An event loop was closed before this many callbacks had run; each has its own report too.
    LoopClosed(usize),
}

/// Where a callback came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The callback's type, which for a closure names the function that it is written in.
    pub callback: &'static str,
    /// The call that added it.
    pub added_at: &'static Location<'static>,
}

impl Report {
    pub(crate) fn new(failure: Failure) -> Self {
        Report { failure, callback: None, task: None, panic: None }
    }

    pub(crate) fn callback(self, origin: Origin) -> Self {
        Report { callback: Some(origin), ..self }
    }

    pub(crate) fn task(self, task: String) -> Self {
        Report { task: Some(task), ..self }
    }

    pub(crate) fn panic(self, panic: Panic) -> Self {
        Report { panic: Some(panic), ..self }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "whendone: {}", self.failure)?;
        if let Some(origin) = &self.callback {
            write!(f, "\n  callback  {origin}")?;
        }
        if let Some(task) = &self.task {
            write!(f, "\n  task      {task}")?;
        }
        if let Some(panic) = &self.panic {
            write!(f, "\n  panic     {panic}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::CallbackPanicked => f.write_str("exception in callback"),
            Failure::CallbackLost => {
                f.write_str("callback dropped without having run, its loop is closed or refused it")
            }
            Failure::DropPanicked => f.write_str("exception in the drop of a callback"),
            Failure::SchedulerPanicked => f.write_str("exception in the scheduler of a task"),
            Failure::WakerPanicked => f.write_str("exception in the waker of an await"),
            Failure::HookPanicked => f.write_str("exception in the exception hook"),
            Failure::PanicNeverRetrieved => f.write_str("exception of a task was never retrieved"),
            Failure::TaskAbandoned => f.write_str("task abandoned, its event loop ended before it was done"),
            Failure::LoopClosed(1) => f.write_str("event loop closed, 1 callback never ran"),
            Failure::LoopClosed(unrun) => write!(f, "event loop closed, {unrun} callbacks never ran"),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} added at {}", self.callback, self.added_at)
    }
}
