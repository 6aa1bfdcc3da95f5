//! Programs of one thread over tasks and the loop that runs them, and their random generation.

use proptest::collection::vec;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

/// A program. Its text is a line of JSON, which the oracle reads too.
///
/// Tasks, and registrations of callbacks, are named by their numbers in the order of their making. An operation
/// on a missing one is noted as such, and does nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// The programs of the shared callbacks.
    #[serde(default)]
    pub shared: [Vec<Act>; SHARED],
    pub moves: Vec<Move>,
    /// Closes the loop at the end.
    #[serde(default)]
    pub close: bool,
}

const SHARED: usize = 2;

/// A step outside of callbacks: the loop runs for a main of these beats, or an act is done while it does not run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Move {
    Run(Vec<Beat>),
    #[serde(untagged)]
    Do(Act),
}

/// A step of a run's main: lets one turn pass, or turns until nothing happens.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Beat {
    Turn,
    Idle,
    #[serde(untagged)]
    Do(Act),
}

/// A step of the body of a task. It awaits only older tasks, so that no task waits for itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Await(usize),
    Yield,
    Nap,
    #[serde(untagged)]
    Do(Act),
}

/// An operation that can be done anywhere, at once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Makes a plain task.
    Future,
    /// Makes a task of the loop.
    Spawn(Vec<Step>),
    /// Adds a callback to a task.
    Add(usize, Vec<Act>),
    /// Adds a shared callback to a task.
    Share(usize, usize),
    /// Removes a registration by its id.
    Remove(usize),
    /// Removes all registrations of a shared callback from a task.
    Unshare(usize, usize),
    Complete(usize),
    /// Completes with an error.
    Fail(usize),
    /// Drops the completer of a plain task.
    Drop(usize),
    /// Drops the handle of a task.
    Forget(usize),
    Cancel(usize),
    Read(usize),
    Soon(Vec<Act>),
    /// Ends a callback, or the body of a task.
    Panic,
}

pub fn programs() -> impl Strategy<Value = Program> {
    let start = vec(prop_oneof![Just(Act::Future), vec(step(1), 0..5).prop_map(Act::Spawn)], 1..5);
    let moves = vec(prop_oneof![3 => act(2).prop_map(Move::Do), 2 => vec(beat(), 0..8).prop_map(Move::Run)], 0..8);
    let shared = [vec(act(0), 0..2), vec(act(1), 0..2)];
    (start, moves, shared, prop::bool::weighted(0.1)).prop_map(|(start, moves, shared, close)| {
        let last = (!close).then(|| Move::Run(vec![Beat::Idle]));
        let moves = start.into_iter().map(Move::Do).chain(moves).chain(last).collect();
        Program { shared, moves, close }
    })
}

fn beat() -> impl Strategy<Value = Beat> {
    (0..8u32, act(2)).prop_map(|(kind, act)| match kind {
        0 => Beat::Idle,
        1..4 => Beat::Turn,
        _ => Beat::Do(act),
    })
}

fn step(depth: u32) -> impl Strategy<Value = Step> {
    (0..13u32, task(), act(depth)).prop_map(|(kind, at, act)| match kind {
        0..2 => Step::Yield,
        2 => Step::Nap,
        3 => Step::Do(Act::Panic),
        4..8 => Step::Await(at),
        _ => Step::Do(act),
    })
}

/// With programs of their own, as deep as this.
fn act(depth: u32) -> BoxedStrategy<Act> {
    let flat = (0..26u32, task(), 0..8usize).prop_map(|(kind, at, other)| match kind {
        0..3 => Act::Read(at),
        3..7 => Act::Complete(at),
        7 => Act::Fail(at),
        8..10 => Act::Cancel(at),
        10..13 => Act::Remove(other),
        // On few, so that there is more than one to remove.
        13..19 => Act::Share(at / 2, other % SHARED),
        19..22 => Act::Unshare(at / 2, other % SHARED),
        22 => Act::Drop(at),
        23..25 => Act::Forget(at),
        _ => Act::Future,
    });
    if depth == 0 {
        return flat.boxed();
    }
    let callback = (vec(act(depth - 1), 0..3), prop::bool::weighted(0.1)).prop_map(|(mut acts, panics)| {
        acts.extend(panics.then_some(Act::Panic));
        acts
    });
    prop_oneof![
        6 => flat,
        4 => (task(), callback.clone()).prop_map(|(to, acts)| Act::Add(to, acts)),
        1 => callback.prop_map(Act::Soon),
        1 => vec(step(depth - 1), 0..4).prop_map(Act::Spawn),
    ]
    .boxed()
}

/// Fewer than there will be, mostly.
fn task() -> impl Strategy<Value = usize> {
    0..4usize
}
