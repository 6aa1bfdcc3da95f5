//! Where a callback is handed over: by the one holder of the drain token, unlocked, in order.

use super::{cell::Cell, queue::Batch};
use core::{fmt, mem, ops::Deref, ptr};

/// The duty to hand over a cell's callbacks. There is at most one for a cell at any time (P8).
///
/// It owns a handle of its cell (`H`: anything cheap that derefs to the cell and clones) and the
/// callbacks that its transition moved out. While it exists the cell is
/// [`Draining`](super::Phase::Draining): adds by other threads only append, and wait for its holder.
///
/// # Panics
///
/// Dropping it unspent loses callbacks and leaves the cell `Draining` for ever: with debug assertions
/// that panics, which aborts the process if the thread is panicking already.
#[must_use = "whoever is told to drain must drain, or callbacks are lost"]
pub struct Drain<H, C> {
    cell: H,
    batch: Batch<C>,
    owed: Owed,
}

/// What must not be dropped.
struct Owed;

impl<H, C> Drain<H, C> {
    pub(super) fn new(cell: H, batch: Batch<C>) -> Self {
        Drain { cell, batch, owed: Owed }
    }

    /// The same duty with another handle of the same cell: a borrowed one is cheap, and is changed for
    /// one that lives on when the drain is put off.
    ///
    /// # Errors
    ///
    /// If the handle is of another cell, the token is given back as it was.
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

    /// Hands over each callback in order until a look at the queue finds it empty, which settles
    /// the cell in the same lock section. Runs on the calling thread, with no lock held while
    /// `hand_over` runs. A loop, never recursion; other threads' adds can prolong it (P18).
    ///
    /// # Panics
    ///
    /// If `hand_over` unwinds, the drain is finished, the rest of the batch first, before the panic
    /// goes on to the caller: no other callback is lost and the cell is settled (P14). A second
    /// unwind aborts the process.
    ///
    /// # Re-entrancy
    ///
    /// `hand_over` may call everything on the cell. What it adds is handed over by this same call.
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

/// What is still to be handed over, also when a hand-over unwinds.
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

    /// To the end: until a look finds the queue empty.
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
