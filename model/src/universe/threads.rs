//! The tiers of kernel and task layer: every set of threads for a given start.

use super::{Tier, sequences};
use crate::scenario::{Op, Scenario, Scheduler, Whom};

/// Every program of this tier with this start.
pub(super) fn programs(tier: Tier, start: &Scenario) -> Vec<Scenario> {
    let (singles, pairs) = (threads(start, 1), threads(start, 2));
    let both = [&singles[..], &pairs].concat();
    let programs = match tier {
        Tier::Pairs | Tier::Tasks => two(start, &both),
        Tier::Handles => two_that_drop_handles(start, &both),
        Tier::Triples => sets(&singles, 3),
        Tier::Signals => two_with_a_signal(&both),
        Tier::Threes => {
            let ones = sets(&singles, 2).into_iter();
            ones.flat_map(|ones| pairs.iter().map(move |pair| [&ones[..], std::slice::from_ref(pair)].concat()))
                .collect()
        }
        Tier::Fours => sets(&singles, 4),
        // Their starts differ.
        Tier::Programs | Tier::Wakers | Tier::Unwinding | Tier::Printing => Vec::new(),
        Tier::LoopRuns | Tier::LoopEnds | Tier::LoopPrograms | Tier::LoopNaps | Tier::LoopFutures => Vec::new(),
    };
    programs.into_iter().map(|threads| Scenario { threads, ..start.clone() }).collect()
}

/// Every multiset of this number of threads.
fn sets(threads: &[Vec<Op>], size: usize) -> Vec<Vec<Vec<Op>>> {
    if size == 0 {
        return vec![Vec::new()];
    }
    let from = |(at, first): (usize, &Vec<Op>)| {
        let rest = sets(&threads[at..], size - 1).into_iter();
        rest.map(|rest| [std::slice::from_ref(first), &rest].concat()).collect::<Vec<_>>()
    };
    threads.iter().enumerate().flat_map(from).collect()
}

/// Every pair. On the task layer there is one completer: C and D come once, and not at all if the task starts done.
fn two(start: &Scenario, threads: &[Vec<Op>]) -> Vec<Vec<Vec<Op>>> {
    let mut pairs = sets(threads, 2);
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

/// Pairs of up to 3 operations in all, with a signal after an operation of one and a wait before one of the other.
fn two_with_a_signal(threads: &[Vec<Op>]) -> Vec<Vec<Vec<Op>>> {
    let mut pairs = Vec::new();
    for (one, signal) in threads.iter().flat_map(|one| (1..=one.len()).map(move |at| (one, at))) {
        let small = threads.iter().filter(|two| one.len() + two.len() <= 3);
        for (two, wait) in small.flat_map(|two| (0..two.len()).map(move |at| (two, at))) {
            let (mut one, mut two) = (one.clone(), two.clone());
            one.insert(signal, Op::Signal(1));
            two.insert(wait, Op::Wait(1));
            pairs.push(vec![one, two]);
        }
    }
    pairs
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
