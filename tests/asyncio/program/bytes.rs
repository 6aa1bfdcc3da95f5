//! The fuzzer's bytes as a program.

use super::{Act, Beat, Move, Program, SHARED, Step};

/// Reads a program. The text of a program is read as that program.
///
/// In any other input the first byte chooses the programs of the shared callbacks and whether the loop is closed. Every
/// two bytes after it are an act, a beat or a step: its kind, and its numbers. One of the numbers is the count of
/// following pairs that are the program of a callback, a body or a main. Every program begins with two plain tasks; a
/// loop that is not closed runs at the end until it is idle.
pub fn decode(bytes: &[u8]) -> Program {
    if let Ok(program) = serde_json::from_slice(bytes) {
        return program;
    }
    let (first, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let mut pairs = Pairs(rest);
    let shared = [first & 1, first >> 1 & 1].map(|acts| pairs.many(acts.into(), |pairs, pair| pairs.callback(pair, 1)));
    let close = first >> 2 & 7 == 0;
    let start = [Move::Do(Act::Future), Move::Do(Act::Future)];
    let moves = pairs.many(usize::MAX, |pairs, pair| match pair.kind {
        0..156 => Move::Do(pairs.act(pair, 2)),
        156.. => Move::Run(pairs.many(pair.other(), Pairs::beat)),
    });
    let last = (!close).then(|| Move::Run(vec![Beat::Idle]));
    Program { shared, moves: start.into_iter().chain(moves).chain(last).collect(), close }
}

/// The remainder of a kind chooses the act; acts of the lower half have no program of their own.
const KINDS: u8 = 52;

struct Pairs<'a>(&'a [u8]);

#[derive(Clone, Copy)]
struct Pair {
    kind: u8,
    numbers: u8,
}

impl Pair {
    /// A task's number, mostly below four, because it should name an existing task.
    fn task(self) -> usize {
        let task = usize::from(self.numbers & 7);
        if self.numbers & 8 == 0 { task & 3 } else { task }
    }

    fn other(self) -> usize {
        usize::from(self.numbers >> 3 & 7)
    }

    /// The number of pairs that make up the program of this act.
    fn own(self) -> usize {
        usize::from(self.numbers >> 6)
    }
}

impl Pairs<'_> {
    /// Reads pairs to the end, or until this many are read.
    fn many<T>(&mut self, most: usize, mut read: impl FnMut(&mut Self, Pair) -> T) -> Vec<T> {
        let mut read_so_far = Vec::new();
        while read_so_far.len() < most
            && let [kind, numbers, rest @ ..] = self.0
        {
            self.0 = rest;
            read_so_far.push(read(self, Pair { kind: *kind, numbers: *numbers }));
        }
        read_so_far
    }

    fn beat(&mut self, pair: Pair) -> Beat {
        match pair.kind {
            0..128 => Beat::Do(self.act(pair, 2)),
            128..224 => Beat::Turn,
            224.. => Beat::Idle,
        }
    }

    fn step(&mut self, pair: Pair, depth: u32) -> Step {
        match pair.kind {
            0..104 => Step::Do(self.act(pair, depth)),
            104..184 => Step::Await(pair.task()),
            184..220 => Step::Yield,
            220..238 => Step::Nap,
            238.. => Step::Do(Act::Panic),
        }
    }

    fn callback(&mut self, pair: Pair, depth: u32) -> Act {
        match pair.kind {
            0..234 => self.act(pair, depth),
            234.. => Act::Panic,
        }
    }

    /// An act, with programs of its own down to this depth.
    fn act(&mut self, pair: Pair, depth: u32) -> Act {
        let (kind, at) = (pair.kind % KINDS, pair.task());
        if depth > 0 && kind >= KINDS / 2 {
            return match kind {
                26..43 => Act::Add(at, self.many(pair.own(), |pairs, pair| pairs.callback(pair, depth - 1))),
                43..47 => Act::Soon(self.many(pair.own(), |pairs, pair| pairs.callback(pair, depth - 1))),
                _ => Act::Spawn(self.many(pair.own(), |pairs, pair| pairs.step(pair, depth - 1))),
            };
        }
        // Shared callbacks on few tasks, so that a removal finds more than one registration.
        match kind % (KINDS / 2) {
            0..3 => Act::Read(at),
            3..7 => Act::Complete(at),
            7 => Act::Fail(at),
            8..10 => Act::Cancel(at),
            10..13 => Act::Remove(pair.other()),
            13..19 => Act::Share(at / 2, pair.other() % SHARED),
            19..22 => Act::Unshare(at / 2, pair.other() % SHARED),
            22 => Act::Drop(at),
            23..25 => Act::Forget(at),
            _ => Act::Future,
        }
    }
}
