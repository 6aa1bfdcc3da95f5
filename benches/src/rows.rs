//! The scenarios and the rows of the tables.

use Scenario::*;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A scenario, by its number in `performance.md` or by its name. Those of one thread come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scenario {
    /// Add n, complete, run all; for one callback.
    S1,
    /// Add n to a task that is done; for one callback.
    S2,
    /// Add and remove, on a pending task beside n others; for one pair.
    S3,
    /// Add n and remove them in random order; for one pair.
    S4,
    /// The removals of S4 alone; for one removal.
    S4Remove,
    /// The first quarter of them, before any gap is closed; for one removal.
    S4First,
    /// As S4Remove, after 3 n others have gone; for one removal.
    S4Compact,
    /// Make, complete and drop a task without callbacks; for one task.
    S5,
    /// Add n to a pending task; for one add.
    Add,
    /// Complete a task with n callbacks, which run; for one task.
    Complete,
    /// Read the outcome of a task that is done; for one read.
    Read,
    /// Print a pending task with n callbacks; for one print.
    Debug,
    /// The first poll of an await of a pending task.
    AwaitFirst,
    /// A further poll with the same waker.
    AwaitAgain,
    /// Complete a task that is awaited, which wakes; for one task.
    AwaitWake,
    /// Drop an await that waits.
    AwaitDrop,
    /// Run the loop, or the executor, for a future that is ready at once; for one run.
    Run,
    /// Spawn a future of about n KiB, and run it to its end; for one future.
    Spawn,
    /// One atomic read-modify-write, uncontended.
    Atomic,
    /// One section of std's lock, uncontended.
    Lock,
    /// std's write-once cell: make, set, read.
    Once,
    /// A box of 16 bytes: make and free.
    Box,
    /// One thread completes a stream of tasks, another adds to each; for one task.
    S6,
    /// Two threads add n each to one task, which is then completed; for one callback.
    S7,
}

/// One row: a scenario and its n.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Row {
    pub scenario: Scenario,
    pub n: u64,
}

/// Every row of the tables.
#[rustfmt::skip]
pub const ROWS: [Row; 41] = [
    row(S1, 1), row(S1, 8), row(S1, 64), row(S1, 65), row(S1, 1024), row(S1, 100_000),
    row(S2, 1), row(S2, 64),
    row(S3, 0), row(S3, 64),
    row(S4, 64), row(S4, 8192), row(S4, 16384),
    row(S4Remove, 64), row(S4Remove, 8192),
    row(S4First, 64), row(S4First, 8192), row(S4Compact, 64), row(S4Compact, 8192),
    row(S5, 0),
    row(Add, 64), row(Complete, 0), row(Complete, 64), row(Read, 0), row(Debug, 64),
    row(AwaitFirst, 0), row(AwaitAgain, 0), row(AwaitWake, 0), row(AwaitDrop, 0),
    row(Run, 0), row(Spawn, 0), row(Spawn, 1), row(Spawn, 16), row(Spawn, 64),
    row(Atomic, 0), row(Lock, 0), row(Once, 0), row(Box, 0),
    row(S6, 1),
    row(S7, 64), row(S7, 1024),
];

pub(super) const fn row(scenario: Scenario, n: u64) -> Row {
    Row { scenario, n }
}

impl Row {
    /// One thread, so that instructions and allocations repeat.
    pub fn repeats(self) -> bool {
        self.scenario < S6
    }

    /// True for rows that compare with futures and executors, not with other lists of callbacks.
    pub fn concerns_futures(self) -> bool {
        (AwaitFirst..=Spawn).contains(&self.scenario)
    }

    /// True if bytes are weighed: of one task with its callbacks, of a future, or left behind.
    pub fn is_weighed(self) -> bool {
        [S1, S3, S5, Spawn].contains(&self.scenario)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} n={}", self.scenario, self.n)
    }
}
