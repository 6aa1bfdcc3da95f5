//! What happened in one execution, act by act, in its order.
//!
//! Kept outside the model checker's world, so that it adds no executions to it: loom runs all its threads
//! on one thread of the system, which makes the order of the acts the order of the execution. Nothing is
//! kept while nobody watches, nor while a panic unwinds, when the world may be gone already.

use crate::ledger::Thing;
use crate::observation::{Answer, HandOver, Observation};
use crate::replay::Replay;
use crate::scenario::{Scheduler, Step};
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
    pub acts: Vec<(usize, Act)>,
    /// None if it did not come to its end.
    pub observation: Option<Observation>,
    pub broken: Vec<String>,
}

/// What a thread does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// What the task layer runs on, if it is there.
    On(Option<Scheduler>),
    Begins(Step),
    Ends(Step, Option<Answer>),
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
    Leaves(Nonce),
    Drops(Thing),
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
    acts: Option<Vec<(usize, Act)>>,
    keep: Box<dyn FnMut(Trace)>,
}

type AskThread = fn() -> usize;

thread_local! {
    static WATCH: RefCell<Option<Watch>> = const { RefCell::new(None) };
    /// The execution that goes on, as the protocol has it, and what asks the engine which of its threads this is.
    static REPLAY: RefCell<Option<(AskThread, Replay)>> = const { RefCell::new(None) };
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
    WATCH.set(Some(Watch { number: 0, acts: None, keep: Box::new(keep) }));
    let played = play();
    WATCH.set(None);
    (played, kept.take())
}

/// True if acts are followed: in every execution that an engine begins.
pub fn is_on() -> bool {
    REPLAY.with_borrow(Option::is_some) && !thread::panicking()
}

/// An execution begins. An engine that does not say so is neither watched nor replayed.
pub fn begin(thread: fn() -> usize) {
    REPLAY.set(Some((thread, Replay::default())));
    WATCH.with_borrow_mut(|watch| {
        if let Some(watch) = watch {
            watch.number += 1;
            watch.acts = Some(Vec::new());
        }
    });
}

/// The current thread does this.
pub fn record(act: impl FnOnce() -> Act) {
    if !is_on() {
        return lose();
    }
    let act = act();
    let Some((thread, refused)) = REPLAY.with_borrow_mut(|replay| {
        let (thread, replay) = replay.as_mut()?;
        let thread = thread();
        Some((thread, replay.follow(thread, &act)))
    }) else {
        return;
    };
    WATCH.with_borrow_mut(|watch| {
        if let Some(Watch { acts: Some(acts), .. }) = watch {
            acts.push((thread, act));
            acts.extend(refused.map(|rule| (thread, Act::Breaks(rule))));
        }
    });
}

/// What happens while a panic unwinds is not kept, so the rest cannot be replayed.
fn lose() {
    REPLAY.with_borrow_mut(|replay| replay.iter_mut().for_each(|(_, replay)| replay.lose()));
}

/// The execution was replayed to here: whether all of it was, and where the protocol refused it.
pub fn replayed() -> (bool, Option<String>) {
    REPLAY.take().map_or((false, None), |(_, replay)| replay.end())
}

/// The execution is over: with what it showed, if it came to its end, and the rules that it broke.
pub fn end(observation: Option<&Observation>, broken: &[String]) {
    WATCH.with_borrow_mut(|watch| {
        if let Some(watch) = watch
            && let Some(acts) = watch.acts.take()
        {
            let (observation, broken) = (observation.cloned(), broken.to_vec());
            (watch.keep)(Trace { number: watch.number, acts, observation, broken });
        }
    });
}
