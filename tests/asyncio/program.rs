//! Programs of one thread, over tasks and the loop that runs them, and how they are made at random.

use proptest::collection::vec;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

/// A program. Its text is a line of JSON, which the oracle reads too.
///
/// Tasks, and registrations of callbacks, are named by their number in order of their making. What is named
/// and isn't there, or no longer, is noted as such, and nothing happens.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// What the shared callbacks do.
    #[serde(default)]
    pub shared: [Vec<Act>; SHARED],
    pub moves: Vec<Move>,
    /// Closes the loop at the end.
    #[serde(default)]
    pub close: bool,
}

const SHARED: usize = 2;

/// What is done outside of callbacks: the loop runs for a main of these beats, or it does not run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Move {
    Run(Vec<Beat>),
    #[serde(untagged)]
    Do(Act),
}

/// What the main of a run does: lets one turn pass, or turns until nothing happens.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Beat {
    Turn,
    Idle,
    #[serde(untagged)]
    Do(Act),
}

/// What the body of a task does. It awaits only older tasks, so that nobody waits for himself.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Await(usize),
    Yield,
    Nap,
    #[serde(untagged)]
    Do(Act),
}

/// What is done at once, anywhere.
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
    let start = vec(prop_oneof![Just(Act::Future), vec(step(1), 0..5).prop_map(Act::Spawn)], 1..4);
    let moves = vec(prop_oneof![3 => act(2).prop_map(Move::Do), 2 => vec(beat(), 0..8).prop_map(Move::Run)], 0..8);
    let shared = [vec(act(0), 0..2), vec(act(1), 0..2)];
    (start, moves, shared, prop::bool::weighted(0.1)).prop_map(|(start, moves, shared, close)| {
        let run = Move::Run(vec![Beat::Idle]);
        let moves = start.into_iter().map(Move::Do).chain(moves).chain((!close).then_some(run)).collect();
        Program { shared, moves, close }
    })
}

fn beat() -> impl Strategy<Value = Beat> {
    prop_oneof![4 => act(2).prop_map(Beat::Do), 3 => Just(Beat::Turn), 1 => Just(Beat::Idle)]
}

fn step(depth: u32) -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => task().prop_map(Step::Await),
        2 => Just(Step::Yield),
        1 => Just(Step::Nap),
        5 => act(depth).prop_map(Step::Do),
        1 => Just(Step::Do(Act::Panic)),
    ]
}

/// With programs of their own as deep as this.
fn act(depth: u32) -> BoxedStrategy<Act> {
    let flat = prop_oneof![
        1 => Just(Act::Future),
        3 => task().prop_map(Act::Read),
        4 => task().prop_map(Act::Complete),
        1 => task().prop_map(Act::Fail),
        2 => task().prop_map(Act::Cancel),
        3 => (0..8usize).prop_map(Act::Remove),
        6 => (task(), 0..SHARED).prop_map(|(to, which)| Act::Share(to, which)),
        2 => (task(), 0..SHARED).prop_map(|(of, which)| Act::Unshare(of, which)),
        1 => task().prop_map(Act::Drop),
        1 => task().prop_map(Act::Forget),
    ];
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

fn task() -> impl Strategy<Value = usize> {
    0..5usize
}
