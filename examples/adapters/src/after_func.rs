//! A context that is cancelled once, with a cause, and then starts functions on threads of their own.

use std::fmt;
use std::sync::Arc;
use std::thread;
use whendone::kernel::{Added, Batch, CallbackId, Cell, UNTAGGED};

/// A context. Clones are the same context.
pub struct Context<E>(Arc<Node<E>>);

/// Serial 0: an id stays inside [`Stop`], which knows its context.
type Node<E> = Cell<E, Call<E>>;
type Call<E> = Box<dyn FnOnce(&Context<E>) + Send>;

/// Cancels its context. Clones cancel the same one.
#[derive(Debug)]
pub struct Cancel<E>(Context<E>);

/// Stops a function that was registered by [`Context::after_func`].
#[derive(Debug)]
pub struct Stop<E> {
    context: Context<E>,
    id: CallbackId,
}

impl<E: Send + Sync + 'static> Context<E> {
    /// Makes a context, and what cancels it.
    #[must_use]
    pub fn with_cancel() -> (Self, Cancel<E>) {
        let context = Context(Arc::new(Cell::new(0)));
        (context.clone(), Cancel(context))
    }

    /// Returns the cause once the context is cancelled.
    #[must_use]
    pub fn cause(&self) -> Option<&E> {
        self.0.outcome()
    }

    /// Runs the function on a thread of its own once the context is cancelled; at once if it is already. The function
    /// receives the context: it need not capture a handle.
    pub fn after_func(&self, function: impl FnOnce(&Self) + Send + 'static) -> Stop<E> {
        let id = match self.0.add(UNTAGGED, Box::new(function)) {
            Added::Waits(id) => id,
            Added::YouDrain(id, owed) => {
                self.0.drain(owed, |batch| self.start(batch));
                id
            }
        };
        Stop { context: self.clone(), id }
    }

    fn start(&self, batch: &mut Batch<Call<E>>) {
        for call in batch {
            let context = self.clone();
            thread::spawn(move || call(&context));
        }
    }
}

impl<E: Send + Sync + 'static> Cancel<E> {
    /// Cancels the context with this cause, and starts its functions. Waits for none of them. Only the first call does
    /// anything: true for that one.
    pub fn cancel(&self, cause: E) -> bool {
        let context = &self.0;
        let completed = context.0.complete(cause);
        completed.map(|owed| context.0.drain(owed, |batch| context.start(batch))).is_ok()
    }
}

impl<E> Stop<E> {
    /// Returns true if this call stopped the function: it never runs (P9). False if it was started, or stopped before.
    /// Does not wait for a function that runs.
    pub fn stop(&self) -> bool {
        self.context.0.remove(self.id).is_some()
    }
}

impl<E> Clone for Context<E> {
    fn clone(&self) -> Self {
        Context(self.0.clone())
    }
}

impl<E> Clone for Cancel<E> {
    fn clone(&self) -> Self {
        Cancel(self.0.clone())
    }
}

impl<E> fmt::Debug for Context<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("cancelled", &self.0.outcome().is_some()).finish()
    }
}
