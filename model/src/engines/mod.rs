//! The engines that play a scenario. Each compiles the audited files, byte for byte, against a facade of its own.
//!
//! A new engine is a folder here, with a facade `sync`, an `explore` and a module that calls `audited_files!`, and an entry
//! in `catalog.rs`, which names it. Then `cargo verify scenario '..' --engine NAME` plays on it.

#![allow(clippy::new_without_default)]

use crate::observation::Observation;
use crate::scenario::Scenario;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
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
pub mod record;
pub mod sections;
pub mod shuttle;
pub mod threads;

/// The observations of one scenario on one engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    pub executions: u64,
    /// The number of executions whose conformance was checked to their end.
    pub replayed: u64,
    pub extent: Extent,
    /// Each observation, with the number of executions that showed it.
    pub observations: BTreeMap<Observation, u64>,
    /// Each broken rule, with the number of executions that broke it.
    pub broken: BTreeMap<String, u64>,
}

impl Observed {
    /// Adds the executions of the part that follows in the order of the exploration, which ends as that part does.
    pub fn append(&mut self, next: Observed) {
        self.executions += next.executions;
        self.replayed += next.replayed;
        self.extent = next.extent;
        next.observations.into_iter().for_each(|(seen, times)| *self.observations.entry(seen).or_default() += times);
        next.broken.into_iter().for_each(|(rule, times)| *self.broken.entry(rule).or_default() += times);
    }
}

/// The extent of an exploration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// Cut short: given up, crashed, or never begun.
    #[default]
    Cut,
    /// A sample of the executions.
    Sampled,
    /// Every execution with at most this many preemptions.
    Bounded(usize),
    /// Every execution in which no sleep ends without a wake-up, and every one in which the first sleep on each word does; with
    /// at most this many preemptions, or with any number.
    FirstSleepSpurious(Option<usize>),
    /// Every execution.
    Complete,
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Extent::Cut => f.write_str("not to the end"),
            Extent::Sampled => f.write_str("a sample"),
            Extent::Bounded(preemptions) => write!(f, "at most {preemptions} preemptions"),
            Extent::FirstSleepSpurious(None) => write!(f, "any preemptions, {SPURIOUS}"),
            Extent::FirstSleepSpurious(Some(preemptions)) => write!(f, "at most {preemptions} preemptions, {SPURIOUS}"),
            Extent::Complete => f.write_str("no bound"),
        }
    }
}

/// The bound of the engine [`futex`] on sleeps that end without a wake-up.
pub const SPURIOUS: &str = "spurious wake-ups in no sleep, or in the first one on each word";

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

thread_local! {
    static IS_ORDERED: Cell<bool> = const { Cell::new(false) };
}

/// Says that an observation will show when the present step happened, in the order of all steps that say so.
pub fn mark_ordered() {
    IS_ORDERED.set(true);
}

/// True if the step that ends now was marked.
pub fn take_ordered() -> bool {
    IS_ORDERED.take()
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
