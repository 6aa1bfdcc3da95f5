//! A waker that waits in a cell, and is swapped at each poll: the many-shot wake.

use std::task::{Poll, Waker};
use whendone::kernel::{CallbackId, Cell, UNTAGGED};

/// The place of one waiter in one cell.
#[derive(Debug, Default)]
pub(crate) struct Place(Option<CallbackId>);

impl Place {
    /// Waits with this callback, in place of the one from the poll before. Ready once the cell is done.
    pub(crate) fn poll<T, C>(&mut self, cell: &Cell<T, C>, callback: C) -> Poll<()> {
        let callback = match self.0 {
            Some(id) => match cell.replace(id, callback) {
                Ok(_old) => return Poll::Pending,
                Err(callback) => callback,
            },
            None => callback,
        };
        // The first poll; or the cell is done, or the callback was taken out to be woken.
        match cell.add_waiting(UNTAGGED, callback) {
            Ok(id) => {
                self.0 = Some(id);
                Poll::Pending
            }
            Err(_) => Poll::Ready(()),
        }
    }

    /// Stops waiting. True if the callback still waited, so that it never runs (P9).
    pub(crate) fn leave<T, C>(&mut self, cell: &Cell<T, C>) -> bool {
        self.0.take().is_some_and(|id| cell.remove(id).is_some())
    }
}

/// Wakes them all. If a waker panics, the drain of a cell wakes the others before the panic goes on (P14).
pub(crate) fn wake_all(wakers: Vec<Waker>) {
    if wakers.is_empty() {
        return;
    }
    let cell: Cell<(), Waker> = Cell::new(0);
    for waker in wakers {
        drop(cell.add_waiting(UNTAGGED, waker));
    }
    if let Ok(owed) = cell.complete(()) {
        cell.drain(owed, |batch| batch.for_each(Waker::wake));
    }
}
