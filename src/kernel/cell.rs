//! Where a callback is admitted: the one lock, the phases, and the transitions between them.

use super::super::sync::{Mutex, OnceLock};
use super::alloc::vec::Vec;
use super::drain::{Drain, Owed};
use super::queue::{Batch, Queue};
use super::table::Phase;
use core::{fmt, mem::ManuallyDrop, num::NonZeroU64};

/// The tag of callbacks that have none of their own.
pub const UNTAGGED: NonZeroU64 = NonZeroU64::MAX;

/// The state of one task: its outcome, once it has one, and the callbacks that wait for it.
///
/// Generic over the outcome `T` and the stored callback `C`, which it never calls, compares or
/// drops under its lock ([P12], [P13]). Every method may be called from any thread, at any time, also from
/// inside a hand-over. Methods block only for the lock, whose sections are short and run no user code
/// ([P18]).
///
/// [P12]: super#properties
/// [P13]: super#properties
/// [P18]: super#properties
pub struct Cell<T, C> {
    pub(super) serial: u64,
    outcome: OnceLock<T>,
    pub(super) state: Mutex<State<C>>,
}

/// The id of one registration: the serial of its cell and the number of the add. Never repeats in a
/// process ([P10]).
///
/// [P10]: super#properties
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallbackId {
    serial: u64,
    sequence: NonZeroU64,
}

/// The answer of [`Cell::add`].
#[derive(Debug)]
#[must_use = "an owed drain must be performed, or callbacks are lost"]
pub enum Added<C> {
    /// The callback waits; the thread that completes the cell, or drains it now, will hand it over.
    Waits(CallbackId),
    /// The cell is done and nobody drains: the caller owes the drain that hands the callback over.
    YouDrain(CallbackId, Drain<C>),
}

/// A copy of the locked state, for harnesses and `Debug`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The phase of the cell.
    pub phase: Phase,
    /// Sequence and tag of the callbacks in the queue, in order.
    pub waiting: Vec<(u64, u64)>,
}

/// The locked state. Its methods are the lock sections.
pub(super) struct State<C> {
    phase: Phase,
    /// The sequence of the last add.
    last: u64,
    /// Empty once settled.
    queue: Queue<C>,
}

impl<T, C> Cell<T, C> {
    /// Makes a pending cell without callbacks. `serial` must be unique in the process: it tells the
    /// ids of cells apart ([P10]).
    ///
    /// [P10]: super#properties
    #[must_use]
    pub fn new(serial: u64) -> Self {
        let state = State { phase: Phase::Pending, last: 0, queue: Queue::EMPTY };
        Cell { serial, outcome: OnceLock::new(), state: Mutex::new(state) }
    }

    /// Admits a callback. While the cell is pending, the callback waits for its turn; once the cell is
    /// done, it is handed over after all earlier ones ([P7], [P11]), by the current drainer or, if there is
    /// none, by the caller, who then owes the drain.
    ///
    /// Costs amortised constant time, and no allocation for the first callback that waits ([P20]).
    ///
    /// [P7]: super#properties
    /// [P11]: super#properties
    /// [P20]: super#properties
    #[inline]
    pub fn add(&self, tag: NonZeroU64, callback: C) -> Added<C> {
        // A lock section that unwinds must not drop it (P13); nor need the compiler keep it in memory for that.
        let callback = ManuallyDrop::new(callback);
        let id = |sequence| CallbackId { serial: self.serial, sequence };
        let mut state = self.state.lock();
        if let Some(sequence) = state.add_late() {
            drop(state);
            let batch = Batch::One(Some(ManuallyDrop::into_inner(callback)));
            return Added::YouDrain(id(sequence), Drain { serial: self.serial, batch, owed: Owed });
        }
        let sequence = state.next();
        state.queue.push(sequence, tag, ManuallyDrop::into_inner(callback));
        Added::Waits(id(sequence))
    }

