//! The kernel's queue compared with a plain list after each operation: every sequence up to a length, and those that the
//! fuzzer finds.
//!
//! A copy of the queue whose two constants are small (`build.rs` edits them) spills, closes its gaps and shrinks within a
//! few operations. The shipped one is compared, too; where its constants matter it is proven, and compared by walks that
//! aim there.

use std::num::NonZeroU64;

extern crate alloc;

#[allow(dead_code, reason = "only the cell uses the rest")]
#[path = "../../../src/kernel/queue.rs"]
mod shipped;

include!(concat!(env!("OUT_DIR"), "/small_queue.rs"));

/// An operation. A callback is named by its sequence number, which grows from push to push and is not 0. The number 0
/// names none, and the queue is not asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Push { sequence: u64, tagged: bool },
    Remove(u64),
    Replace(u64),
    RemoveAll { tagged: bool },
    Take,
}

const SHARED: NonZeroU64 = NonZeroU64::MIN;
const UNTAGGED: NonZeroU64 = NonZeroU64::MAX;

fn tag(tagged: bool) -> NonZeroU64 {
    if tagged { SHARED } else { UNTAGGED }
}

fn named(sequence: u64) -> Option<NonZeroU64> {
    NonZeroU64::new(sequence)
}

/// A queue of numbers.
trait Queue {
    /// The room that the buffer may have beyond twice the callbacks that wait (P20).
    const SLACK: usize;
    fn new() -> Self;
    fn push(&mut self, sequence: u64, tag: NonZeroU64, callback: u64);
    fn replace(&mut self, sequence: u64, callback: u64) -> Result<u64, u64>;
    fn remove(&mut self, sequence: u64) -> Option<u64>;
    fn remove_all(&mut self, tag: NonZeroU64) -> Vec<u64>;
    fn take(&mut self) -> Vec<u64>;
    fn waiting(&self) -> Vec<(u64, u64)>;
    fn len(&self) -> usize;
    fn room(&self) -> usize;
}

macro_rules! queue {
    ($module:ident, $slack:expr) => {
        impl Queue for $module::Queue<u64> {
            const SLACK: usize = $slack;

            fn new() -> Self {
                $module::Queue::EMPTY
            }

            fn push(&mut self, sequence: u64, tag: NonZeroU64, callback: u64) {
                self.push(named(sequence).expect("no push has the number 0"), tag, callback);
            }

            fn replace(&mut self, sequence: u64, callback: u64) -> Result<u64, u64> {
                named(sequence).map_or(Err(callback), |sequence| self.replace(sequence, callback))
            }

            fn remove(&mut self, sequence: u64) -> Option<u64> {
                named(sequence).and_then(|sequence| self.remove(sequence))
            }

            fn remove_all(&mut self, tag: NonZeroU64) -> Vec<u64> {
                self.remove_all(tag)
            }

            fn take(&mut self) -> Vec<u64> {
                self.take().collect()
            }

            fn waiting(&self) -> Vec<(u64, u64)> {
                self.waiting()
            }

            fn len(&self) -> usize {
                self.len()
            }

            fn room(&self) -> usize {
                if let $module::Queue::Many { places, .. } = self { places.capacity() } else { 1 }
            }
        }
    };
}

queue!(shipped, 32);
queue!(small, SMALL_SLACK);

/// A plain list: sequence, tag and callback of what waits.
#[derive(Default)]
struct List {
    waiting: Vec<(u64, NonZeroU64, u64)>,
    /// The number of callbacks so far.
    callbacks: u64,
}

impl List {
    fn position(&self, sequence: u64) -> Option<usize> {
        self.waiting.iter().position(|(waiting, ..)| *waiting == sequence)
    }

    fn callback(&mut self) -> u64 {
        self.callbacks += 1;
        self.callbacks
    }
}

