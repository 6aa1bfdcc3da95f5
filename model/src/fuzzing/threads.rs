//! The fuzz target `threads`: bytes to long concurrent programs on real threads; each history must be linearizable.

use crate::engines::threads::timed::execution;
use crate::fuzzing::bytes::operation;
use crate::scenario::{Op, Scenario, Scheduler, Whom};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A program whose threads carry out the operations for these bytes; an operation that is invalid in its place is left
/// out. The threads are extended in turns, so that they reach the completion at about the same time.
pub fn program(scheduler: Option<Scheduler>, tags: &[bool], done: bool, threads: &[Vec<u8>]) -> Scenario {
    let setup = tags.iter().map(|&tagged| Op::Add { tagged: tagged && scheduler.is_none() }).collect();
    let mut scenario =
        Scenario { scheduler, setup, done, threads: vec![Vec::new(); threads.len()], ..Scenario::default() };
    let mut removals = vec![Removals::default(); threads.len()];
    for turn in 0..threads.iter().map(Vec::len).max().unwrap_or(0) {
        for (thread, bytes) in threads.iter().enumerate() {
            if let Some(&byte) = bytes.get(turn) {
                extend(&mut scenario, thread, byte, &mut removals[thread]);
            }
        }
    }
    number(&mut scenario, &removals);
    scenario
}

/// The removals by number in one thread. The number of a callback in the text is known only when the program is complete.
#[derive(Clone, Default)]
struct Removals {
    /// Number of callbacks that this thread has added.
    adds: usize,
    /// The place of each removal in the thread, and which of the thread's own callbacks it removes.
    own: Vec<(usize, usize)>,
}

/// Appends the operation for this byte, if it is valid there.
fn extend(scenario: &mut Scenario, thread: usize, byte: u8, removals: &mut Removals) {
    let waiting = scenario.setup.len();
    let (op, own) = match byte {
        250 => (Op::Panic, None),
        251..253 => (Op::Signal(byte - 250), None),
        253.. => (Op::Wait(1 + byte % 2), None),
        byte => match operation(byte, waiting + removals.adds) {
            Op::Remove(Whom::Nth(n)) if n >= waiting => (Op::Remove(Whom::Mine), Some(n - waiting)),
            op => (op, None),
        },
    };
    let (place, is_add) = (scenario.threads[thread].len(), matches!(op, Op::Add { .. }));
    scenario.threads[thread].push(op);
    if scenario.objection().is_some() {
        scenario.threads[thread].pop();
    } else {
        removals.adds += usize::from(is_add);
        removals.own.extend(own.map(|own| (place, own)));
    }
}

/// Gives the removals of own callbacks their numbers in the text.
fn number(scenario: &mut Scenario, removals: &[Removals]) {
    let mut number = scenario.setup.len();
    for (ops, removals) in scenario.threads.iter_mut().zip(removals) {
        let numbered = ops.iter().filter(|op| op.takes_number()).zip(number..);
        let own: Vec<usize> = numbered.filter(|(op, _)| **op != Op::Poll).map(|(_, number)| number).collect();
        number += ops.iter().filter(|op| op.takes_number()).count();
        for &(place, nth) in &removals.own {
            ops[place] = Op::Remove(Whom::Nth(own[nth]));
        }
    }
}

/// Executions of each program: its threads interleave differently each time.
const ROUNDS: usize = 20;

/// Executions while a failure is shrunk, which may occur only now and then.
const MANY_ROUNDS: usize = 400;

/// Plays the program repeatedly.
///
/// # Panics
///
/// If an execution is not linearizable, with the scenario's text. Later programs are then played more often, since they are
/// smaller versions of the same one; still, a failure need not come again.
pub fn check(scenario: &Scenario) {
    static PLAYED: AtomicUsize = AtomicUsize::new(ROUNDS);
    for _ in 0..PLAYED.load(Ordering::Relaxed) {
        if let Err(wrong) = execution(scenario) {
            PLAYED.store(MANY_ROUNDS, Ordering::Relaxed);
            panic!("cargo verify scenario '{scenario}' --engine tickets\n{wrong}");
        }
    }
}
