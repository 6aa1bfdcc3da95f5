//! The operations of the adapters, each measured on an adapter and on its peers.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use whendone_bench::meter::Meter;

/// Measures one operation of one library.
pub type Play = fn(&mut Meter);

/// The operations of one adapter.
pub struct Table {
    pub adapter: &'static str,
    pub peers: &'static [&'static str],
    pub operations: &'static [Operation],
}

/// The name of an operation, and its measurements: on the adapter, then on the peers in the table's order, if they have it.
pub type Operation = (&'static str, &'static [Option<Play>]);

pub const TABLES: [Table; 5] = [
    super::tokens::TABLE,
    super::shares::TABLE,
    super::channels::TABLE,
    super::alone::ABORT_SIGNAL,
    super::alone::AFTER_FUNC,
];

const BATCH: u64 = 512;

/// Repeats an operation on something that is prepared before, and dropped after it is counted.
pub fn each<S>(meter: &mut Meter, mut prepare: impl FnMut() -> S, mut operation: impl FnMut(&mut S)) {
    let all = |(): &mut ()| (0..BATCH).map(|_| prepare()).collect();
    let one_by_one = |(): &mut (), mut prepared: Vec<S>| {
        prepared.iter_mut().for_each(&mut operation);
        prepared
    };
    meter.repeat(&mut (), BATCH, all, one_by_one);
}

/// Polls with a waker that does nothing, so that its cost is none.
pub fn poll<F: Future + Unpin + ?Sized>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}