/// Carries out an operation on both; whether they answer the same.
fn play(queue: &mut impl Queue, list: &mut List, operation: Operation) -> bool {
    match operation {
        Operation::Push { sequence, tagged } => {
            let callback = list.callback();
            list.waiting.push((sequence, tag(tagged), callback));
            queue.push(sequence, tag(tagged), callback);
            true
        }
        Operation::Remove(sequence) => {
            let removed = list.position(sequence).map(|at| list.waiting.remove(at).2);
            queue.remove(sequence) == removed
        }
        Operation::Replace(sequence) => {
            let callback = list.callback();
            let place = list.position(sequence);
            let replaced = place.map(|at| std::mem::replace(&mut list.waiting[at].2, callback));
            queue.replace(sequence, callback) == replaced.ok_or(callback)
        }
        Operation::RemoveAll { tagged } => {
            let removed: Vec<u64> = list
                .waiting
                .extract_if(.., |(_, waiting, _)| *waiting == tag(tagged))
                .map(|(.., callback)| callback)
                .collect();
            queue.remove_all(tag(tagged)) == removed
        }
        Operation::Take => queue.take() == list.waiting.drain(..).map(|(.., callback)| callback).collect::<Vec<_>>(),
    }
}

/// The operations that can follow this number of pushes. Also the number of the next push is named, which none has yet.
fn operations(pushes: u64) -> impl Iterator<Item = Operation> {
    let flags = [false, true];
    let on_each = (1..=pushes + 1).flat_map(|sequence| [Operation::Remove(sequence), Operation::Replace(sequence)]);
    let pushed = flags.into_iter().map(move |tagged| Operation::Push { sequence: pushes + 1, tagged });
    let all = flags.into_iter().map(|tagged| Operation::RemoveAll { tagged });
    pushed.chain(all).chain([Operation::Take]).chain(on_each)
}

/// The first difference of the shipped queue from a list.
pub fn differs(operations: &[Operation]) -> Option<String> {
    compare::<shipped::Queue<u64>>(operations).err()
}

/// Compares after every sequence of this length, and so after every shorter one. Returns their number.
///
/// # Errors
///
/// The first sequence that differs, and how.
pub fn every_sequence(length: usize, is_small: bool) -> Result<u64, String> {
    if is_small && !IS_SMALL {
        return Err("the constants of the queue are not where build.rs edits them".to_owned());
    }
    let mut sequences = 0;
    match is_small {
        true => explore::<small::Queue<u64>>(length, 0, &mut Vec::new(), &mut sequences)?,
        false => explore::<shipped::Queue<u64>>(length, 0, &mut Vec::new(), &mut sequences)?,
    }
    Ok(sequences)
}

/// The number of those sequences: of the operations after `pushes` two push, and `5 + 2 * pushes` others do not.
pub fn number(length: usize, pushes: u64) -> u64 {
    if length == 0 {
        return 1;
    }
    2 * number(length - 1, pushes + 1) + (3 + 2 * (pushes + 1)) * number(length - 1, pushes)
}

fn explore<Q: Queue>(left: usize, pushes: u64, path: &mut Vec<Operation>, sequences: &mut u64) -> Result<(), String> {
    if left == 0 {
        *sequences += 1;
        return compare::<Q>(path);
    }
    for operation in operations(pushes) {
        path.push(operation);
        let pushes = pushes + u64::from(matches!(operation, Operation::Push { .. }));
        explore::<Q>(left - 1, pushes, path, sequences)?;
        path.pop();
    }
    Ok(())
}

fn compare<Q: Queue>(path: &[Operation]) -> Result<(), String> {
    let (mut queue, mut list) = (Q::new(), List::default());
    for (at, operation) in path.iter().enumerate() {
        let is_same = play(&mut queue, &mut list, *operation);
        let waiting = list.waiting.iter().map(|(sequence, tag, _)| (*sequence, tag.get()));
        let (length, room) = (list.waiting.len(), queue.room());
        let wrong = match () {
            () if !is_same => "another answer than that of a list",
            () if queue.len() != length => "another length than that of a list",
            () if !waiting.eq(queue.waiting()) => "others wait than in a list",
            () if room > 2 * length + Q::SLACK.max(1) => "P20: more room than twice what waits and a constant",
            () => continue,
        };
        return Err(format!("{wrong}, after {:?}", &path[..=at]));
    }
    Ok(())
}
