//! loom's stage: its threads, and what a scenario needs besides the core.

use super::{Extent, loom_sync};
use crate::trace;
use loom::sync::Condvar;
use loom::sync::atomic::{AtomicUsize, Ordering};
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use loom::sync::Mutex;

/// What the first and last act of every hand-over touches: loom switches threads only at dependent
/// operations, and would otherwise never let two hand-overs overlap.
pub struct Probe(AtomicUsize);

impl Probe {
    pub fn new() -> Self {
        Probe(AtomicUsize::new(0))
    }

    pub fn touch(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// As a step that later ones know of: where what programs read stands beside the order in which they ran, that order must
    /// be one of happens-before.
    pub fn touch_in_order(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    /// How often the model checker saw it touched.
    pub fn touches(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// What one thread raises and others wait for.
pub struct Flag {
    raised: Mutex<bool>,
    bell: Condvar,
}

impl Flag {
    pub fn new() -> Self {
        Flag { raised: Mutex::new(false), bell: Condvar::new() }
    }

    pub fn raise(&self) {
        *self.raised.lock().expect("poisons nothing") = true;
        self.bell.notify_all();
    }

    pub fn wait(&self) {
        let mut raised = self.raised.lock().expect("poisons nothing");
        while !*raised {
            raised = self.bell.wait(raised).expect("poisons nothing");
        }
    }
}

/// Runs them all at once, the first one on this thread, and returns when all are through.
pub fn at_once<R: Send + 'static>(bodies: Vec<Box<dyn FnOnce() -> R + Send>>) -> Vec<R> {
    let numbered = |(number, body): (usize, Box<dyn FnOnce() -> R + Send>)| {
        move || {
            if trace::is_on() {
                loom_sync::be_thread(number);
            }
            body()
        }
    };
    let mut bodies = bodies.into_iter().enumerate().map(numbered);
    let first = bodies.next();
    let others: Vec<_> = bodies.map(loom::thread::spawn).collect();
    let first = first.map(|body| body());
    first.into_iter().chain(others.into_iter().map(|other| other.join().expect("contained"))).collect()
}

/// Every execution of the model: no bound, no limit, whatever the environment says. How far that
/// went is read from what the builder was told.
///
/// # Errors
///
/// What loom said when it gave up, on a deadlock for example.
pub fn explore(execution: impl Fn() + Send + Sync + 'static) -> Result<Extent, String> {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 4_000;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.preemption_bound = None;
    builder.checkpoint_file = None;
    builder.location = false;
    builder.log = false;
    let extent = match (builder.preemption_bound, builder.max_permutations, builder.max_duration) {
        (None, None, None) => Extent::Complete,
        (Some(bound), None, None) => Extent::Bounded(bound),
        _ => Extent::Cut,
    };
    let watched = move || {
        trace::begin(loom_sync::this_thread);
        execution();
    };
    catch_unwind(AssertUnwindSafe(|| builder.check(watched))).map_err(super::message)?;
    Ok(extent)
}
