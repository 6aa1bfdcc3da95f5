//! A signal that is aborted once, with a reason, and then calls its listeners in order.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use whendone::kernel::{CallbackId, Cell, Drain, UNTAGGED};

/// Aborts its signal.
#[derive(Debug)]
pub struct AbortController<R>(AbortSignal<R>);

/// A signal. Clones are the same signal.
pub struct AbortSignal<R>(Arc<Node<R>>);

struct Node<R> {
    /// The reason, and the listeners. Serial 0: ids of it stay inside [`Listener`], which knows its node.
    listeners: Cell<Arc<R>, Slot<R>>,
    /// The signals made of this one. They are aborted before the first listener runs.
    dependents: Cell<(), Weak<Node<R>>>,
    /// The signals that this one is made of. None of them has sources of its own, so no drop recurses.
    sources: Mutex<Vec<(Arc<Node<R>>, CallbackId)>>,
}

/// A listener, to be taken out by value by the abort or by its removal.
type Slot<R> = Arc<Mutex<Option<Call<R>>>>;
type Call<R> = Box<dyn FnOnce(&AbortSignal<R>) + Send>;

/// A registered listener.
pub struct Listener<R> {
    node: Weak<Node<R>>,
    id: CallbackId,
    slot: Slot<R>,
}

impl<R> AbortController<R> {
    /// Makes a controller, with a signal that is not aborted.
    #[must_use]
    pub fn new() -> Self {
        AbortController(AbortSignal::pending())
    }

    /// Returns the signal.
    #[must_use]
    pub fn signal(&self) -> &AbortSignal<R> {
        &self.0
    }

    /// Aborts the signal and those made of it, and then calls the listeners. Only the first abort does anything. If
    /// listeners panic, all are called, and then the first panic goes on.
    pub fn abort(&self, reason: R) {
        self.0.abort(Arc::new(reason));
    }
}

impl<R> AbortSignal<R> {
    fn pending() -> Self {
        let (listeners, dependents) = (Cell::new(0), Cell::new(0));
        AbortSignal(Arc::new(Node { listeners, dependents, sources: Mutex::default() }))
    }

    /// Makes a signal that is aborted already.
    #[must_use]
    pub fn aborted_with(reason: R) -> Self {
        let signal = AbortSignal::pending();
        signal.abort(Arc::new(reason));
        signal
    }

    /// Makes a signal that is aborted with the first of these, and with its reason.
    #[must_use]
    pub fn any<'a>(signals: impl IntoIterator<Item = &'a AbortSignal<R>>) -> Self
    where
        R: 'a,
    {
        let dependent = AbortSignal::pending();
        for signal in signals {
            if let Some(reason) = signal.0.listeners.outcome() {
                dependent.abort(reason.clone());
                break;
            }
            let above: Vec<_> = locked(&signal.0.sources).iter().map(|(source, _)| source.clone()).collect();
            let sources = if above.is_empty() { vec![signal.0.clone()] } else { above };
            for source in sources {
                match source.dependents.add_waiting(UNTAGGED, Arc::downgrade(&dependent.0)) {
                    Ok(id) => locked(&dependent.0.sources).push((source, id)),
                    Err(_) => source.listeners.outcome().into_iter().for_each(|reason| dependent.abort(reason.clone())),
                }
            }
        }
        dependent
    }

    fn abort(&self, reason: Arc<R>) {
        let Ok(owed) = self.0.listeners.complete(reason.clone()) else { return };
        let mut aborted = vec![(self.clone(), owed)];
        if let Ok(owed) = self.0.dependents.complete(()) {
            self.0.dependents.drain(owed, |batch| {
                for dependent in batch.filter_map(|dependent| dependent.upgrade()) {
                    if let Ok(owed) = dependent.listeners.complete(reason.clone()) {
                        aborted.push((AbortSignal(dependent), owed));
                    }
                }
            });
        }
        // All have their reason now, so no listener sees a signal that is still to be aborted.
        let panics = aborted.into_iter().filter_map(|(signal, owed)| signal.dispatch(owed));
        if let Some(panic) = panics.reduce(|first, _| first) {
            resume_unwind(panic);
        }
    }

    /// Calls the listeners, each with a borrowed handle. Returns the first panic.
    fn dispatch(&self, owed: Drain<Slot<R>>) -> Option<Box<dyn Any + Send>> {
        let mut panic = None;
        self.0.listeners.drain(owed, |batch| {
            for slot in batch {
                let taken = locked(&slot).take();
                if let Err(next) = catch_unwind(AssertUnwindSafe(|| taken.into_iter().for_each(|call| call(self)))) {
                    panic.get_or_insert(next);
                }
            }
        });
        panic
    }

    /// Returns whether the signal is aborted.
    #[must_use]
    pub fn aborted(&self) -> bool {
        self.reason().is_some()
    }

    /// Returns the reason once the signal is aborted.
    #[must_use]
    pub fn reason(&self) -> Option<&R> {
        self.0.listeners.outcome().map(|reason| &**reason)
    }

    /// Adds a listener, which is called once, with the signal. `None` if the signal is aborted: it will never be called.
    pub fn add_listener(&self, listener: impl FnOnce(&Self) + Send + 'static) -> Option<Listener<R>> {
        let slot: Slot<R> = Arc::new(Mutex::new(Some(Box::new(listener))));
        let id = self.0.listeners.add_waiting(UNTAGGED, slot.clone()).ok()?;
        Some(Listener { node: Arc::downgrade(&self.0), id, slot })
    }
}

impl<R> Listener<R> {
    /// Removes the listener. True if it will never be called: also while earlier listeners are being called.
    #[must_use = "a listener that was not removed is called, or was"]
    pub fn remove(self) -> bool {
        let place = self.node.upgrade().and_then(|node| node.listeners.remove(self.id));
        let call = locked(&self.slot).take();
        drop(place);
        call.is_some()
    }
}

impl<R> Drop for Node<R> {
    fn drop(&mut self) {
        for (source, id) in self.sources.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            drop(source.dependents.remove(id));
        }
    }
}

/// Its sections run no foreign code.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<R> Default for AbortController<R> {
    fn default() -> Self {
        AbortController::new()
    }
}

impl<R> Clone for AbortSignal<R> {
    fn clone(&self) -> Self {
        AbortSignal(self.0.clone())
    }
}

impl<R> fmt::Debug for AbortSignal<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortSignal").field("aborted", &self.aborted()).finish()
    }
}
