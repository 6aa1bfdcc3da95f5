//! The exploration on std's threads: all at once, round after round, or one after the other, once.

use super::super::{Extent, message};
use crate::engines::record::tickets;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use std as machine;
#[path = "../shared/primitives.rs"]
mod primitives;

pub use primitives::Mutex;
use primitives::ThreadBody;

/// The way in which the threads of a scenario run.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Together,
    Sequential,
}

thread_local! {
    /// The mode of the scenarios that this thread plays.
    static MODE: Cell<Mode> = const { Cell::new(Mode::Together) };
}

/// Plays with one thread after the other, all on this one.
pub fn sequentially<R>(play: impl FnOnce() -> R) -> R {
    MODE.set(Mode::Sequential);
    let played = play();
    MODE.set(Mode::Together);
    played
}

/// The probe of `shared/primitives.rs`, which also yields to other threads.
pub struct Probe(primitives::Probe);

impl Probe {
    pub fn new() -> Self {
        Probe(primitives::Probe::new())
    }

    pub fn touch(&self) {
        self.0.touch();
        yield_to_others();
    }

    pub fn touch_in_order(&self) {
        self.0.touch_in_order();
        yield_to_others();
    }

    pub fn touches(&self) -> usize {
        self.0.touches()
    }
}

fn yield_to_others() {
    if MODE.get() == Mode::Together {
        thread::yield_now();
    }
}

/// The flag of `shared/primitives.rs`. Where threads run one after the other, it must be raised before a thread waits.
pub struct Flag(primitives::Flag);

impl Flag {
    pub fn new() -> Self {
        Flag(primitives::Flag::new())
    }

    pub fn raise(&self) {
        self.0.raise();
    }

    pub fn wait(&self) {
        let can_be_raised = MODE.get() == Mode::Together || self.0.is_raised();
        assert!(can_be_raised, "threads that run one after the other cannot wait for a later one");
        self.0.wait();
    }
}

/// The number of rounds of one scenario whose threads run at once.
pub const ROUNDS: usize = 100;

/// Runs the bodies as the mode says, the first one on this thread, and returns when all have ended.
pub fn at_once<R: Send + 'static>(bodies: Vec<ThreadBody<R>>) -> Vec<R> {
    match MODE.get() {
        Mode::Sequential => bodies.into_iter().map(|body| body()).collect(),
        Mode::Together => together(bodies),
    }
}

/// Runs the bodies at once. No body begins before all threads have started.
fn together<R: Send + 'static>(bodies: Vec<ThreadBody<R>>) -> Vec<R> {
    let missing = Arc::new(AtomicUsize::new(bodies.len()));
    let together = |(thread, body): (usize, ThreadBody<R>)| {
        let (missing, holder) = (missing.clone(), tickets::holder(thread));
        Box::new(move || {
            missing.fetch_sub(1, Ordering::AcqRel);
            // A sleeping thread would start late, so the early ones spin.
            while missing.load(Ordering::Acquire) > 0 {
                thread::yield_now();
            }
            match holder {
                Some(holder) => holder.hold(body),
                None => body(),
            }
        }) as ThreadBody<R>
    };
    primitives::at_once(bodies.into_iter().enumerate().map(together).collect(), |_| ())
}

/// Plays a number of executions, or the one execution without concurrency.
///
/// # Errors
///
/// The panic's message, if one panicked.
pub fn explore(execution: impl Fn() + Send + Sync + 'static) -> Result<Extent, String> {
    let (rounds, extent) = match MODE.get() {
        Mode::Together => (ROUNDS, Extent::Sampled),
        Mode::Sequential => (1, Extent::Complete),
    };
    (0..rounds).try_for_each(|_| catch_unwind(AssertUnwindSafe(&execution)).map_err(message))?;
    Ok(extent)
}
