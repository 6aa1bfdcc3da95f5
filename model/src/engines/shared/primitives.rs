//! The primitives that a scenario needs besides the core: a probe, a flag, and a common start of its threads. Included
//! once for each machine that has threads of its own.

use super::machine::sync::Condvar;
use super::machine::sync::atomic::{AtomicUsize, Ordering};
use super::machine::thread::spawn;

pub use super::machine::sync::Mutex;

/// What the first and last act of every hand-over touches: a model checker switches threads only at
/// dependent operations, and would otherwise never let two hand-overs overlap.
pub struct Probe(AtomicUsize);

impl Probe {
    pub fn new() -> Self {
        Probe(AtomicUsize::new(0))
    }

    pub fn touch(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// As a step that later ones know of: where what programs read stands beside the order in which they
    /// ran, that order must be one of happens-before.
    pub fn touch_in_order(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    /// How often the machine saw it touched.
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

    #[allow(dead_code, reason = "only threads that run one after the other ask")]
    pub fn is_raised(&self) -> bool {
        *self.raised.lock().expect("poisons nothing")
    }

    pub fn wait(&self) {
        let mut raised = self.raised.lock().expect("poisons nothing");
        while !*raised {
            raised = self.bell.wait(raised).expect("poisons nothing");
        }
    }
}

type Body<R> = Box<dyn FnOnce() -> R + Send>;

/// Runs them all at once, the first one on this thread, and returns when all are through. Each says
/// first who it is.
pub fn at_once<R: Send + 'static>(bodies: Vec<Body<R>>, be_thread: fn(usize)) -> Vec<R> {
    let numbered = |(number, body): (usize, Body<R>)| {
        move || {
            be_thread(number);
            body()
        }
    };
    let mut bodies = bodies.into_iter().enumerate().map(numbered);
    let first = bodies.next();
    let others: Vec<_> = bodies.map(spawn).collect();
    let first = first.map(|body| body());
    first.into_iter().chain(others.into_iter().map(|other| other.join().expect("contained"))).collect()
}
