//! Bytes to long concurrent programs, played on real threads with tickets: each history must have an explanation.

use crate::engines::threads::timed::execution;
use crate::fuzzing::bytes::operation;
use crate::scenario::{Op, Scenario, Scheduler, Whom};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A program whose threads do what these bytes stand for; what makes no sense where it stands is left out. The threads
/// take turns in saying what they do, so that all come to the completion at about the same time.
pub fn program(scheduler: Option<Scheduler>, tags: &[bool], done: bool, threads: &[Vec<u8>]) -> Scenario {
    let setup = tags.iter().map(|&tagged| Op::Add { tagged: tagged && scheduler.is_none() }).collect();
    let mut scenario =
        Scenario { scheduler, setup, done, threads: vec![Vec::new(); threads.len()], ..Scenario::default() };
    // Of each thread how many it has added, and which of them an operation of it removes: the number that this
    // one has in the text is not known before all is there.
    let mut adds = vec![0; threads.len()];
    let mut removals = vec![Vec::new(); threads.len()];
    for turn in 0..threads.iter().map(Vec::len).max().unwrap_or(0) {
        for (thread, bytes) in threads.iter().enumerate() {
            let Some(&byte) = bytes.get(turn) else { continue };
            let (op, own) = match byte {
                251..253 => (Op::Signal(byte - 250), None),
                253.. => (Op::Wait(1 + byte % 2), None),
                byte => match operation(byte, tags.len() + adds[thread]) {
                    Op::Remove(Whom::Nth(n)) if n >= tags.len() => (Op::Remove(Whom::Mine), Some(n - tags.len())),
                    op => (op, None),
                },
            };
            let place = scenario.threads[thread].len();
            adds[thread] += usize::from(matches!(op, Op::Add { .. }));
            scenario.threads[thread].push(op);
            if scenario.objection().is_some() {
                let refused = scenario.threads[thread].pop();
                adds[thread] -= usize::from(matches!(refused, Some(Op::Add { .. })));
            } else {
                removals[thread].extend(own.map(|own| (place, own)));
            }
        }
    }
    let mut number = tags.len();
    for (ops, removals) in scenario.threads.iter_mut().zip(removals) {
        let numbered = ops.iter().filter(|op| op.takes_number()).zip(number..);
        let own: Vec<usize> = numbered.filter(|(op, _)| **op != Op::Poll).map(|(_, number)| number).collect();
        number += ops.iter().filter(|op| op.takes_number()).count();
        for (place, nth) in removals {
            ops[place] = Op::Remove(Whom::Nth(own[nth]));
        }
    }
    scenario
}

/// Executions of each program: its threads do not meet twice in the same way.
const ROUNDS: usize = 20;

/// While a failure is made smaller: it may come but now and then.
const MANY_ROUNDS: usize = 400;

/// Plays it some times.
///
/// # Panics
///
/// If an execution has no explanation, with the scenario's text. Every later program is then played more often: what
/// is called again is the same one made smaller. Whether it fails again is for the machine to say.
pub fn check(scenario: &Scenario) {
    static PLAYED: AtomicUsize = AtomicUsize::new(ROUNDS);
    for _ in 0..PLAYED.load(Ordering::Relaxed) {
        if let Err(wrong) = execution(scenario) {
            PLAYED.store(MANY_ROUNDS, Ordering::Relaxed);
            panic!("cargo verify scenario '{scenario}' --engine tickets\n{wrong}");
        }
    }
}
