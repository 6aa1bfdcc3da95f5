//! loom's stage: its threads, and how far it explores.

use super::super::{Extent, message};
use super::sync;
use crate::engines::record::recorder;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ::loom as machine;
#[path = "../shared/primitives.rs"]
mod primitives;

pub use primitives::{Flag, Mutex, Probe};

/// Runs them all at once, the first one on this thread, and returns when all are through.
pub fn at_once<R: Send + 'static>(bodies: Vec<Box<dyn FnOnce() -> R + Send>>) -> Vec<R> {
    primitives::at_once(bodies, sync::be_thread)
}

thread_local! {
    static BOUND: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Plays with at most so many preemptions in an execution.
pub fn within<R>(preemptions: usize, play: impl FnOnce() -> R) -> R {
    BOUND.set(Some(preemptions));
    let played = play();
    BOUND.set(None);
    played
}

/// Every execution of the model: no limit, whatever the environment says, and no bound but the one to
/// stay [`within`]. How far that went is read from what the builder was told.
///
/// # Errors
///
/// What loom said when it gave up, on a deadlock for example.
pub fn explore(execution: impl Fn() + Send + Sync + 'static) -> Result<Extent, String> {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 4_000;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.preemption_bound = BOUND.get();
    builder.checkpoint_file = None;
    builder.location = false;
    builder.log = false;
    let extent = match (builder.preemption_bound, builder.max_permutations, builder.max_duration) {
        (None, None, None) => Extent::Complete,
        (Some(bound), None, None) => Extent::Bounded(bound),
        _ => Extent::Cut,
    };
    let watched = move || {
        recorder::begin(sync::this_thread);
        execution();
    };
    catch_unwind(AssertUnwindSafe(|| builder.check(watched))).map_err(message)?;
    Ok(extent)
}
