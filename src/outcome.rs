//! How a task ended.

use super::panic::Panic;
use std::fmt;

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
    /// Returns the value, as `task.result()` does in asyncio.
    ///
    /// # Panics
    ///
    /// Resumes the panic of the task, with its payload, unless that was taken before; then it panics with
    /// the message ([D21]). Panics if the task was cancelled or abandoned.
    ///
    /// # Examples
    ///
    /// ```
    /// # use whendone::{Inline, Outcome};
    /// let (completer, task) = whendone::task(Inline);
    /// completer.complete(String::from("value"))?;
    /// assert_eq!(task.outcome().expect("it is done").as_ref().unwrap(), "value");
    /// # Ok::<(), whendone::AlreadyDone<String>>(())
    /// ```
    ///
    /// [D21]: crate::rules#d21
    #[track_caller]
    pub fn unwrap(self) -> T {
        match self.into_result() {
            Ok(value) => value,
            Err(NoValue::Panicked(panic)) => panic.resume(),
            Err(no_value) => panic!("called `Outcome::unwrap()`, but the {no_value}"),
        }
    }

    /// Returns the value, as [`unwrap`](Self::unwrap) does.
    ///
    /// # Panics
    ///
    /// Resumes the panic of the task, with its payload, unless that was taken before; then it panics with
    /// the message ([D21]). Panics with `message` if the task was cancelled or abandoned.
    ///
    /// [D21]: crate::rules#d21
    #[track_caller]
    pub fn expect(self, message: &str) -> T {
        match self.into_result() {
            Ok(value) => value,
            Err(NoValue::Panicked(panic)) => panic.resume(),
            Err(no_value) => panic!("{message}: the {no_value}"),
        }
    }

    /// Returns the value, or an error that says why there is none, for the `?` operator.
    ///
    /// # Errors
    ///
    /// The task was cancelled or abandoned, or it panicked ([D21]).
    ///
    /// # Examples
    ///
    /// ```
    /// # use whendone::{NoValue, Outcome};
    /// assert_eq!(Outcome::Finished(3).into_result(), Ok(3));
    /// assert_eq!(Outcome::<u32>::Cancelled.into_result(), Err(NoValue::Cancelled));
    /// ```
    ///
    /// [D21]: crate::rules#d21
    pub fn into_result(self) -> Result<T, NoValue> {
        match self {
            Outcome::Finished(value) => Ok(value),
            Outcome::Cancelled => Err(NoValue::Cancelled),
            Outcome::Panicked(panic) => Err(NoValue::Panicked(panic)),
            Outcome::Abandoned => Err(NoValue::Abandoned),
        }
    }

    /// Borrows the value: `(&task).await.as_ref().unwrap()` needs no `Clone`.
    pub fn as_ref(&self) -> Outcome<&T> {
        match self {
            Outcome::Finished(value) => Outcome::Finished(value),
            Outcome::Cancelled => Outcome::Cancelled,
            Outcome::Panicked(panic) => Outcome::Panicked(panic.clone()),
            Outcome::Abandoned => Outcome::Abandoned,
        }
    }

    /// Converts the value, to pass the outcome on to a task of another type ([D20]).
    ///
    /// # Panics
    ///
    /// Panics if `convert` does.
    ///
    /// # Examples
    ///
    /// ```
    /// # use whendone::Inline;
    /// let (completer, number) = whendone::task::<u32>(Inline);
    /// let (forward, text) = whendone::task::<String>(Inline);
    /// number.add_done_callback(move |number| {
    ///     let outcome = number.outcome().expect("a callback sees its task done");
    ///     forward.complete_with(outcome.as_ref().map(u32::to_string)).ok();
    /// });
    /// completer.complete(3)?;
    /// assert_eq!(text.outcome().and_then(|outcome| outcome.value()), Some(&"3".to_owned()));
    /// # Ok::<(), whendone::AlreadyDone<u32>>(())
    /// ```
    ///
    /// [D20]: crate::rules#d20
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Outcome::Finished(value) => Outcome::Finished(convert(value)),
            Outcome::Cancelled => Outcome::Cancelled,
            Outcome::Panicked(panic) => Outcome::Panicked(panic),
            Outcome::Abandoned => Outcome::Abandoned,
        }
    }

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

/// The error of a task that ended without a value; see [`Outcome::into_result`].
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoValue {
    /// The task was cancelled.
    Cancelled,
    /// The task panicked. [`Panic::message`] is part of what this displays.
    Panicked(Panic),
    /// The task's completer was dropped, or its loop closed, before it was done.
    Abandoned,
}

impl fmt::Display for NoValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoValue::Cancelled => f.write_str("task was cancelled"),
            NoValue::Panicked(panic) => write!(f, "task panicked: {panic}"),
            NoValue::Abandoned => f.write_str("task was abandoned before it was done"),
        }
    }
}

impl std::error::Error for NoValue {}
