//! How a task ended.

use super::contain::contain;
use super::sync::{Arc, Mutex, OnceLock};
use std::any::Any;
use std::fmt;

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

/// A caught panic: its message, to be read by anyone, and its payload, to be taken once.
///
/// Equality is identity: two clones of one panic are equal, nothing else is.
#[derive(Clone)]
pub struct Panic(Arc<Caught>);

struct Caught {
    message: String,
    payload: Mutex<Option<Box<dyn Any + Send>>>,
    /// Somebody looked. Not yet when the outcome is published, so that no look is missed (R78).
    retrieved: OnceLock<()>,
}

impl Panic {
    pub(crate) fn new(payload: Box<dyn Any + Send>) -> Self {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let message = text.unwrap_or("a payload that is not text").to_owned();
        Panic(Arc::new(Caught { message, payload: Mutex::new(Some(payload)), retrieved: OnceLock::new() }))
    }

    pub(crate) fn retrieve(&self) {
        let _ = self.0.retrieved.set(());
    }

    pub(crate) fn is_retrieved(&self) -> bool {
        self.0.retrieved.get().is_some()
    }

    /// What the panic said. Takes no lock.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Takes the payload, for [`std::panic::resume_unwind`]. The first caller on any thread gets it.
    pub fn take_payload(&self) -> Option<Box<dyn Any + Send>> {
        self.0.payload.lock().take()
    }
}

impl Drop for Caught {
    fn drop(&mut self) {
        // A payload whose own drop panics has nobody left to tell.
        let payload = self.payload.lock().take();
        let _ = contain(|| drop(payload));
    }
}

impl PartialEq for Panic {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Panic {}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Panic").field(&self.0.message).finish()
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}
