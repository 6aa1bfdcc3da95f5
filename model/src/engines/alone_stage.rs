//! The stage without concurrency: one thread after the other, once.

use super::Extent;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

pub use std::sync::Mutex;

#[derive(Default)]
pub struct Probe(AtomicUsize);

impl Probe {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn touch(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub fn touch_in_order(&self) {
        self.touch();
    }

    pub fn touches(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// What one thread raises and others wait for; here they must find it raised.
#[derive(Default)]
pub struct Flag(AtomicBool);

impl Flag {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn raise(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub fn wait(&self) {
        let raised = self.0.load(Ordering::Acquire);
        assert!(raised, "threads that run one after the other cannot wait for a later one");
    }
}

/// Runs one after the other.
pub fn at_once<R: Send + 'static>(bodies: Vec<Box<dyn FnOnce() -> R + Send>>) -> Vec<R> {
    bodies.into_iter().map(|body| body()).collect()
}

/// The one execution.
///
/// # Errors
///
/// The panic's message, if it panicked.
pub fn explore(execution: impl Fn() + Send + Sync + 'static) -> Result<Extent, String> {
    catch_unwind(AssertUnwindSafe(execution)).map_err(super::message)?;
    Ok(Extent::Complete)
}
