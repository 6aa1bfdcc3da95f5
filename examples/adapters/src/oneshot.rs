//! A channel for one value, which can be awaited, or waited for by a thread with an exact timeout.

use super::machine::thread::{self, Thread};
use super::machine::{Arc, Instant, Mutex, MutexGuard};
use super::waiting::Place;
use std::future::Future;
use std::pin::Pin;
use std::sync::PoisonError;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use whendone::kernel::Cell;

/// Makes a channel.
#[must_use]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let cell = Arc::new(Cell::new(0));
    (Sender { cell: cell.clone(), place: Place::default() }, Receiver { cell, place: Place::default() })
}

/// The end that sends.
#[derive(Debug)]
pub struct Sender<T> {
    cell: Arc<Channel<T>>,
    place: Place,
}

/// The end that receives. As a future it gives the value, or [`Disconnected`].
#[derive(Debug)]
pub struct Receiver<T> {
    cell: Arc<Channel<T>>,
    place: Place,
}

/// Serial 0: no id leaves this file.
type Channel<T> = Cell<End<T>, Waiter>;

/// The end of a channel.
#[derive(Debug)]
enum End<T> {
    /// To be taken out by value.
    Sent(Mutex<Option<T>>),
    Closed,
}

/// Where the other end waits.
#[derive(Debug)]
enum Waiter {
    Task(Waker),
    Thread(Thread),
}

/// There is no value, and none will come: the sender was dropped, the channel closed, or the value was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disconnected;

/// Why nothing was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotReceived {
    /// Nothing was sent so far.
    Empty,
    /// Nothing will come.
    Disconnected,
}

impl<T> Sender<T> {
    /// Sends the value.
    ///
    /// # Errors
    ///
    /// If the receiver is gone or has closed the channel, the value is given back.
    pub fn send(mut self, value: T) -> Result<(), T> {
        self.place.leave(&self.cell);
        finish(&self.cell, End::Sent(Mutex::new(Some(value)))).map_err(|end| end.take().expect("nobody else had it"))
    }

    /// Returns whether the receiver is gone or has closed the channel.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.cell.outcome().is_some()
    }

    /// Ready once the receiver is gone or has closed the channel.
    pub fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.place.poll(&self.cell, Waiter::Task(context.waker().clone()))
    }

    /// Returns whether this is the other end of the receiver's channel.
    #[must_use]
    pub fn is_connected_to(&self, receiver: &Receiver<T>) -> bool {
        Arc::ptr_eq(&self.cell, &receiver.cell)
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.place.leave(&self.cell);
        drop(finish(&self.cell, End::Closed));
    }
}

impl<T> Receiver<T> {
    /// Takes the value if it is there.
    ///
    /// # Errors
    ///
    /// If it is not there.
    pub fn try_recv(&self) -> Result<T, NotReceived> {
        let end = self.cell.outcome().ok_or(NotReceived::Empty)?;
        end.take().ok_or(NotReceived::Disconnected)
    }

    /// Blocks until the value comes.
    ///
    /// # Errors
    ///
    /// If none will come.
    pub fn recv(mut self) -> Result<T, Disconnected> {
        self.wait(None).map_err(|_| Disconnected)
    }

    /// Blocks until the value comes, at most for this time.
    ///
    /// # Errors
    ///
    /// [`NotReceived::Empty`] after that time. Nothing had been sent when the waiter left the line, because its
    /// removal succeeded (P9), and what is sent later can still be received.
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<T, NotReceived> {
        self.wait(Instant::now().checked_add(timeout))
    }

    fn wait(&mut self, deadline: Option<Instant>) -> Result<T, NotReceived> {
        self.place.leave(&self.cell); // a task that has polled this end
        if self.place.poll(&self.cell, Waiter::Thread(thread::current())).is_pending() {
            while self.cell.outcome().is_none() {
                let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
                match left {
                    None => thread::park(),
                    Some(Duration::ZERO) if self.place.leave(&self.cell) => return Err(NotReceived::Empty),
                    Some(left) => thread::park_timeout(left),
                }
            }
        }
        self.try_recv()
    }

    /// Returns whether a value was sent and can still be taken.
    #[must_use]
    pub fn has_message(&self) -> bool {
        self.cell.outcome().and_then(End::value).is_some_and(|value| value.is_some())
    }

    /// Returns whether nothing can be received any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.cell.outcome().is_some() && !self.has_message()
    }

    /// Closes the channel. A value that was sent before can still be received.
    pub fn close(&self) {
        drop(finish(&self.cell, End::Closed));
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, Disconnected>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let done = this.place.poll(&this.cell, Waiter::Task(context.waker().clone()));
        done.map(|()| this.try_recv().map_err(|_| Disconnected))
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.place.leave(&self.cell);
        self.close();
        drop(self.try_recv()); // at once, also while the sender lives
    }
}

impl<T> End<T> {
    fn take(&self) -> Option<T> {
        self.value()?.take()
    }

    fn value(&self) -> Option<MutexGuard<'_, Option<T>>> {
        match self {
            End::Sent(value) => Some(value.lock().unwrap_or_else(PoisonError::into_inner)),
            End::Closed => None,
        }
    }
}

/// Completes the channel and wakes who waits. One of all calls succeeds (P1).
fn finish<T>(cell: &Channel<T>, end: End<T>) -> Result<(), End<T>> {
    let owed = cell.complete(end)?;
    cell.drain(owed, |batch| {
        batch.for_each(|waiter| match waiter {
            Waiter::Task(waker) => waker.wake(),
            Waiter::Thread(thread) => thread.unpark(),
        })
    });
    Ok(())
}
