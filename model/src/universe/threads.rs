//! The tiers of kernel and task layer: every set of threads for a given start, by number.

use super::{Tier, multisets, sequences};
use crate::scenario::{Op, Scenario, Scheduler, Whom};

/// The programs of a tier with one start, by number. Those of the kernel are made from their numbers; the few of the task
/// layer are listed.
pub(super) struct Programs {
    tier: Tier,
    start: Scenario,
    singles: Vec<Vec<Op>>,
    pairs: Vec<Vec<Op>>,
    both: Vec<Vec<Op>>,
    listed: Vec<Vec<Vec<Op>>>,
}

impl Programs {
    pub(super) fn new(tier: Tier, start: Scenario) -> Self {
        let (singles, pairs) = (threads(&start, 1), threads(&start, 2));
        let both = [&singles[..], &pairs].concat();
        let listed = match tier {
            Tier::Tasks => two(&start, &both),
            Tier::Handles => two_that_drop_handles(&start, &both),
            _ => Vec::new(),
        };
        Programs { tier, start, singles, pairs, both, listed }
    }

    pub(super) fn len(&self) -> usize {
        let Programs { singles, pairs, both, listed, .. } = self;
        match self.tier {
            Tier::Pairs => multisets(both.len(), 2),
            Tier::Triples => multisets(singles.len(), 3),
            Tier::Threes => multisets(singles.len(), 2) * pairs.len(),
            Tier::Fours => multisets(singles.len(), 4),
            Tier::Signals => self.signals().map(|(one, _)| self.waits(one).count()).sum(),
            _ => listed.len(),
        }
    }

    /// The program with this number, which is below the length.
    pub(super) fn nth(&self, number: usize) -> Scenario {
        let Programs { singles, pairs, both, listed, .. } = self;
        let threads = match self.tier {
            Tier::Pairs => set(both, 2, number),
            Tier::Triples => set(singles, 3, number),
            Tier::Threes => {
                let mut threads = set(singles, 2, number / pairs.len());
                threads.push(pairs[number % pairs.len()].clone());
                threads
            }
            Tier::Fours => set(singles, 4, number),
            Tier::Signals => self.with_a_signal(number),
            _ => listed[number].clone(),
        };
        Scenario { threads, ..self.start.clone() }
    }

    /// The threads that signal, each with a place for the signal: after an operation.
    fn signals(&self) -> impl Iterator<Item = (&Vec<Op>, usize)> {
        self.both.iter().flat_map(|one| (1..=one.len()).map(move |at| (one, at)))
    }

    /// The threads that wait beside this one, up to 3 operations in all, each with a place for the wait: before an operation.
    fn waits(&self, one: &[Op]) -> impl Iterator<Item = (&Vec<Op>, usize)> {
        let small = self.both.iter().filter(move |two| one.len() + two.len() <= 3);
        small.flat_map(|two| (0..two.len()).map(move |at| (two, at)))
    }

    fn with_a_signal(&self, mut number: usize) -> Vec<Vec<Op>> {
        for (one, signal) in self.signals() {
            let mut waits = self.waits(one);
            match waits.nth(number) {
                Some((two, wait)) => {
                    let (mut one, mut two) = (one.clone(), two.clone());
                    one.insert(signal, Op::Signal(1));
                    two.insert(wait, Op::Wait(1));
                    return vec![one, two];
                }
                None => number -= self.waits(one).count(),
            }
        }
        unreachable!("the number is below the length")
    }
}

/// The multiset of threads with this number, in lexicographic order.
fn set(threads: &[Vec<Op>], size: usize, mut number: usize) -> Vec<Vec<Op>> {
    let mut least = 0;
    let members = (0..size).rev().map(|others| {
        while number >= multisets(threads.len() - least, others) {
            number -= multisets(threads.len() - least, others);
            least += 1;
        }
        threads[least].clone()
    });
    members.collect()
}

/// Every pair. On the task layer there is one completer: C and D come once, and not at all if the task starts done.
fn two(start: &Scenario, threads: &[Vec<Op>]) -> Vec<Vec<Vec<Op>>> {
    let mut pairs: Vec<_> = (0..multisets(threads.len(), 2)).map(|number| set(threads, 2, number)).collect();
    let completions = |pair: &Vec<Vec<Op>>| pair.iter().map(|thread| completions(thread)).sum::<usize>();
    pairs.retain(|pair| start.scheduler.is_none() || completions(pair) <= usize::from(!start.done));
    pairs
}

/// Pairs of a thread that completes and one that does not, both without handles as soon as possible.
fn two_that_drop_handles(start: &Scenario, threads: &[Vec<Op>]) -> Vec<Vec<Vec<Op>>> {
    // On the queue the last thread differs from the other: it serves the queue.
    let (most, orders) = match start.scheduler {
        Some(Scheduler::Inline) => (3, 1),
        Some(Scheduler::Queue) => (2, 2),
        _ => (2, 1),
    };
    let using = |times| threads.iter().filter(move |thread| completions(thread) == times);
    let pairs = using(1).flat_map(|one| using(0).map(move |other| [one, other]));
    let small = pairs.filter(|[one, other]| one.len() + other.len() <= most);
    let ordered = small.flat_map(|[one, other]| [[one, other], [other, one]].into_iter().take(orders));
    ordered.map(|pair| pair.map(|thread| without_handles(thread)).to_vec()).collect()
}

fn completions(thread: &[Op]) -> usize {
    thread.iter().filter(|op| matches!(op, Op::Complete | Op::DropCompleter)).count()
}

/// Every thread of this number of operations.
fn threads(start: &Scenario, length: usize) -> Vec<Vec<Op>> {
    let mut ops = vec![Op::Add { tagged: false }, Op::Remove(Whom::Mine)];
    ops.extend((0..start.setup.len()).map(|nonce| Op::Remove(Whom::Nth(nonce))));
    ops.extend([Op::Complete, Op::Cancel, Op::Read]);
    ops.extend(match start.scheduler {
        None => vec![Op::Add { tagged: true }, Op::Remove(Whom::Foreign), Op::RemoveAll],
        Some(_) => vec![Op::DropCompleter, Op::Poll, Op::DropAwait],
    });
    sequences(&ops, length, is_valid)
}

/// Whether the last operation makes sense after those before it.
fn is_valid(sequence: &[Op]) -> bool {
    let Some((last, before)) = sequence.split_last() else { return true };
    match last {
        Op::Remove(Whom::Mine) => before.iter().any(|op| matches!(op, Op::Add { .. })),
        Op::DropAwait => before.contains(&Op::Poll),
        _ => true,
    }
}

/// This thread with H before those last operations that need no handle.
fn without_handles(thread: &[Op]) -> Vec<Op> {
    let needs_none = |op: &&Op| matches!(op, Op::Complete | Op::DropCompleter | Op::DropAwait);
    let at = thread.len() - thread.iter().rev().take_while(needs_none).count();
    [&thread[..at], &[Op::DropHandle], &thread[at..]].concat()
}
