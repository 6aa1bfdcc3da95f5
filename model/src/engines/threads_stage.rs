//! The stage of real threads: they start together, round after round.

use super::Extent;
use crate::history;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use std as machine;
#[path = "props.rs"]
mod props;

pub use props::{Flag, Mutex};

/// Lets others in whenever it is touched.
pub struct Probe(props::Probe);

impl Probe {
    pub fn new() -> Self {
        Probe(props::Probe::new())
    }

    pub fn touch(&self) {
        self.0.touch();
        thread::yield_now();
    }

    pub fn touch_in_order(&self) {
        self.0.touch_in_order();
        thread::yield_now();
    }

    pub fn touches(&self) -> usize {
        self.0.touches()
    }
}

/// Rounds of one scenario.
pub const ROUNDS: usize = 100;

/// Runs them all at once, the first one on this thread, and returns when all are through. None begins
/// before all are there.
pub fn at_once<R: Send + 'static>(bodies: Vec<Box<dyn FnOnce() -> R + Send>>) -> Vec<R> {
    let missing = Arc::new(AtomicUsize::new(bodies.len()));
    let together = |(thread, body): (usize, Box<dyn FnOnce() -> R + Send>)| {
        let (missing, holder) = (missing.clone(), history::holder(thread));
        Box::new(move || {
            missing.fetch_sub(1, Ordering::AcqRel);
            // Whoever sleeps is late: those that are there look again and again.
            while missing.load(Ordering::Acquire) > 0 {
                thread::yield_now();
            }
            match holder {
                Some(holder) => holder.hold(body),
                None => body(),
            }
        }) as Box<dyn FnOnce() -> R + Send>
    };
    props::at_once(bodies.into_iter().enumerate().map(together).collect(), |_| ())
}

/// Some executions, as they come.
///
/// # Errors
///
/// The panic's message, if one panicked.
pub fn explore(execution: impl Fn() + Send + Sync + 'static) -> Result<Extent, String> {
    (0..ROUNDS).try_for_each(|_| catch_unwind(AssertUnwindSafe(&execution)).map_err(super::message))?;
    Ok(Extent::Sampled)
}
