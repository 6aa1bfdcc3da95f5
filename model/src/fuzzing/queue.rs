//! The fuzz target `queue`: the kernel's queue alone, compared with a plain list after each step.

use crate::check::queue::{Operation, differs};
use crate::fuzzing::bytes::decode;
use crate::scenario::names::Nonce;
use crate::scenario::resolve::Step;

/// Plays the scenario for these bytes on the queue and on the list: an add, or the first poll of an await, pushes; a
/// removal, or the drop of an await, removes; another poll replaces; a completion takes everything.
///
/// # Panics
///
/// If they differ, or the queue keeps more than it may (P7, P9, P10, P15, P20), with the scenario's text.
pub fn check(bytes: &[u8]) {
    let scenario = decode(bytes);
    let steps = scenario.setup_steps().into_iter().chain(scenario.steps().into_iter().flatten());
    // The callback under which the await is registered.
    let mut place = None;
    let operations: Vec<Operation> = steps.filter_map(|step| operation(step, &mut place)).collect();
    if let Some(wrong) = differs(&operations) {
        panic!("'{scenario}': {wrong}");
    }
}

fn operation(step: Step, place: &mut Option<Nonce>) -> Option<Operation> {
    match step {
        Step::Add { nonce, tagged } => Some(Operation::Push { sequence: sequence(nonce), tagged }),
        Step::Poll(nonce) => Some(match place.replace(place.unwrap_or(nonce)) {
            None => Operation::Push { sequence: sequence(nonce), tagged: false },
            Some(first) => Operation::Replace(sequence(first)),
        }),
        Step::PollAgain(_) => place.map(|first| Operation::Replace(sequence(first))),
        // An id of another task names none here.
        Step::Remove(nonce) => Some(Operation::Remove(nonce.map_or(u64::MAX, sequence))),
        Step::DropAwait => place.take().map(|first| Operation::Remove(sequence(first))),
        Step::RemoveAll => Some(Operation::RemoveAll { tagged: true }),
        Step::Complete(_) | Step::DropCompleter => Some(Operation::Take),
        _ => None,
    }
}

fn sequence(nonce: Nonce) -> u64 {
    nonce as u64 + 1
}
