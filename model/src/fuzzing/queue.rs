//! The kernel's queue alone, held against a plain list, step by step.

use crate::fuzzing::bytes::decode;
use crate::scenario::names::Nonce;
use crate::scenario::resolve::Step;
use queue::Queue;

extern crate alloc;

#[allow(dead_code, reason = "the cell uses what is not used here")]
#[path = "../../../src/kernel/queue.rs"]
mod queue;

/// What the buffer may hold beyond twice the live callbacks (P20).
const SLACK: usize = 32;

/// Sequence, tag and callback of each that waits.
type List = Vec<(u64, u64, Nonce)>;

/// Plays what the bytes stand for on the queue and on the list: an add, or the first poll of an await, pushes; a
/// removal, or the drop of an await, removes; another poll replaces; a completion takes everything.
///
/// # Panics
///
/// If they differ, or the queue keeps more than it may (P7, P9, P10, P15, P20), with the scenario's text.
pub fn check(bytes: &[u8]) {
    let scenario = decode(bytes);
    let (mut queue, mut list) = (Queue::EMPTY, List::new());
    let mut place = None;
    for step in scenario.setup_steps().into_iter().chain(scenario.steps().into_iter().flatten()) {
        let sequence = |nonce: Nonce| nonce as u64 + 1;
        let push = |queue: &mut Queue<Nonce>, list: &mut List, nonce: Nonce, tag: u64| {
            queue.push(sequence(nonce), tag, nonce);
            list.push((sequence(nonce), tag, nonce));
        };
        let same = match step {
            Step::Add { nonce, tagged } => {
                push(&mut queue, &mut list, nonce, tagged.into());
                true
            }
            Step::Poll(nonce) => match place {
                None => {
                    place = Some(nonce);
                    push(&mut queue, &mut list, nonce, 0);
                    true
                }
                Some(first) => {
                    let listed = list.iter_mut().find(|(number, ..)| *number == sequence(first));
                    let old = listed.map(|(_, _, listed)| std::mem::replace(listed, nonce));
                    queue.replace(sequence(first), nonce) == old.ok_or(nonce)
                }
            },
            Step::Remove(nonce) => remove(&mut queue, &mut list, nonce.map_or(0, sequence)),
            Step::DropAwait => place.take().is_none_or(|first| remove(&mut queue, &mut list, sequence(first))),
            Step::RemoveAll => {
                let removed = list.extract_if(.., |(_, tag, _)| *tag == 1).map(|(.., callback)| callback);
                queue.remove_all(1) == removed.collect::<Vec<_>>()
            }
            Step::Complete(_) | Step::DropCompleter => queue.take().eq(list.drain(..).map(|(.., callback)| callback)),
            _ => true,
        };
        assert!(same, "'{scenario}': {step:?} differs, the list is {list:?}");
        let waiting: Vec<_> = list.iter().map(|(sequence, tag, _)| (*sequence, *tag)).collect();
        assert_eq!(queue.waiting(), waiting, "'{scenario}': after {step:?}");
        assert_eq!(queue.len(), waiting.len(), "'{scenario}': after {step:?}");
        let kept = if let Queue::Many { places, .. } = &queue { places.capacity() } else { 1 };
        assert!(kept <= 2 * waiting.len() + SLACK, "'{scenario}': {kept} places for {} after {step:?}", waiting.len());
    }
}

/// True if both have it, or both have not.
fn remove(queue: &mut Queue<Nonce>, list: &mut List, sequence: u64) -> bool {
    let at = list.iter().position(|(number, ..)| *number == sequence);
    queue.remove(sequence) == at.map(|at| list.remove(at).2)
}
