//! The recorder of an execution's events, in their order: for the conformance check, and as a trace for a watcher.
//!
//! It is outside the model checker's world, so that it adds no executions: loom runs all its threads on one thread of the
//! system, so the order of the events is that of the execution. A trace is kept only while there is a watcher, and
//! nothing is recorded while a panic unwinds that is not part of the scenario, because the world may be gone then.

use crate::engines::record::tickets;
use crate::observation::Observation;
use crate::observation::event::{Event, Trace};
use crate::protocol::conformance::Conformance;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// The traces of the current exploration.
struct Watch {
    /// The number of the current execution.
    number: u64,
    steps: String,
    /// The events of the current execution, while it runs.
    events: Option<Vec<(usize, Event)>>,
    keep: Box<dyn FnMut(Trace)>,
}

type AskThread = fn() -> usize;

/// The executions that have begun in this process, for those who show progress.
pub static BEGUN: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static WATCH: RefCell<Option<Watch>> = const { RefCell::new(None) };
    /// The conformance check of the current execution, and the engine's function that names its current thread.
    static REPLAY: RefCell<Option<(AskThread, Conformance)>> = const { RefCell::new(None) };
    /// The number of the scenario's own panics that were neither reported to a hook nor caught by the player yet. They do
    /// not end the world.
    static OWN_PANICS: Cell<usize> = const { Cell::new(0) };
}

/// Plays, and keeps for each key the trace with the fewest switches. `key` names the key of an execution, if it has one.
pub fn watch<K: Ord + 'static, R>(
    play: impl FnOnce() -> R,
    key: impl Fn(&Trace) -> Option<K> + 'static,
) -> (R, BTreeMap<K, Trace>) {
    let kept = Rc::new(RefCell::new(BTreeMap::new()));
    let best = kept.clone();
    let keep = move |trace: Trace| match key(&trace).map(|key| (best.borrow_mut(), key)) {
        None => {}
        Some((mut best, key)) => match best.entry(key) {
            Entry::Vacant(first) => drop(first.insert(trace)),
            Entry::Occupied(mut other) if trace.switches() < other.get().switches() => drop(other.insert(trace)),
            Entry::Occupied(_) => {}
        },
    };
    WATCH.set(Some(Watch { number: 0, steps: String::new(), events: None, keep: Box::new(keep) }));
    let played = play();
    WATCH.set(None);
    (played, kept.take())
}

/// True if events are used: by the conformance check, or by a watcher.
pub fn is_on() -> bool {
    REPLAY.with_borrow(|replay| replay.as_ref().is_some_and(|(_, replay)| !replay.is_over() || is_watched()))
        && is_world()
}

fn is_watched() -> bool {
    WATCH.with_borrow(Option::is_some)
}

/// True unless a panic unwinds that is not part of the scenario.
pub(crate) fn is_world() -> bool {
    !thread::panicking() || OWN_PANICS.get() > 0
}

/// Begins an execution. Without this call an engine's executions are neither watched nor checked for conformance.
pub fn begin(thread: fn() -> usize) {
    BEGUN.fetch_add(1, Ordering::Relaxed);
    REPLAY.set(Some((thread, Conformance::default())));
    OWN_PANICS.set(0);
    WATCH.with_borrow_mut(|watch| {
        if let Some(watch) = watch {
            watch.number += 1;
            watch.steps.clear();
            watch.events = Some(Vec::new());
        }
    });
}

/// Records the engine's choice of the task that runs next.
pub fn step(task: usize) {
    WATCH.with_borrow_mut(|watch| {
        if let Some(watch) = watch {
            watch.steps.extend(u32::try_from(task).ok().and_then(|task| char::from_digit(task, 36)));
        }
    });
}

/// Records an event of the current thread.
pub fn record(event: impl Fn() -> Event) {
    if tickets::ticket(&event) {
        return;
    }
    REPLAY.with_borrow_mut(|replay| match replay {
        Some((_, replay)) if !is_world() => replay.lose(),
        Some((thread, replay)) if !replay.is_over() || is_watched() => keep(*thread, replay, event()),
        _ => {}
    });
}

fn keep(thread: AskThread, replay: &mut Conformance, event: Event) {
    match &event {
        Event::Panics => OWN_PANICS.set(OWN_PANICS.get() + 1),
        Event::Caught => OWN_PANICS.set(OWN_PANICS.get().saturating_sub(1)),
        Event::Tells(told) if told.is_of_a_panic() => OWN_PANICS.set(OWN_PANICS.get().saturating_sub(1)),
        _ => {}
    }
    let refused = replay.follow(thread, &event);
    WATCH.with_borrow_mut(|watch| {
        if let Some(Watch { events: Some(events), .. }) = watch {
            let thread = thread();
            events.push((thread, event));
            events.extend(refused.map(|rule| (thread, Event::Breaks(rule))));
        }
    });
}

/// Ends the conformance check, with its result. None if the engine has none.
pub fn replayed() -> Option<Result<(), String>> {
    REPLAY.take().map(|(_, replay)| replay.end())
}

/// Ends an execution, with its observation if it is complete, and with the rules that it broke.
pub fn end(observation: Option<&Observation>, broken: &[String]) {
    WATCH.with_borrow_mut(|watch| {
        if let Some(watch) = watch
            && let Some(events) = watch.events.take()
        {
            let (observation, broken) = (observation.cloned(), broken.to_vec());
            let steps = std::mem::take(&mut watch.steps);
            (watch.keep)(Trace { number: watch.number, steps, events, observation, broken });
        }
    });
}
