//! The module `oneshot` of futures-channel 0.3, in its names, on the adapter and the kernel: for its own tests, see
//! `docs/ADAPTERS.md`.

// The adapter has more than this channel offers, and futures-channel documents its own.
#![allow(dead_code, missing_docs, unreachable_pub, single_use_lifetimes)]

mod machine;
#[allow(clippy::module_inception)]
mod oneshot;
mod waiting;

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use futures_core::future::FusedFuture;

pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = oneshot::channel();
    (Sender(sender), Receiver(receiver))
}

pub struct Sender<T>(oneshot::Sender<T>);

#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Receiver<T>(oneshot::Receiver<T>);

/// Ready once the receiver is gone.
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Cancellation<'a, T>(&'a mut Sender<T>);

/// There is no value, and none will come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Canceled;

impl<T> Sender<T> {
    pub fn send(self, value: T) -> Result<(), T> {
        self.0.send(value)
    }

    pub fn poll_canceled(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.0.poll_closed(context)
    }

    pub fn cancellation(&mut self) -> Cancellation<'_, T> {
        Cancellation(self)
    }

    pub fn is_canceled(&self) -> bool {
        self.0.is_closed()
    }

    pub fn is_connected_to(&self, receiver: &Receiver<T>) -> bool {
        self.0.is_connected_to(&receiver.0)
    }
}

impl<T> Receiver<T> {
    pub fn close(&mut self) {
        self.0.close();
    }

    pub fn try_recv(&mut self) -> Result<Option<T>, Canceled> {
        match self.0.try_recv() {
            Ok(value) => Ok(Some(value)),
            Err(oneshot::NotReceived::Empty) => Ok(None),
            Err(oneshot::NotReceived::Disconnected) => Err(Canceled),
        }
    }
}

impl<T> Future for Cancellation<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.poll_canceled(context)
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, Canceled>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map_err(|_| Canceled)
    }
}

impl<T> FusedFuture for Receiver<T> {
    fn is_terminated(&self) -> bool {
        self.0.is_closed()
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("complete", &self.0.is_closed()).finish()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("complete", &(self.0.has_message() || self.0.is_closed())).finish()
    }
}

impl fmt::Display for Canceled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("oneshot canceled")
    }
}

impl std::error::Error for Canceled {}
