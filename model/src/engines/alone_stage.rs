//! The stage without concurrency: one thread after the other, once.

use std::cell::Cell;

pub struct Probe;

impl Probe {
    pub fn new() -> Self {
        Probe
    }

    pub fn touch(&self) {}
}

/// What one thread raises and others wait for; here they must find it raised.
#[derive(Default)]
pub struct Flag(std::sync::atomic::AtomicBool);

impl Flag {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn raise(&self) {
        self.0.store(true, std::sync::atomic::Ordering::Release);
    }

    pub fn wait(&self) {
        let raised = self.0.load(std::sync::atomic::Ordering::Acquire);
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
pub fn explore(execution: impl Fn() + Send + Sync + 'static) -> Result<(), String> {
    let ran = Cell::new(false);
    let once = || {
        ran.set(true);
        execution();
    };
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(once)).map_err(super::message)
}
