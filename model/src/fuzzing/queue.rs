//! The fuzz target `queue`: the kernel's queue alone, compared with a plain list after each step.

use crate::fuzzing::bytes::decode;
use crate::scenario::names::Nonce;
use crate::scenario::resolve::Step;
use kernel_queue::Queue;
use std::num::NonZeroU64;

extern crate alloc;

#[allow(dead_code, reason = "only the cell uses the rest")]
#[path = "../../../src/kernel/queue.rs"]
mod kernel_queue;

/// Capacity that the queue may keep beyond twice the live callbacks (P20).
const SLACK: usize = 32;

const SHARED: NonZeroU64 = NonZeroU64::MIN;
const UNTAGGED: NonZeroU64 = NonZeroU64::MAX;

/// The queue, and a list of (sequence, tag, callback) as its oracle.
struct Both {
    queue: Queue<Nonce>,
    list: Vec<(u64, NonZeroU64, Nonce)>,
    /// The callback under which the await is registered.
    place: Option<Nonce>,
}

/// Plays the scenario for these bytes on the queue and on the list: an add, or the first poll of an await, pushes; a
/// removal, or the drop of an await, removes; another poll replaces; a completion takes everything.
///
/// # Panics
///
/// If they differ, or the queue keeps more than it may (P7, P9, P10, P15, P20), with the scenario's text.
pub fn check(bytes: &[u8]) {
    let scenario = decode(bytes);
    let mut both = Both { queue: Queue::EMPTY, list: Vec::new(), place: None };
    for step in scenario.setup_steps().into_iter().chain(scenario.steps().into_iter().flatten()) {
        let is_same = both.play(step);
        let Both { queue, list, .. } = &both;
        assert!(is_same, "'{scenario}': {step:?} differs, the list is {list:?}");
        let waiting: Vec<_> = list.iter().map(|(sequence, tag, _)| (*sequence, tag.get())).collect();
        assert_eq!(queue.waiting(), waiting, "'{scenario}': after {step:?}");
        assert_eq!(queue.len(), waiting.len(), "'{scenario}': after {step:?}");
        let kept = if let Queue::Many { places, .. } = queue { places.capacity() } else { 1 };
        assert!(kept <= 2 * waiting.len() + SLACK, "'{scenario}': {kept} places for {} after {step:?}", waiting.len());
    }
}

impl Both {
    /// Plays a step on both; whether they return the same.
    fn play(&mut self, step: Step) -> bool {
        match step {
            Step::Add { nonce, tagged } => self.push(nonce, if tagged { SHARED } else { UNTAGGED }),
            Step::Poll(nonce) => match self.place {
                None => {
                    self.place = Some(nonce);
                    self.push(nonce, UNTAGGED)
                }
                Some(first) => self.replace(first, nonce),
            },
            Step::PollAgain(nonce) => self.place.is_none_or(|first| self.replace(first, nonce)),
            Step::Remove(nonce) => self.remove(nonce.map_or(0, sequence)),
            Step::DropAwait => self.place.take().is_none_or(|first| self.remove(sequence(first))),
            Step::RemoveAll => {
                let removed = self.list.extract_if(.., |(_, tag, _)| *tag == SHARED).map(|(.., callback)| callback);
                self.queue.remove_all(SHARED) == removed.collect::<Vec<_>>()
            }
            Step::Complete(_) | Step::DropCompleter => {
                self.queue.take().eq(self.list.drain(..).map(|(.., callback)| callback))
            }
            _ => true,
        }
    }

    fn push(&mut self, nonce: Nonce, tag: NonZeroU64) -> bool {
        self.queue.push(sequence(nonce), tag, nonce);
        self.list.push((sequence(nonce), tag, nonce));
        true
    }

    fn replace(&mut self, first: Nonce, nonce: Nonce) -> bool {
        let listed = self.list.iter_mut().find(|(number, ..)| *number == sequence(first));
        let old = listed.map(|(_, _, listed)| std::mem::replace(listed, nonce));
        self.queue.replace(sequence(first), nonce) == old.ok_or(nonce)
    }

    fn remove(&mut self, sequence: u64) -> bool {
        let at = self.list.iter().position(|(number, ..)| *number == sequence);
        self.queue.remove(sequence) == at.map(|at| self.list.remove(at).2)
    }
}

fn sequence(nonce: Nonce) -> u64 {
    nonce as u64 + 1
}
