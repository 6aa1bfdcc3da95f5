//! Bytes to a scenario, for fuzzers and proptest: every input is a program of one thread.
//!
//! A text of the scenario language stands for itself, so that seeds can be read. Any other input is
//! read byte by byte: the first chooses scheduler and setup, each other one an operation; one that
//! makes no sense where it stands is left out.

use crate::judge::Engine;
use crate::scenario::{Op, Scenario, Scheduler, Whom};

/// Operations at the most: the specification costs their square.
const LONGEST: usize = 300;

/// The scenario that these bytes stand for.
pub fn decode(bytes: &[u8]) -> Scenario {
    let text = str::from_utf8(bytes).ok().and_then(|text| text.trim().parse().ok());
    text.filter(|scenario: &Scenario| scenario.threads.len() == 1).unwrap_or_else(|| read(bytes))
}

fn read(bytes: &[u8]) -> Scenario {
    let (&head, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let scheduler = [None, None, Some(Scheduler::Inline), Some(Scheduler::Queue)][usize::from(head & 3)];
    let waiting = usize::from(head >> 2 & 3);
    let setup = (0..waiting).map(|at| Op::Add { tagged: scheduler.is_none() && head >> (4 + at) & 1 == 1 }).collect();
    let mut scenario = Scenario { scheduler, setup, done: head >> 7 == 1, threads: vec![Vec::new()] };
    let mut adds = waiting;
    for byte in rest.iter().take(LONGEST) {
        let op = operation(*byte, adds);
        scenario.threads[0].push(op.clone());
        if scenario.objection().is_some() {
            scenario.threads[0].pop();
        } else {
            adds += usize::from(matches!(op, Op::Add { .. } | Op::Poll));
        }
    }
    scenario
}

/// Adds and removals are common, and what ends the interesting part is rare.
fn operation(byte: u8, adds: usize) -> Op {
    match byte {
        0..60 => Op::Add { tagged: false },
        60..90 => Op::Add { tagged: true },
        90..110 => Op::Poll,
        110..120 => Op::DropAwait,
        120..200 => Op::Remove(Whom::Nth(usize::from(byte) * 7 % adds.max(1))),
        200..215 => Op::Remove(Whom::Mine),
        215..220 => Op::Remove(Whom::Foreign),
        220..230 => Op::Read,
        230..238 => Op::RemoveAll,
        238..244 => Op::Complete,
        244..248 => Op::Cancel,
        248..251 => Op::DropCompleter,
        251.. => Op::Read,
    }
}

/// Plays what the bytes stand for, alone, and holds it against the specification.
///
/// # Panics
///
/// If they differ, with the scenario's text.
pub fn check(bytes: &[u8]) {
    let scenario = decode(bytes);
    let verdict = Engine::Alone.check(&scenario);
    assert!(verdict.is_good(), "cargo verify scenario '{scenario}'\n{verdict}");
}
