//! What happened in one execution, act by act, in its order.
//!
//! Kept outside the model checker's world, so that it adds no executions to it: loom runs all its threads
//! on one thread of the system, which makes the order of the acts the order of the execution. Nothing is
//! kept while nobody watches, nor while a panic unwinds, when the world may be gone already.

use crate::ledger::Thing;
use crate::observation::{Answer, HandOver, Observation, Told};
use crate::scenario::{Move, Part};
use crate::spec::Nonce;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::rc::Rc;
use std::thread;

/// One execution, as far as it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Its place in the exploration, counted from 1.
    pub number: u64,
    /// Which task took each step, a digit for each, if the machine can be told to take them again.
    pub steps: String,
    pub acts: Vec<(usize, Act)>,
    /// None if it did not come to its end.
    pub observation: Option<Observation>,
    pub broken: Vec<String>,
}

/// What a thread does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    Begins(Move),
    Ends(Move, Option<Answer>),
    Locks,
    /// Which lock, by its address, and what it guarded then, if that prints itself.
    Unlocks(usize, Option<String>),
    /// Writes into a write-once cell.
    Publishes,
    /// Looks into a write-once cell, and whether something was there.
    Reads(bool),
    /// Calls the scheduler.
    Schedules,
    Enters(HandOver),
    Leaves(Nonce, Part),
    Drops(Thing),
    /// Tells a hook.
    Tells(Told),
    /// Breaks a rule.
    Breaks(String),
    /// The setup is through, and the threads of the scenario begin.
    AllBegin,
    /// All threads of the scenario are through.
    AllEnded,
}

impl Trace {
    /// How often another thread goes on while the threads of the scenario run.
    pub fn switches(&self) -> usize {
        let threads = self.acts.iter().skip_while(|(_, act)| *act != Act::AllBegin).skip(1);
        let threads: Vec<usize> =
            threads.take_while(|(_, act)| *act != Act::AllEnded).map(|(thread, _)| *thread).collect();
        threads.windows(2).filter(|pair| pair[0] != pair[1]).count()
    }
}

struct Watch {
    number: u64,
    /// Asks the engine which of its threads this is.
    thread: fn() -> usize,
    steps: String,
    acts: Option<Vec<(usize, Act)>>,
    keep: Box<dyn FnMut(Trace)>,
}

thread_local! {
    static WATCH: RefCell<Option<Watch>> = const { RefCell::new(None) };
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
    WATCH.set(Some(Watch { number: 0, thread: || 0, steps: String::new(), acts: None, keep: Box::new(keep) }));
    let played = play();
    WATCH.set(None);
    (played, kept.take())
}

/// True if someone watches.
pub fn is_on() -> bool {
    WATCH.with_borrow(Option::is_some) && !thread::panicking()
}

/// An execution begins. An engine that does not say so is not watched.
pub fn begin(thread: fn() -> usize) {
    WATCH.with_borrow_mut(|watch| {
        if let Some(watch) = watch {
            watch.number += 1;
            watch.thread = thread;
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
pub fn record(act: impl FnOnce() -> Act) {
    if !is_on() {
        return;
    }
    let act = act();
    WATCH.with_borrow_mut(|watch| {
        if let Some(Watch { thread, acts: Some(acts), .. }) = watch {
            acts.push((thread(), act));
        }
    });
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
