//! The work of every callback: to check that it is its turn.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// The value of every task.
pub const VALUE: u64 = 0x5eed;

/// A callback's captures, 16 bytes: its number, and the log in which it notes that it ran.
#[derive(Clone, Copy)]
pub struct Check {
    sequence: u64,
    log: &'static Log,
}

/// A log of the callbacks that have run. No more than one runs at a time, so it needs no read-modify-write; if two
/// overlapped, the count would be too small.
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

    /// A log that only counts, for a peer that promises no order.
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

    /// A callback that will be removed: its turn never comes.
    pub fn never(&'static self) -> Check {
        self.check(u64::MAX)
    }

    pub fn ran(&self) -> u64 {
        self.ran.load(Relaxed)
    }

    /// Starts again, if exactly `expected` callbacks have run, each rightly.
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
