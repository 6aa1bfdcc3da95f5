//! Random programs, and their shrinking.

use super::program::{Act, Beat, Move, Program, SHARED, Step};
use proptest::collection::vec;
use proptest::prelude::*;

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

/// An act, with programs of its own down to this depth.
fn act(depth: u32) -> BoxedStrategy<Act> {
    let flat = (0..26u32, task(), 0..8usize).prop_map(|(kind, at, other)| match kind {
        0..3 => Act::Read(at),
        3..7 => Act::Complete(at),
        7 => Act::Fail(at),
        8..10 => Act::Cancel(at),
        10..13 => Act::Remove(other),
        // On few tasks, so that a removal finds more than one registration.
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

/// The number of a task. Most programs make more tasks than this.
fn task() -> impl Strategy<Value = usize> {
    0..4usize
}
