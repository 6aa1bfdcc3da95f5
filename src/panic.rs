//! Where a caller's code is called: behind a guard that lets no panic through (P14), and the panic that it caught.

use super::sync::{Arc, Mutex, OnceLock};
use std::any::Any;
use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Calls `f` and catches its panic.
///
/// UNPOISONED: nothing of ours is borrowed while `f` runs, so no half-made state is seen after a
/// panic (P14).
#[inline]
pub(crate) fn contain<R>(f: impl FnOnce() -> R) -> Result<R, Panic> {
    catch_unwind(AssertUnwindSafe(f)).map_err(Panic::new)
}

/// A caught panic: its message, which anyone may read, and its payload, which can be taken once.
///
/// Equality is identity: only clones of one panic are equal.
///
/// The place of the panic is not known here: Rust gives it to the panic hook alone, which is the program's own,
/// and prints it ([D5]).
///
/// [D5]: crate::rules#d5
#[derive(Clone)]
pub struct Panic(Arc<Raised>);

/// A panic in the outcome of one task.
struct Raised {
    caught: Arc<Caught>,
    /// Set once the panic was retrieved. Unset when the outcome is published, so that no retrieval is missed (R78).
    retrieved: OnceLock<()>,
}

struct Caught {
    message: String,
    payload: Mutex<Option<Box<dyn Any + Send>>>,
}

impl Panic {
    /// Makes a panic of the payload that [`catch_unwind`] or another executor caught, to complete a
    /// task with it: [`Completer::complete_with`](crate::Completer::complete_with).
    #[must_use]
    pub fn new(payload: Box<dyn Any + Send>) -> Self {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let message = text.unwrap_or("a payload that is not text").to_owned();
        Self::raise(Arc::new(Caught { message, payload: Mutex::new(Some(payload)) }))
    }

    /// The same panic in the outcome of another task, which must be retrieved there, too (D8, D20).
    pub(crate) fn forward(&self) -> Self {
        Self::raise(self.0.caught.clone())
    }

    fn raise(caught: Arc<Caught>) -> Self {
        Panic(Arc::new(Raised { caught, retrieved: OnceLock::new() }))
    }

    pub(crate) fn retrieve(&self) {
        let _ = self.0.retrieved.set(());
    }

    pub(crate) fn is_retrieved(&self) -> bool {
        self.0.retrieved.get().is_some()
    }

    /// Returns the message of the panic. Takes no lock.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.caught.message
    }

    /// Takes the payload, for [`std::panic::resume_unwind`]. Only the first call gets it, on whichever
    /// thread. Takes a lock of the panic's own.
    #[must_use]
    pub fn take_payload(&self) -> Option<Box<dyn Any + Send>> {
        self.0.caught.payload.lock().take()
    }

    /// Resumes the panic in the caller, with its payload. Once that was taken, it is a new panic with the message.
    #[track_caller]
    pub(crate) fn resume(&self) -> ! {
        match self.take_payload() {
            Some(payload) => resume_unwind(payload),
            None => panic!("the task panicked: {self}"),
        }
    }
}

impl Drop for Caught {
    fn drop(&mut self) {
        let payload = self.payload.lock().take();
        // If dropping the payload panics, nobody is left to report to. The second payload is forgotten: a drop that
        // panics with its own kind would go on for ever (D28).
        mem::forget(catch_unwind(AssertUnwindSafe(|| drop(payload))));
    }
}

impl PartialEq for Panic {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0.caught, &other.0.caught)
    }
}

impl Eq for Panic {}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Panic").field(&self.message()).finish()
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}