    /// Admits a late callback whose turn is now, because nobody drains: calls it at once, without storing it,
    /// and then [drains](Self::drain) ([P7], [P8], [P11]). Allocates nothing.
    ///
    /// While the cell is pending, or somebody drains, the answer is `None`, and nothing has happened:
    /// [`add`](Self::add) admits the callback.
    ///
    /// # Panics
    ///
    /// If the callback unwinds, the drain is finished before the panic reaches the caller ([P14]).
    ///
    /// [P7]: super#properties
    /// [P8]: super#properties
    /// [P11]: super#properties
    /// [P14]: super#properties
    #[inline]
    pub fn add_late(&self, callback: impl FnOnce(), hand_over: impl FnMut(&mut Batch<C>)) -> Option<CallbackId> {
        let sequence = self.state.lock().add_late()?;
        self.drain_after(callback, Batch::EMPTY, hand_over);
        Some(CallbackId { serial: self.serial, sequence })
    }

    /// Admits a callback only while the cell is pending: for an await, which has no use for a late
    /// hand-over.
    ///
    /// # Errors
    ///
    /// Once the cell is done, the callback is given back, and [`outcome`](Self::outcome) can be read ([P2]).
    ///
    /// [P2]: super#properties
    pub fn add_waiting(&self, tag: NonZeroU64, callback: C) -> Result<CallbackId, C> {
        let admitted = self.state.lock().add_waiting(tag, callback);
        admitted.map(|sequence| CallbackId { serial: self.serial, sequence })
    }

    /// Swaps the callback stored under `id` for another, which keeps its place, and returns the
    /// old one.
    ///
    /// # Errors
    ///
    /// The new callback is given back if no callback with this `id` waits here: it was removed, the id
    /// is of another cell ([P10]), or the cell is done ([P9]).
    ///
    /// [P9]: super#properties
    /// [P10]: super#properties
    pub fn replace(&self, id: CallbackId, callback: C) -> Result<C, C> {
        let Some(sequence) = self.own(id) else { return Err(callback) };
        self.state.lock().replace(sequence, callback)
    }

    /// Takes a waiting callback out and returns it, so that the caller drops it, outside the lock
    /// ([P13]). `Some` means that it will never be handed over ([P9]); once the cell is done, the answer is
    /// always `None`.
    ///
    /// Costs amortised constant time in the order of the adds, and O(log n) at worst.
    ///
    /// [P9]: super#properties
    /// [P13]: super#properties
    pub fn remove(&self, id: CallbackId) -> Option<C> {
        let sequence = self.own(id)?;
        self.state.lock().remove(sequence)
    }

    /// The sequence in an id of this cell.
    fn own(&self, id: CallbackId) -> Option<NonZeroU64> {
        (id.serial == self.serial).then_some(id.sequence)
    }

    /// Takes out every waiting callback with this tag, in one step, and returns them in order.
    /// Once the cell is done, the answer is empty ([P9]). Scans the queue under the lock, and allocates
    /// for the callbacks that it finds there.
    ///
    /// [P9]: super#properties
    pub fn remove_all(&self, tag: NonZeroU64) -> Vec<C> {
        self.state.lock().remove_all(tag)
    }

    /// Completes the cell: publishes the outcome and leaves `Pending` in one lock section ([P2]).
    /// The caller owes the drain.
    ///
    /// # Errors
    ///
    /// If the cell is done already, the value is given back untouched ([P1]).
    ///
    /// [P1]: super#properties
    /// [P2]: super#properties
    #[inline(always)]
    pub fn complete(&self, outcome: T) -> Result<Drain<C>, T> {
        let batch = self.state.lock().complete(&self.outcome, outcome)?;
        Ok(Drain { serial: self.serial, batch, owed: Owed })
    }

    /// Returns the outcome once there is one, and then always the same ([P2], [P3]). Takes no lock.
    ///
    /// [P2]: super#properties
    /// [P3]: super#properties
    pub fn outcome(&self) -> Option<&T> {
        self.outcome.get()
    }

