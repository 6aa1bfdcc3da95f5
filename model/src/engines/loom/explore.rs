//! loom's exploration: its threads, and its bound on preemptions.

use super::super::{Extent, message};
use super::sync;
use crate::engines::record::recorder;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ::loom as machine;
#[path = "../shared/primitives.rs"]
mod primitives;

use primitives::ThreadBody;
pub use primitives::{Flag, Mutex, Probe};

/// Runs all bodies at once, the first one on this thread, and returns when all have ended.
pub fn at_once<R: Send + 'static>(bodies: Vec<ThreadBody<R>>) -> Vec<R> {
    primitives::at_once(bodies, sync::be_thread)
}

thread_local! {
    static BOUND: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Plays with at most this many preemptions in an execution.
pub fn within<R>(preemptions: usize, play: impl FnOnce() -> R) -> R {
    BOUND.set(Some(preemptions));
    let played = play();
    BOUND.set(None);
    played
}

/// Explores every execution of the model: without a limit, whatever the environment sets, and without a bound except the
/// one of [`within`]. The extent is derived from the builder's own settings.
///
/// # Errors
///
/// loom's message if it gave up, on a deadlock for example.
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
