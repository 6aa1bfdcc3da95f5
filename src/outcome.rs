//! How a task ended.

use super::panic::Panic;

/// The outcome of a task: how it ended. Written once, read without a lock ([P2]).
///
/// [P2]: crate::kernel#properties
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// Completed with a value.
    Finished(T),
    /// Cancelled before it had a value.
    Cancelled,
    /// Its future panicked.
    Panicked(Panic),
    /// Its completer was dropped, or its loop closed, before it was done ([D7], [P16]).
    ///
    /// [D7]: crate::rules#d7
    /// [P16]: crate::rules#p16
    Abandoned,
}

impl<T> Outcome<T> {
    /// Returns the value, if the task finished with one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Outcome::Finished(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the value itself, if the task finished with one.
    pub fn into_value(self) -> Option<T> {
        match self {
            Outcome::Finished(value) => Some(value),
            _ => None,
        }
    }

    /// The state in one word, as the task's `Debug` shows it.
    pub(crate) fn state(&self) -> &'static str {
        match self {
            Outcome::Finished(_) => "finished",
            Outcome::Cancelled => "cancelled",
            Outcome::Panicked(_) => "panicked",
            Outcome::Abandoned => "abandoned",
        }
    }
}