    /// Consumes the cell, gives its outcome back by value, and drops the callbacks that still wait, which
    /// are never handed over ([P6], [P15]).
    ///
    /// [P6]: super#properties
    /// [P15]: super#properties
    pub fn into_outcome(self) -> Option<T> {
        self.outcome.into_inner()
    }

    /// Returns the phase at this moment, and how many callbacks the queue holds. Allocates nothing.
    ///
    /// `Settled` means that every callback admitted so far was handed over, and that each of those calls
    /// has returned ([P19]): who loses the race of [`complete`](Self::complete) can ask whether the hand-over is
    /// over. A phase other than `Pending` comes when the outcome can be read ([P2]), and is never followed
    /// by `Pending` ([P3]).
    ///
    /// [P2]: super#properties
    /// [P3]: super#properties
    /// [P19]: super#properties
    pub fn phase(&self) -> (Phase, usize) {
        self.state.lock().phase()
    }

    /// Returns the serial with which the cell was made ([P10]).
    ///
    /// [P10]: super#properties
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// Copies phase and queue as they are at this moment. Costs an allocation under the lock, and a
    /// scan of the queue: for harnesses and `Debug`.
    pub fn snapshot(&self) -> Snapshot {
        self.state.lock().snapshot()
    }
}

impl<C> State<C> {
    /// The sequence of the next add. They do not run out: 64 bits last for centuries.
    fn next(&mut self) -> NonZeroU64 {
        let sequence = NonZeroU64::MIN.saturating_add(self.last);
        self.last = sequence.get();
        sequence
    }

    fn add_late(&mut self) -> Option<NonZeroU64> {
        if self.phase != Phase::Settled {
            return None;
        }
        // ORDER: the queue is empty and nobody drains, so this callback may go first (P7, P8).
        self.phase = Phase::Draining;
        Some(self.next())
    }

    fn add_waiting(&mut self, tag: NonZeroU64, callback: C) -> Result<NonZeroU64, C> {
        if self.phase != Phase::Pending {
            return Err(callback);
        }
        let sequence = self.next();
        self.queue.push(sequence, tag, callback);
        Ok(sequence)
    }

    fn replace(&mut self, sequence: NonZeroU64, callback: C) -> Result<C, C> {
        let Some(queue) = self.removable() else { return Err(callback) };
        queue.replace(sequence, callback)
    }

    fn remove(&mut self, sequence: NonZeroU64) -> Option<C> {
        self.removable()?.remove(sequence)
    }

    fn remove_all(&mut self, tag: NonZeroU64) -> Vec<C> {
        self.removable().map_or_else(Vec::new, |queue| queue.remove_all(tag))
    }

    /// The queue while callbacks can be removed from it: not once the cell is done (P9).
    fn removable(&mut self) -> Option<&mut Queue<C>> {
        (self.phase == Phase::Pending).then_some(&mut self.queue)
    }

    fn complete<T>(&mut self, published: &OnceLock<T>, outcome: T) -> Result<Batch<C>, T> {
        if self.phase != Phase::Pending {
            return Err(outcome);
        }
        published.set(outcome)?;
        self.phase = Phase::Draining;
        Ok(self.queue.take())
    }

    /// The drainer's look: returns the next batch, or settles the cell and returns `None` (P19).
    #[inline(always)]
    pub(super) fn look(&mut self) -> Option<Batch<C>> {
        if self.queue.len() == 0 {
            self.phase = Phase::Settled;
            return None;
        }
        Some(self.queue.take())
    }

    fn phase(&self) -> (Phase, usize) {
        (self.phase, self.queue.len())
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot { phase: self.phase, waiting: self.queue.waiting() }
    }
}

impl<T: fmt::Debug, C> fmt::Debug for Cell<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (serial, snapshot, outcome) = (self.serial, self.snapshot(), self.outcome());
        write!(f, "Cell {{ serial: {serial}, outcome: {outcome:?}, state: {snapshot:?} }}")
    }
}

/// For a facade that prints the state that its lock guards.
impl<C> fmt::Debug for State<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.snapshot().fmt(f)
    }
}
