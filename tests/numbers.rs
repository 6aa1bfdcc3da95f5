//! Numbers at their ends, which no program reaches by counting: sequences in a line, and names of a loop's tasks.
//!
//! The two files are compiled here by themselves, so that a test can begin at any number.

extern crate alloc;

#[path = "../src/event_loop/name.rs"]
#[allow(dead_code, reason = "a given name has no number")]
mod name;
#[path = "../src/kernel/queue.rs"]
#[allow(dead_code, reason = "a cell looks into its batches")]
mod queue;

use fastrand::Rng;
use name::Name;
use queue::Queue;
use std::num::NonZeroU64;

/// The first sequences of the lines: those around the end of 32 bits, and the last ones of 64 bits.
const FIRSTS: [u64; 5] =
    [1, u32::MAX as u64 - 150, u32::MAX as u64 - 1, u32::MAX as u64 * 7 - 3, u64::MAX - STEPS as u64];
const STEPS: usize = 400;

/// A queue beside a plain list of what must wait in it: sequence, tag and callback.
struct Twin {
    queue: Queue<usize>,
    plain: Vec<(u64, NonZeroU64, usize)>,
    next: u64,
}

impl Twin {
    fn push(&mut self, tag: NonZeroU64, callback: usize) {
        self.queue.push(NonZeroU64::new(self.next).expect("it grows from 1 at least"), tag, callback);
        self.plain.push((self.next, tag, callback));
        self.next += 1;
    }

    fn at(&self, sequence: u64) -> Option<usize> {
        self.plain.iter().position(|(of, ..)| *of == sequence)
    }

    fn remove(&mut self, sequence: NonZeroU64) {
        let expected = self.at(sequence.get()).map(|at| self.plain.remove(at).2);
        assert_eq!(self.queue.remove(sequence), expected, "remove {sequence}");
    }

    fn replace(&mut self, sequence: NonZeroU64, callback: usize) {
        let expected = match self.at(sequence.get()) {
            Some(at) => Ok(std::mem::replace(&mut self.plain[at].2, callback)),
            None => Err(callback),
        };
        assert_eq!(self.queue.replace(sequence, callback), expected, "replace {sequence}");
    }

    fn remove_all(&mut self, tag: NonZeroU64) {
        let (gone, left) = self.plain.drain(..).partition(|(_, of, _)| *of == tag);
        self.plain = left;
        let gone: Vec<(u64, NonZeroU64, usize)> = gone;
        let expected: Vec<usize> = gone.into_iter().map(|(.., callback)| callback).collect();
        assert_eq!(self.queue.remove_all(tag), expected, "tag {tag}");
    }

    fn agree(&self) {
        let plain: Vec<(u64, u64)> = self.plain.iter().map(|(sequence, tag, _)| (*sequence, tag.get())).collect();
        assert_eq!((self.queue.waiting(), self.queue.len()), (plain, self.plain.len()));
    }
}

/// P7, P9, P10
#[test]
fn a_line_is_the_same_at_every_sequence() {
    for first in FIRSTS {
        for seed in 0..20 {
            let (mut random, mut twin) =
                (Rng::with_seed(seed), Twin { queue: Queue::EMPTY, plain: Vec::new(), next: first });
            for step in 0..STEPS {
                let tag = NonZeroU64::MIN.saturating_add(random.u64(0..3));
                // One that waits or has gone, and those one and 2^32 places further off.
                let known = first + random.u64(0..=twin.next - first);
                let sequence = known.wrapping_add([0, 0, 0, 1, 1 << 32, u64::MAX << 32][random.usize(0..6)]);
                match (random.u8(0..12), NonZeroU64::new(sequence)) {
                    (0..=5, _) => twin.push(tag, step),
                    (6..=8, Some(sequence)) => twin.remove(sequence),
                    (9..=10, Some(sequence)) => twin.replace(sequence, step),
                    // 0 names no callback.
                    (6..=10, None) => {}
                    _ => twin.remove_all(tag),
                }
                twin.agree();
            }
            let left: Vec<usize> = twin.plain.iter().map(|(.., callback)| *callback).collect();
            assert_eq!(twin.queue.take().collect::<Vec<_>>(), left, "first {first}, seed {seed}");
            assert_eq!(twin.queue.len(), 0);
        }
    }
}

/// D13
#[test]
fn a_number_is_written_out_in_a_name_up_to_the_last_one() {
    for number in [0, 1, 9, 10, 99, 100, 255, 256, u64::from(u32::MAX), 1 << 32, 10_u64.pow(19), u64::MAX] {
        assert_eq!(Name::numbered(number).as_str(), format!("Task-{number}"));
    }
    for given in ["", "Task-1", "gr\u{fc}n"] {
        assert_eq!(Name::Given(given.into()).as_str(), given);
    }
}
