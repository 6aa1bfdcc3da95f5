//! What happened in one execution, act by act, in its order.
//!
//! Kept outside the model checker's world, so that it adds no executions to it: loom runs all its threads
//! on one thread of the system, which makes the order of the acts the order of the execution. Nothing is
//! kept while nobody watches, nor while a panic unwinds that is not the scenario's own, when the world may be gone
//! already.

use crate::engines::record::tickets;
use crate::observation::Observation;
use crate::observation::event::Event;
use crate::observation::event::Trace;
use crate::protocol::conformance::Conformance;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::rc::Rc;
use std::thread;

struct Watch {
    number: u64,
    steps: String,
    acts: Option<Vec<(usize, Event)>>,
    keep: Box<dyn FnMut(Trace)>,
}

type AskThread = fn() -> usize;

thread_local! {
    static WATCH: RefCell<Option<Watch>> = const { RefCell::new(None) };
    /// The execution that goes on, as the protocol has it, and what asks the engine which of its threads this is.
    static REPLAY: RefCell<Option<(AskThread, Conformance)>> = const { RefCell::new(None) };
    /// How many panics of the scenario's own no hook was told of yet. No world ends with them.
    static OWN_PANICS: Cell<usize> = const { Cell::new(0) };
}

/// Plays, and keeps for each key that an execution is given the one with the fewest switches.
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
    WATCH.set(Some(Watch { number: 0, steps: String::new(), acts: None, keep: Box::new(keep) }));
    let played = play();
    WATCH.set(None);
    (played, kept.take())
}

/// True if acts are followed, or someone watches.
pub fn is_on() -> bool {
    REPLAY.with_borrow(|replay| replay.as_ref().is_some_and(|(_, replay)| !replay.is_over() || is_watched()))
        && is_world()
}

fn is_watched() -> bool {
    WATCH.with_borrow(Option::is_some)
}

/// True unless a foreign panic unwinds.
fn is_world() -> bool {
    !thread::panicking() || OWN_PANICS.get() > 0
}

/// An execution begins. An engine that does not say so is neither watched nor replayed.
pub fn begin(thread: fn() -> usize) {
    REPLAY.set(Some((thread, Conformance::default())));
    OWN_PANICS.set(0);
    WATCH.with_borrow_mut(|watch| {
        if let Some(watch) = watch {
            watch.number += 1;
            watch.steps.clear();
            watch.acts = Some(Vec::new());
        }
    });
}

/// This task goes on.
pub fn step(task: usize) {
    WATCH.with_borrow_mut(|watch| {
        if let Some(watch) = watch {
            watch.steps.extend(u32::try_from(task).ok().and_then(|task| char::from_digit(task, 36)));
        }
    });
}

/// The current thread does this.
pub fn record(act: impl Fn() -> Event) {
    if tickets::ticket(&act) {
        return;
    }
    REPLAY.with_borrow_mut(|replay| match replay {
        Some((_, replay)) if !is_world() => replay.lose(),
        Some((thread, replay)) if !replay.is_over() || is_watched() => keep(*thread, replay, act()),
        _ => {}
    });
}

fn keep(thread: AskThread, replay: &mut Conformance, act: Event) {
    match &act {
        Event::Panics => OWN_PANICS.set(OWN_PANICS.get() + 1),
        Event::Tells(told) if told.is_of_a_panic() => OWN_PANICS.set(OWN_PANICS.get().saturating_sub(1)),
        _ => {}
    }
    let refused = replay.follow(thread, &act);
    WATCH.with_borrow_mut(|watch| {
        if let Some(Watch { acts: Some(acts), .. }) = watch {
            let thread = thread();
            acts.push((thread, act));
            acts.extend(refused.map(|rule| (thread, Event::Breaks(rule))));
        }
    });
}

/// The execution was replayed to here: why the protocol refuses it, unless it is one of its own. None if the engine
/// has no replay.
pub fn replayed() -> Option<Result<(), String>> {
    REPLAY.take().map(|(_, replay)| replay.end())
}

/// The execution is over: with what it showed, if it came to its end, and the rules that it broke.
pub fn end(observation: Option<&Observation>, broken: &[String]) {
    WATCH.with_borrow_mut(|watch| {
        if let Some(watch) = watch
            && let Some(acts) = watch.acts.take()
        {
            let (observation, broken) = (observation.cloned(), broken.to_vec());
            let steps = std::mem::take(&mut watch.steps);
            (watch.keep)(Trace { number: watch.number, steps, acts, observation, broken });
        }
    });
}
