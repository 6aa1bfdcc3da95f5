//! The report that an exception hook receives.

use super::panic::Panic;
use std::fmt;
use std::panic::Location;

/// A failure that could not be returned to a caller ([D4], [D5]).
///
/// Its `Display` is a readable block of a few lines.
///
/// [D4]: crate::rules#d4
/// [D5]: crate::rules#d5
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Report {
    /// The kind of failure.
    pub failure: Failure,
    /// The callback that failed, if one did.
    pub callback: Option<Origin>,
    /// The task, by its name and state, if the failure belongs to one.
    pub task: Option<String>,
    /// The place where the task was spawned, if it is a task of an event loop ([D13]).
    ///
    /// [D13]: crate::rules#d13
    pub spawned_at: Option<&'static Location<'static>>,
    /// The panic, if there was one.
    pub panic: Option<Panic>,
}

/// The kinds of failure.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A callback panicked. The other callbacks run all the same ([R60]-[R62]).
    ///
    /// [R60]: crate::rules#r60
    /// [R62]: crate::rules#r62
    CallbackPanicked,
    /// A callback was dropped before it ran: its scheduler refused it, dropped it or was closed ([D4]).
    ///
    /// [D4]: crate::rules#d4
    CallbackLost,
    /// A captured value of a callback, or a value or future of a task, panicked when it was dropped.
    DropPanicked,
    /// A scheduler panicked when a callback was handed over to it ([P14]).
    ///
    /// [P14]: crate::kernel#properties
    SchedulerPanicked,
    /// The waker of an await or of a sleep panicked, in its wake or in its drop.
    WakerPanicked,
    /// An exception hook panicked ([R68]).
    ///
    /// [R68]: crate::rules#r68
    HookPanicked,
    /// A task panicked, and its last handle was dropped before anybody retrieved its outcome ([D8]).
    ///
    /// [D8]: crate::rules#d8
    PanicNeverRetrieved,
    /// An event loop was closed before this task was done. The task is abandoned ([P16]).
    ///
    /// [P16]: crate::rules#p16
    TaskAbandoned,
    /// An event loop was closed before this many callbacks had run. Each of them also has its own report ([D12]).
    ///
    /// [D12]: crate::rules#d12
    LoopClosed(usize),
}

/// The origin of a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The callback's type. The type of a closure names the function in which it is written.
    pub callback: &'static str,
    /// The place of the call that added it.
    pub added_at: &'static Location<'static>,
}

impl Report {
    pub(crate) fn new(failure: Failure) -> Self {
        Report { failure, callback: None, task: None, spawned_at: None, panic: None }
    }

    pub(crate) fn callback(self, origin: Origin) -> Self {
        Report { callback: Some(origin), ..self }
    }

    pub(crate) fn task(self, task: String, spawned_at: Option<&'static Location<'static>>) -> Self {
        Report { task: Some(task), spawned_at, ..self }
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
        if let Some(spawned_at) = self.spawned_at {
            write!(f, "\n  spawned   at {spawned_at}")?;
        }
        if let Some(panic) = &self.panic {
            // A message of several lines must not look like further lines of the report.
            write!(f, "\n  panic     {}", panic.message().replace('\n', "\n            "))?;
        }
        Ok(())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::CallbackPanicked => f.write_str("exception in callback"),
            Failure::CallbackLost => f.write_str(
                "callback dropped before it ran: its loop was closed, or its scheduler refused or dropped it",
            ),
            Failure::DropPanicked => f.write_str("exception in a drop: of a callback, a future or a value"),
            Failure::SchedulerPanicked => f.write_str("exception in the scheduler of a task"),
            Failure::WakerPanicked => f.write_str("exception in the waker of an await or a sleep"),
            Failure::HookPanicked => f.write_str("exception in the exception hook"),
            Failure::PanicNeverRetrieved => f.write_str("exception of a task was never retrieved"),
            Failure::TaskAbandoned => f.write_str("task abandoned: its event loop ended before it was done"),
            Failure::LoopClosed(1) => f.write_str("event loop closed: 1 callback never ran"),
            Failure::LoopClosed(unrun) => write!(f, "event loop closed: {unrun} callbacks never ran"),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} added at {}", self.callback, self.added_at)
    }
}
