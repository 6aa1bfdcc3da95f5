//! The engines that play a scenario. Each compiles the audited files, byte for byte, against a facade of its own.
//!
//! A new engine is a folder here, with a facade `sync`, an `explore` and a module that calls `audited_files!`, and an entry
//! in `catalog.rs`, which names it. Then `cargo verify scenario '..' --engine NAME` plays on it.

#![allow(clippy::new_without_default)]

use crate::observation::Observation;
use crate::scenario::Scenario;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Compiles the audited files, and the player beside them. The facade `sync` and the `stage`, that is, the engine's
/// `explore`, must be in scope.
macro_rules! audited_files {
    () => {
        #[path = "../../../../src/callback.rs"]
        mod callback;
        #[path = "../../../../src/completer.rs"]
        mod completer;
        #[path = "../../../../src/hook.rs"]
        mod hook;
        #[path = "../../../../src/id.rs"]
        mod id;
        #[path = "../../../../src/identity.rs"]
        mod identity;
        #[path = "../../../../src/kernel/mod.rs"]
        pub mod kernel;
        #[path = "../../../../src/outcome.rs"]
        mod outcome;
        #[path = "../../../../src/panic.rs"]
        mod panic;
        #[path = "../player/mod.rs"]
        pub mod player;
        #[path = "../../../../src/quote.rs"]
        mod quote;
        #[path = "../../../../src/report.rs"]
        mod report;
        #[path = "../../../../src/schedule.rs"]
        mod schedule;
        #[path = "../../../../src/serial.rs"]
        mod serial;
        #[path = "../../../../src/task.rs"]
        mod task;
        #[path = "../../../../src/trampoline.rs"]
        mod trampoline;
        #[path = "../../../../src/wait.rs"]
        mod wait;
        #[path = "../../../../src/waiter.rs"]
        mod waiter;
    };
}

pub mod catalog;
pub mod defects;
pub mod futex;
pub mod loom;
mod observed;
pub mod record;
pub mod sections;
pub mod shuttle;
pub mod threads;

pub use observed::{Extent, Observed, SPURIOUS};

/// Plays a scenario in every execution that an engine explores.
pub type Play = fn(&Scenario) -> Observed;

type Enough = Box<dyn FnMut(u64, &Observation) -> bool>;

thread_local! {
    static ENOUGH: RefCell<Option<Enough>> = const { RefCell::new(None) };
}

/// The message with which a player ends an exploration that has seen enough.
pub const SEEN_ENOUGH: &str = "seen enough";

/// Plays until `enough` holds; it is called with the number of executions and the last observation.
pub fn until<R>(enough: impl FnMut(u64, &Observation) -> bool + 'static, play: impl FnOnce() -> R) -> R {
    ENOUGH.set(Some(Box::new(enough)));
    let played = play();
    ENOUGH.take();
    played
}

/// True if the exploration can end. A player asks after each execution.
pub fn is_enough(executions: u64, observation: &Observation) -> bool {
    ENOUGH.with_borrow_mut(|enough| enough.as_mut().is_some_and(|enough| enough(executions, observation)))
}

thread_local! {
    static IS_SPARE: Cell<bool> = const { Cell::new(false) };
}

/// Sets whether the present execution is spare: an engine that finds, in the middle of an execution, that the rest was
/// explored before, ends it all the same.
pub fn set_spare(is_spare: bool) {
    IS_SPARE.set(is_spare);
}

/// True if the execution that ends now is not to be counted.
pub fn is_spare() -> bool {
    IS_SPARE.get()
}

/// A facade's guard: the lock, and the count of it as held, released in this order.
pub struct Guard<G, H> {
    guard: G,
    #[allow(dead_code, reason = "it is there to be dropped")]
    held: H,
}

impl<G: Deref, H> Deref for Guard<G, H> {
    type Target = G::Target;

    fn deref(&self) -> &G::Target {
        &self.guard
    }
}

impl<G: DerefMut, H> DerefMut for Guard<G, H> {
    fn deref_mut(&mut self) -> &mut G::Target {
        &mut self.guard
    }
}

/// Decides whether the engine counts the handles of an execution's tasks, to explore races of the last one. Only loom
/// does; for the others std's `Arc` counts them.
pub fn explore_handles(_explored: bool) {}

/// A serial number that is unique in this process.
pub fn fresh_serial() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A counted handle that does not know the type of its value, as in `src/sync.rs`.
pub type Erased = Arc<dyn Any + Send + Sync>;

pub fn erase<T: Send + Sync + 'static>(counted: Arc<T>) -> Erased {
    counted
}

pub fn restore<T: Send + Sync + 'static>(erased: Erased) -> Option<Arc<T>> {
    erased.downcast().ok()
}

/// A contained panic that no hook took: callbacks and their observations are checked elsewhere.
pub fn unheard(_report: &dyn fmt::Display) {}

/// A panic's message.
pub fn message(payload: Box<dyn Any + Send>) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("without a text"))
}
