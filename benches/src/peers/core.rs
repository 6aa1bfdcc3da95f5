//! The verified core with a plain value; a borrow of the cell is its handle.

use super::plain::Stored;
use super::{Check, Peer, Reads, Removes};
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use whendone::CallbackId;
use whendone::kernel::{Added, Cell, UNTAGGED};

/// The core with callbacks of this type.
pub(crate) struct Core<C> {
    serial: u64,
    stores: PhantomData<fn() -> C>,
}

/// A callback as a user of the core stores it.
pub(crate) trait Callback: Send + 'static {
    fn new(check: Check) -> Self;
    fn call(self, value: u64);
}

impl Callback for Stored {
    #[inline]
    fn new(check: Check) -> Self {
        Stored::new(check)
    }

    #[inline]
    fn call(self, value: u64) {
        self.call(value);
    }
}

/// A callback with a drop, as most have: it counts those that are dropped without having run.
pub(crate) struct Dropped {
    call: fn(Check, u64),
    check: Option<Check>,
}

static UNRUN: AtomicU64 = AtomicU64::new(0);

impl Callback for Dropped {
    #[inline]
    fn new(check: Check) -> Self {
        Dropped { call: Check::run, check: Some(check) }
    }

    #[inline]
    fn call(mut self, value: u64) {
        if let Some(check) = self.check.take() {
            (self.call)(check, value);
        }
    }
}

impl Drop for Dropped {
    #[inline]
    fn drop(&mut self) {
        if self.check.is_some() {
            UNRUN.store(UNRUN.load(Relaxed) + 1, Relaxed);
        }
    }
}

type CoreCell<C> = Cell<u64, C>;

impl<C: Callback> Peer for Core<C> {
    type Task = Arc<CoreCell<C>>;
    type Completer = ();
    type Id = CallbackId;

    fn new() -> Self {
        Core { serial: 0, stores: PhantomData }
    }

    fn task(&mut self) -> ((), Arc<CoreCell<C>>) {
        self.serial += 1;
        ((), Arc::new(Cell::new(self.serial)))
    }

    fn add(&mut self, cell: &mut Arc<CoreCell<C>>, check: Check) -> CallbackId {
        match cell.add(UNTAGGED, C::new(check)) {
            Added::Waits(id) => id,
            Added::YouDrain(id, owed) => {
                let value = Self::read(cell);
                cell.drain(owed, |batch| batch.for_each(|stored| stored.call(value)));
                id
            }
        }
    }

    fn add_late(&mut self, cell: &mut Arc<CoreCell<C>>, check: Check) -> CallbackId {
        let value = Self::read(cell);
        let added = cell.add_late(|| C::new(check).call(value), |batch| batch.for_each(|stored| stored.call(value)));
        added.unwrap_or_else(|| self.add(cell, check))
    }

    fn complete((): (), cell: &mut Arc<CoreCell<C>>, value: u64) {
        let owed = cell.complete(value).expect("it is completed once");
        cell.drain(owed, |batch| batch.for_each(|stored| stored.call(value)));
    }
}

impl<C: Callback> Removes for Core<C> {
    fn remove(&mut self, cell: &mut Arc<CoreCell<C>>, id: CallbackId) {
        cell.remove(id).expect("it waits");
    }
}

impl<C: Callback> Reads for Core<C> {
    #[inline]
    fn read(cell: &Arc<CoreCell<C>>) -> u64 {
        *cell.outcome().expect("it is done")
    }
}
