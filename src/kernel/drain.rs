//! Where a callback is handed over: by the only holder of the drain token, outside the lock, in order.

use super::{cell::Cell, queue::Batch};
use core::{fmt, mem, ops::Deref, ptr};

/// The duty to hand over a cell's callbacks. A cell has at most one at any time ([P8]).
///
/// The token owns a handle of its cell (`H`: any cheap type that derefs to the cell and clones) and the
/// callbacks that its transition moved out. While it exists, the cell is
/// [`Draining`](super::Phase::Draining): adds of other threads only append, and their callbacks wait for
/// its holder.
///
/// # Panics
///
/// A token that is dropped unspent loses callbacks and leaves the cell `Draining` for ever. With debug
/// assertions that panics, which aborts the process if the thread is panicking already.
///
/// [P8]: super#properties
#[must_use = "an owed drain must be performed, or callbacks are lost"]
pub struct Drain<H, C> {
    cell: H,
    batch: Batch<C>,
    owed: Owed,
}

/// The part of a token that must not be dropped.
struct Owed;

impl<H, C> Drain<H, C> {
    pub(super) fn new(cell: H, batch: Batch<C>) -> Self {
        Drain { cell, batch, owed: Owed }
    }

    /// Exchanges the handle for another one of the same cell: a borrowed handle is cheap, and is
    /// exchanged for an owned one when the drain is deferred.
    ///
    /// # Errors
    ///
    /// If the handle is of another cell, the token is given back unchanged.
    pub fn with_handle<T, O>(self, handle: O) -> Result<Drain<O, C>, Self>
    where
        H: Deref<Target = Cell<T, C>>,
        O: Deref<Target = Cell<T, C>>,
    {
        if !ptr::eq(&*self.cell, &*handle) {
            return Err(self);
        }
        Ok(Drain { cell: handle, batch: self.batch, owed: self.owed })
    }

    /// Hands over each callback in order until the queue is empty, and settles the cell in the lock
    /// section that finds it empty ([P7], [P19]). Runs on the calling thread, and calls `hand_over` with no
    /// lock held ([P13]). It loops and never recurses; adds of other threads can prolong it ([P18]).
    ///
    /// # Panics
    ///
    /// If `hand_over` unwinds, the drain is finished, the rest of the batch first, before the panic
    /// reaches the caller: no other callback is lost, and the cell is settled ([P14]). A second unwind
    /// aborts the process.
    ///
    /// # Re-entrancy
    ///
    /// `hand_over` may call everything on the cell. Callbacks that it adds are handed over by this same
    /// call ([P11]).
    ///
    /// [P7]: super#properties
    /// [P11]: super#properties
    /// [P13]: super#properties
    /// [P14]: super#properties
    /// [P18]: super#properties
    /// [P19]: super#properties
    pub fn drain<T>(self, mut hand_over: impl FnMut(&H, C))
    where
        H: Deref<Target = Cell<T, C>>,
    {
        let Drain { cell, batch, owed } = self;
        mem::forget(owed);
        let mut rest = Rest { cell: &cell, batch: Batch::One(None), hand_over: |callback| hand_over(&cell, callback) };
        match batch {
            Batch::One(Some(callback)) => (rest.hand_over)(callback),
            batch => rest.all_of(batch),
        }
        if let Some(batch) = cell.look() {
            rest.go_on(batch);
        }
        mem::forget(rest);
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        debug_assert!(false, "a drain token was dropped unspent, and callbacks with it: call `drain`");
    }
}

impl<H, C> fmt::Debug for Drain<H, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Drain")
    }
}

/// The rest of a drain, which is handed over also when a hand-over unwinds.
struct Rest<'a, T, C, F: FnMut(C)> {
    cell: &'a Cell<T, C>,
    batch: Batch<C>,
    hand_over: F,
}

impl<T, C, F: FnMut(C)> Rest<'_, T, C, F> {
    fn all_of(&mut self, batch: Batch<C>) {
        self.batch = batch;
        for callback in self.batch.by_ref() {
            (self.hand_over)(callback);
        }
        self.batch = Batch::One(None);
    }

    /// Drains to the end: until the queue is empty.
    #[cold]
    fn go_on(&mut self, batch: Batch<C>) {
        let mut next = Some(batch);
        while let Some(batch) = next {
            self.all_of(batch);
            next = self.cell.look();
        }
    }
}

impl<T, C, F: FnMut(C)> Drop for Rest<'_, T, C, F> {
    #[cold]
    fn drop(&mut self) {
        let batch = mem::replace(&mut self.batch, Batch::One(None));
        self.go_on(batch);
    }
}
