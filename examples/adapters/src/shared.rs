//! A future that many may await: each clone gets a clone of the output.
//!
//! One clone at a time polls the inner future, with no lock held. The others wait as callbacks of the cell.

use super::waiting::{Place, wake_all};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use whendone::kernel::{Cell, UNTAGGED};

/// A handle on a shared future.
pub struct Shared<F: Future> {
    hub: Arc<Hub<F::Output>>,
    /// Empty while a clone polls the future, and once that is done. Apart from the hub, whose waker the future may keep:
    /// the future would own itself.
    future: Arc<Mutex<Option<Pin<Box<F>>>>>,
    place: Place,
}

/// The waker of the inner future.
struct Hub<T> {
    /// The output, or `None` if the future panicked. Serial 0: no id leaves this file.
    cell: Cell<Option<T>, Waker>,
    /// The future was woken since the last poll began.
    woken: AtomicBool,
}

impl<F: Future> Shared<F> {
    /// Shares a future.
    pub fn new(future: F) -> Self {
        let hub = Arc::new(Hub { cell: Cell::new(0), woken: AtomicBool::new(false) });
        Shared { hub, future: Arc::new(Mutex::new(Some(Box::pin(future)))), place: Place::default() }
    }

    /// Returns the output once there is one. Takes no lock.
    #[must_use]
    pub fn peek(&self) -> Option<&F::Output> {
        self.hub.cell.outcome()?.as_ref()
    }

    /// Takes the future out by value, so that it is polled outside the lock.
    fn take(&self) -> Option<Pin<Box<F>>> {
        let mut future = self.future.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = future.take()?;
        self.hub.woken.store(false, Ordering::SeqCst);
        Some(taken)
    }

    fn put_back(&self, future: Pin<Box<F>>) {
        *self.future.lock().unwrap_or_else(PoisonError::into_inner) = Some(future);
    }
}

impl<F: Future> Future for Shared<F>
where
    F::Output: Clone + Send + Sync + 'static,
{
    type Output = F::Output;

    /// # Panics
    ///
    /// If the future panicked, now or in the poll of another clone.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        // First wait, then poll: whoever finds the future taken is woken by the clone that has it, or by the future.
        if this.hub.cell.outcome().is_none()
            && this.place.poll(&this.hub.cell, context.waker().clone()).is_pending()
            && let Some(mut future) = this.take()
        {
            let done = Done(&this.hub, None);
            match future.as_mut().poll(&mut Context::from_waker(&Waker::from(this.hub.clone()))) {
                Poll::Ready(output) => {
                    let mut done = done;
                    done.1 = Some(output);
                    drop(future);
                }
                Poll::Pending => {
                    std::mem::forget(done);
                    this.put_back(future);
                    if this.hub.woken.load(Ordering::SeqCst) {
                        // A clone that came during the poll may wait, and this one may never be polled again.
                        wake_all(this.hub.cell.remove_all(UNTAGGED));
                    }
                }
            }
        }
        match this.hub.cell.outcome() {
            None => Poll::Pending,
            Some(output) => Poll::Ready(output.clone().expect("the shared future panicked")),
        }
    }
}

/// Completes the cell when it is dropped, also by a panic of the future: nobody waits for ever.
struct Done<'a, T>(&'a Hub<T>, Option<T>);

impl<T> Drop for Done<'_, T> {
    fn drop(&mut self) {
        if let Ok(owed) = self.0.cell.complete(self.1.take()) {
            self.0.cell.drain(owed, |batch| batch.for_each(Waker::wake));
        }
    }
}

impl<T: Send + Sync + 'static> Wake for Hub<T> {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        wake_all(self.cell.remove_all(UNTAGGED));
    }
}

impl<F: Future> Clone for Shared<F> {
    fn clone(&self) -> Self {
        Shared { hub: self.hub.clone(), future: self.future.clone(), place: Place::default() }
    }
}

impl<F: Future> Drop for Shared<F> {
    fn drop(&mut self) {
        self.place.leave(&self.hub.cell);
    }
}

impl<F: Future> Unpin for Shared<F> {}

impl<F: Future> fmt::Debug for Shared<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("phase", &self.hub.cell.phase().0).finish_non_exhaustive()
    }
}
