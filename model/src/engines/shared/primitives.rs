//! The primitives that a scenario needs besides the core: a probe, a flag, and a common start of its threads. Compiled
//! once for each engine that has threads of its own.

use super::machine::sync::Condvar;
use super::machine::sync::atomic::{AtomicUsize, Ordering};
use super::machine::thread::spawn;

pub use super::machine::sync::Mutex;

/// A counter that every hand-over touches at its begin and its end: a model checker switches threads only at dependent
/// operations, and would otherwise never let two hand-overs overlap.
pub struct Probe(AtomicUsize);

impl Probe {
    pub fn new() -> Self {
        Probe(AtomicUsize::new(0))
    }

    pub fn touch(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Touches with acquire and release, so that later touches happen after this one: where observed values must agree with
    /// the order in which programs ran, that order must be one of happens-before.
    pub fn touch_in_order(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    /// The number of touches.
    pub fn touches(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// A flag that one thread raises and others wait for.
pub struct Flag {
    raised: Mutex<bool>,
    condvar: Condvar,
}

impl Flag {
    pub fn new() -> Self {
        Flag { raised: Mutex::new(false), condvar: Condvar::new() }
    }

    pub fn raise(&self) {
        *self.raised.lock().expect("poisons nothing") = true;
        self.condvar.notify_all();
    }

    #[allow(dead_code, reason = "only the engine that runs threads one after the other calls it")]
    pub fn is_raised(&self) -> bool {
        *self.raised.lock().expect("poisons nothing")
    }

    pub fn wait(&self) {
        let mut raised = self.raised.lock().expect("poisons nothing");
        while !*raised {
            raised = self.condvar.wait(raised).expect("poisons nothing");
        }
    }
}

/// The body of a thread.
pub type ThreadBody<R> = Box<dyn FnOnce() -> R + Send>;

/// Runs all bodies at once, the first one on this thread, and returns when all have ended. Each thread first calls
/// `be_thread` with its number.
pub fn at_once<R: Send + 'static>(bodies: Vec<ThreadBody<R>>, be_thread: fn(usize)) -> Vec<R> {
    let numbered = |(number, body): (usize, ThreadBody<R>)| {
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
