//! What every callback does: check that it is its turn.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// What every task is completed with.
pub const VALUE: u64 = 0x5eed;

/// A callback's captures, 16 bytes: which one it is, and where it notes that it ran.
#[derive(Clone, Copy)]
pub struct Check {
    sequence: u64,
    log: &'static Log,
}

/// Which callbacks of a scenario have run. No more than one runs at a time, so this needs no
/// read-modify-write; two that did overlap would be missed in the count.
#[derive(Default)]
pub struct Log {
    ran: AtomicU64,
    wrong: AtomicBool,
    unordered: bool,
}

impl Check {
    /// The callback: called once, in order, with the value.
    #[inline]
    pub fn run(self, value: u64) {
        let turn = self.log.ran.load(Relaxed);
        if turn != self.sequence || value != VALUE {
            self.log.object(value);
        }
        self.log.ran.store(turn + 1, Relaxed);
    }
}

impl Log {
    /// A log for a whole process.
    pub fn leak() -> &'static Log {
        Box::leak(Box::default())
    }

    /// A log that counts, for a peer that promises no order.
    pub fn leak_unordered() -> &'static Log {
        Box::leak(Box::new(Log { unordered: true, ..Log::default() }))
    }

    #[cold]
    fn object(&self, value: u64) {
        if !self.unordered || value != VALUE {
            self.wrong.store(true, Relaxed);
        }
    }

    #[inline]
    pub fn check(&'static self, sequence: u64) -> Check {
        Check { sequence, log: self }
    }

    /// The callback of one that is removed: its turn never comes.
    pub fn never(&'static self) -> Check {
        self.check(u64::MAX)
    }

    pub fn ran(&self) -> u64 {
        self.ran.load(Relaxed)
    }

    /// Begins anew, once exactly `expected` callbacks have run and all was right.
    ///
    /// # Panics
    ///
    /// If a callback ran twice, not at all, out of turn, or with another value.
    #[inline]
    pub fn settle(&self, expected: u64) {
        let (ran, wrong) = (self.ran(), self.wrong.load(Relaxed));
        assert!(ran == expected && !wrong, "{ran} of {expected} callbacks ran, wrongly: {wrong}");
        self.ran.store(0, Relaxed);
    }
}
