//! The machines that scenarios are played on. Each compiles the audited files, byte for byte,
//! against a facade of its own.

#![allow(clippy::new_without_default)]

use crate::observation::Observation;
use crate::scenario::Scenario;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};

/// The audited files, and the player beside them. The facade `sync` and the `stage` are the engine's.
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
pub mod loom;
pub mod record;
pub mod shuttle;
pub mod threads;

/// What an engine saw of one scenario.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    pub executions: u64,
    /// How many of them were replayed through the protocol to their end.
    pub replayed: u64,
    pub extent: Extent,
    /// Each observation, and how many executions showed it.
    pub observations: BTreeMap<Observation, u64>,
    /// Each broken rule, and how many executions broke it.
    pub broken: BTreeMap<String, u64>,
}

/// How far an engine went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// Not to the end: given up, crashed, or never begun.
    #[default]
    Cut,
    /// Some executions, which say nothing about the others.
    Sampled,
    /// Every execution with at most so many preemptions.
    Bounded(usize),
    /// Every execution that there is.
    Complete,
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Extent::Cut => f.write_str("not to the end"),
            Extent::Sampled => f.write_str("a sample"),
            Extent::Bounded(preemptions) => write!(f, "at most {preemptions} preemptions"),
            Extent::Complete => f.write_str("no bound"),
        }
    }
}

/// Plays a scenario, as often as the engine finds ways to.
pub type Play = fn(&Scenario) -> Observed;

type Enough = Box<dyn FnMut(u64, &Observation) -> bool>;

thread_local! {
    static ENOUGH: RefCell<Option<Enough>> = const { RefCell::new(None) };
}

/// What a player says that need not go on.
pub const SEEN_ENOUGH: &str = "seen enough";

/// Plays until what was seen after so many executions is enough.
pub fn until<R>(enough: impl FnMut(u64, &Observation) -> bool + 'static, play: impl FnOnce() -> R) -> R {
    ENOUGH.set(Some(Box::new(enough)));
    let played = play();
    ENOUGH.take();
    played
}

/// Asked by a player after each execution.
pub fn is_enough(executions: u64, observation: &Observation) -> bool {
    ENOUGH.with_borrow_mut(|enough| enough.as_mut().is_some_and(|enough| enough(executions, observation)))
}

/// A facade's guard: the lock, and what counts it as held. Released in this order.
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

/// Whether an execution counts the handles of its tasks as its engine's own, to explore races of the last one. Here none
/// does: std's `Arc` counts them.
pub fn explore_handles(_explored: bool) {}

/// A number that this process has not seen before.
pub fn fresh_serial() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// What a panic said.
pub fn message(payload: Box<dyn Any + Send>) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("without a text"))
}
