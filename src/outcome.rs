//! How a task ended.

use super::panic::Panic;

/// How a task ended. Written once, read without a lock (P2).
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// Completed with a value.
    Finished(T),
    /// Cancelled before it had a value.
    Cancelled,
    /// Its future panicked.
    Panicked(Panic),
    /// Its completer was dropped: nobody will ever complete it (D7).
    Abandoned,
}

impl<T> Outcome<T> {
    /// The value, if it finished with one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Outcome::Finished(value) => Some(value),
            _ => None,
        }
    }

    /// The value by value, if it finished with one.
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
