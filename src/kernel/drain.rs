//! Where a callback is handed over: by the one holder of the drain token, unlocked, in order.

use super::{cell::Cell, queue::Batch};
use core::{fmt, mem, ops::Deref};

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
    owed: bool,
}

impl<H, C> Drain<H, C> {
    #[inline]
    pub(super) fn new(cell: H, batch: Batch<C>) -> Self {
        Drain { cell, batch, owed: true }
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
    #[inline]
    pub fn drain<T>(mut self, mut hand_over: impl FnMut(&H, C))
    where
        H: Deref<Target = Cell<T, C>>,
    {
        let mut rest = Finish(|| match self.next() {
            Some(callback) => {
                hand_over(&self.cell, callback);
                true
            }
            None => false,
        });
        while (rest.0)() {}
        mem::forget(rest);
    }

    /// The next callback, from the batch at hand or the next one; `None` once the cell is settled.
    #[inline(always)]
    fn next<T>(&mut self) -> Option<C>
    where
        H: Deref<Target = Cell<T, C>>,
    {
        while self.owed {
            if let Some(callback) = self.batch.next() {
                return Some(callback);
            }
            match self.cell.look() {
                Some(batch) => self.batch = batch,
                None => self.owed = false,
            }
        }
        None
    }
}

impl<H, C> Drop for Drain<H, C> {
    fn drop(&mut self) {
        debug_assert!(!self.owed, "a drain token was dropped unspent, and callbacks with it: call `drain`");
    }
}

impl<H, C> fmt::Debug for Drain<H, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Drain")
    }
}

/// Repeats a step until it says that it was the last, when one of them unwinds.
struct Finish<F: FnMut() -> bool>(F);

impl<F: FnMut() -> bool> Drop for Finish<F> {
    #[cold]
    fn drop(&mut self) {
        while (self.0)() {}
    }
}
