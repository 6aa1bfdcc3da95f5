//! Where a caller's code is called: behind a guard that lets no panic through (P14).

use super::outcome::Panic;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs it and catches its panic.
///
/// UNPOISONED: nothing of ours is borrowed while `f` runs, so no half-made state is seen after a
/// panic (P14).
#[inline]
pub(crate) fn contain<R>(f: impl FnOnce() -> R) -> Result<R, Panic> {
    catch_unwind(AssertUnwindSafe(f)).map_err(Panic::new)
}
