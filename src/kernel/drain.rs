//! Where a callback is handed over: by the only holder of the drain token, outside the lock, in order.

use super::{cell::Cell, queue::Batch};
use core::{fmt, mem};

/// The duty to hand over a cell's callbacks, which is done by [`Cell::drain`]. A cell has at most one at any
/// time ([P8]).
///
/// The token owns the callbacks that its transition moved out. While it exists, the cell is
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
pub struct Drain<C> {
    /// The serial of the cell.
    pub(super) serial: u64,
    pub(super) batch: Batch<C>,
    pub(super) owed: Owed,
}

/// The part of a token that must not be dropped.
pub(super) struct Owed;

impl<T, C> Cell<T, C> {
    /// Hands over each callback in order until the queue is empty, and settles the cell in the lock
    /// section that finds it empty ([P7], [P19]). Runs on the calling thread, and calls `hand_over` with no
    /// lock held ([P13]). It loops and never recurses; adds of other threads can prolong it ([P18]).
    ///
    /// `hand_over` takes callbacks from the front of the batch, and is called again while some are left.
    ///
    /// # Panics
    ///
    /// If `hand_over` unwinds, the drain is finished, the rest of the batch first, before the panic
    /// reaches the caller: no other callback is lost, and the cell is settled ([P14]). A second unwind
    /// aborts the process.
    ///
    /// Panics if the token is of another cell. Its callbacks are lost.
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
    #[inline(always)]
    pub fn drain(&self, owed: Drain<C>, hand_over: impl FnMut(&mut Batch<C>)) {
        let Drain { serial, batch, owed } = owed;
        mem::forget(owed);
        assert!(serial == self.serial, "a drain token was given to another cell");
        self.drain_after(|| (), batch, hand_over);
    }

    /// Calls a callback that was never stored, and then drains.
    #[inline(always)]
    pub(super) fn drain_after(&self, first: impl FnOnce(), batch: Batch<C>, hand_over: impl FnMut(&mut Batch<C>)) {
        let mut rest = Rest { cell: self, batch, hand_over };
        first();
        rest.hand_over_batch();
        let more = self.state.lock().look(); // ends before the hand-over (P13)
        if let Some(batch) = more {
            rest.batch = batch;
            rest.go_on();
        }
        mem::forget(rest);
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        debug_assert!(false, "a drain token was dropped unspent, and callbacks with it: call `drain`");
    }
}

impl<C> fmt::Debug for Drain<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Drain")
    }
}

/// The rest of a drain, which is handed over also when a hand-over unwinds.
struct Rest<'a, T, C, F: FnMut(&mut Batch<C>)> {
    cell: &'a Cell<T, C>,
    batch: Batch<C>,
    hand_over: F,
}

impl<T, C, F: FnMut(&mut Batch<C>)> Rest<'_, T, C, F> {
    #[inline(always)]
    fn hand_over_batch(&mut self) {
        while !self.batch.is_empty() {
            (self.hand_over)(&mut self.batch);
        }
        if let Batch::Many(_) = self.batch {
            self.batch = Batch::EMPTY; // frees the buffer
        }
    }

    /// Drains to the end: until the queue is empty.
    #[cold]
    fn go_on(&mut self) {
        loop {
            self.hand_over_batch();
            let more = self.cell.state.lock().look();
            let Some(batch) = more else { return };
            self.batch = batch;
        }
    }
}

impl<T, C, F: FnMut(&mut Batch<C>)> Drop for Rest<'_, T, C, F> {
    #[cold]
    fn drop(&mut self) {
        self.go_on();
    }
}
