//! The closed world: every program up to a stated size, symmetric ones once.
//!
//! Every start: no, one or two callbacks waiting, each with or without the shared tag, the task
//! pending or done. Threads are a set: two programs that differ in their order are one.

mod callbacks;
pub mod event_loop;
pub mod sampled;

use crate::engines::catalog::Engine;
use crate::scenario::{Op, Scenario, Scheduler, Whom};
use callbacks::calling_back;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A part of the closed world, with a size of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// The kernel: 2 threads, each of 1 or 2 operations.
    Pairs,
    /// The kernel: 3 threads of 1 operation.
    Triples,
    /// The kernel: 2 threads, up to 3 operations in all, and a signal from one thread, after an
    /// operation, that the other waits for before one.
    Signals,
    /// The task layer: 2 threads, each of 1 or 2 operations.
    Tasks,
    /// The task layer: 2 threads, up to 3 operations in all, or 2 on a queue and where all is refused, one of them the
    /// completer's. Each thread drops its handles as soon as it can.
    Handles,
    /// Every scheduler and the kernel: 2 threads, and one callback or waker that does something.
    Programs,
    /// The event loop runs, while another thread has 1 operation.
    LoopRuns,
    /// The event loop ends, while another thread has 1 or 2 operations, or two have 1.
    LoopEnds,
    /// The event loop runs or ends, a callback does something, and another thread has 1 operation.
    LoopPrograms,
    /// The kernel: 3 threads, 4 operations in all.
    Threes,
    /// The kernel: 4 threads of 1 operation.
    Fours,
}

impl Tier {
    /// Of every run.
    pub const ALL: [Tier; 9] = [
        Tier::Pairs,
        Tier::Triples,
        Tier::Signals,
        Tier::Tasks,
        Tier::Handles,
        Tier::Programs,
        Tier::LoopRuns,
        Tier::LoopEnds,
        Tier::LoopPrograms,
    ];

    /// Of a run that takes its time.
    pub const DEEP: [Tier; 3] = [Tier::Triples, Tier::Threes, Tier::Fours];

    pub fn describe(self) -> &'static str {
        match self {
            Tier::Pairs => "kernel, 2 threads x 1-2 operations",
            Tier::Triples => "kernel, 3 threads x 1 operation",
            Tier::Signals => "kernel, 2 threads, 2-3 operations, signal and wait",
            Tier::Tasks => "task layer, 2 threads x 1-2 operations",
            Tier::Handles => "task layer, 2-3 operations, the last handle",
            Tier::Programs => "callbacks, wakers, schedulers that call back",
            Tier::LoopRuns => "loop, runs beside 1 operation",
            Tier::LoopEnds => "loop, ends beside 1-2 operations",
            Tier::LoopPrograms => "callbacks that call back on a loop, beside 1",
            Tier::Threes => "kernel, 3 threads, 4 operations in all",
            Tier::Fours => "kernel, 4 threads x 1 operation, BOUNDED",
        }
    }

    /// Who explores it, to the end or to a bound.
    pub fn engine(self) -> Engine {
        if self == Tier::Fours { Engine::LoomBounded } else { Engine::LoomMutex }
    }

    /// True if its programs are for engines with a loop.
    pub fn is_of_the_loop(self) -> bool {
        matches!(self, Tier::LoopRuns | Tier::LoopEnds | Tier::LoopPrograms)
    }

    /// The operations that its programs are made of, on what they run.
    pub fn alphabet(self) -> String {
        let programs = self.programs();
        let schedulers: BTreeSet<String> =
            programs.iter().filter_map(|program| program.scheduler.map(|on| on.to_string())).collect();
        let operations: BTreeSet<String> =
            programs.iter().flat_map(Scenario::all).map(|op| op.parts().1.to_string()).collect();
        schedulers.into_iter().chain(operations).collect::<Vec<_>>().join(" ")
    }

    /// Every program of this tier.
    pub fn programs(self) -> Vec<Scenario> {
        match self {
            Tier::Programs => calling_back(),
            Tier::LoopRuns => event_loop::runs(),
            Tier::LoopEnds => event_loop::ends(),
            Tier::LoopPrograms => event_loop::calling_back(),
            tier => starts(tier).into_iter().flat_map(|start| tier.programs_from(&start)).collect(),
        }
    }

    /// How many there are, in closed form: `k` callbacks wait, `m` operations can stand alone.
    pub fn formula(self) -> usize {
        let on_kernel = |programs: fn(usize) -> usize| (0..=2).map(|k| 2 * (1 << k) * programs(7 + k)).sum();
        match self {
            // Sequences: one operation, two, or an add and then `Rm`; A or B.
            Tier::Pairs => on_kernel(|m| choose_two(m + m * m + 2)),
            Tier::Triples => on_kernel(|m| (m + 2) * (m + 1) * m / 6),
            // 1 + 1 operations, 1 + 2 and 2 + 1; between or behind two operations there are two places.
            Tier::Signals => on_kernel(|m| m * m + 2 * m * 2 * (m * m + 2)),
            // `f` operations need no completer: sequences of them, with A Rm and P Q. C and D need it:
            // one of them alone, or before or behind another operation. One thread may have it.
            Tier::Tasks => (4..=6)
                .map(|f| {
                    let (without, with) = (f + f * f + 2, 2 + 2 * 2 * f);
                    2 * choose_two(without) + without * with
                })
                .sum(),
            // The same, with one thread that has it; of one operation each on the queue, where their order counts, and
            // where all is refused.
            Tier::Handles => (4..=5).map(|f| 2 * (f + f * f + 2) + 2 * 2 * f * f + (2 + 1) * 2 * f).sum(),
            // Starts, times what one thread does, times what the other does, times two if their order counts, as on the
            // queue: a callback that waits, one that is added, an await, the scheduler, and two tasks.
            Tier::Programs => {
                // `X | X` has but one order.
                let waiting = 10 * 2 * 5 + 12 * (3 * 6 * (1 + 2) - 1) + 6 * 3 * 6 + 3 * 6;
                let added = (6 + 8 + 8 * 2 + 4) * 2 * (4 + 4 + 3);
                let awaits = 11 * 3 * 4 * (1 + 2);
                // Here too `X | X` has but one order.
                let schedulers = (3 * 5 * (3 + 2) - 1) + 3 * (3 * 6 * (3 + 2) - 1);
                waiting + added + awaits + schedulers + (7 * (1 + 2) + 2 + 1) * 2 * 4
            }
            Tier::LoopRuns => event_loop::number_of_runs(),
            Tier::LoopEnds => event_loop::number_of_ends(),
            Tier::LoopPrograms => event_loop::number_of_calling_back(),
            Tier::Threes => on_kernel(|m| choose_two(m) * (m * m + 2)),
            Tier::Fours => on_kernel(|m| (m + 3) * (m + 2) * (m + 1) * m / 24),
        }
    }

    fn programs_from(self, start: &Scenario) -> Vec<Scenario> {
        let singles = sequences(start, 1);
        let pairs = sequences(start, 2);
        let both = || singles.iter().chain(&pairs);
        let with = |threads: Vec<Vec<Op>>| Scenario { threads, ..start.clone() };
        // There is one completer.
        let completes = |op: &&Op| matches!(op, Op::Complete | Op::DropCompleter);
        match self {
            Tier::Pairs | Tier::Tasks => {
                let all: Vec<_> = both().collect();
                let unordered =
                    all.iter().enumerate().flat_map(|(i, one)| all[i..].iter().map(move |two| (*one, *two)));
                // C and D come once, and not at all when the task starts done.
                let enough = |(one, two): &(&Vec<Op>, &Vec<Op>)| {
                    let uses = one.iter().chain(two.iter()).filter(completes).count();
                    start.scheduler.is_none() || uses <= usize::from(!start.done)
                };
                unordered.filter(enough).map(|(one, two)| with(vec![one.clone(), two.clone()])).collect()
            }
            Tier::Handles => {
                // The queue's last thread is not like the other.
                let (most, orders) = match start.scheduler {
                    Some(Scheduler::Inline) => (3, 1),
                    Some(Scheduler::Queue) => (2, 2),
                    _ => (2, 1),
                };
                let using = |times| both().filter(move |thread| thread.iter().filter(completes).count() == times);
                let threads = using(1).flat_map(|one| using(0).map(move |other| [one, other]));
                let small = threads.filter(|[one, other]| one.len() + other.len() <= most);
                let turned = small.flat_map(|[one, other]| [[one, other], [other, one]].into_iter().take(orders));
                turned.map(|threads| with(threads.map(|thread| letting_go(thread)).to_vec())).collect()
            }
            Tier::Triples => {
                let mut programs = Vec::new();
                for (i, one) in singles.iter().enumerate() {
                    for (j, two) in singles.iter().enumerate().skip(i) {
                        let three = singles[j..].iter();
                        programs.extend(three.map(|three| with(vec![one.clone(), two.clone(), three.clone()])));
                    }
                }
                programs
            }
            Tier::Signals => {
                let signalled = both().flat_map(|thread| (1..=thread.len()).map(move |at| (thread, at)));
                let programs = signalled.flat_map(|(one, signal)| {
                    let waiting = both().flat_map(|thread| (0..thread.len()).map(move |at| (thread, at)));
                    waiting.filter(|(two, _)| one.len() + two.len() <= 3).map(move |(two, wait)| {
                        let (mut one, mut two) = (one.clone(), two.clone());
                        one.insert(signal, Op::Signal(1));
                        two.insert(wait, Op::Wait(1));
                        vec![one, two]
                    })
                });
                programs.map(with).collect()
            }
            // Their starts are their own.
            Tier::Programs | Tier::LoopRuns | Tier::LoopEnds | Tier::LoopPrograms => Vec::new(),
            Tier::Threes => {
                let unordered =
                    singles.iter().enumerate().flat_map(|(i, one)| singles[i..].iter().map(move |two| (one, two)));
                unordered
                    .flat_map(|(one, two)| {
                        pairs.iter().map(|three| with(vec![one.clone(), two.clone(), three.clone()]))
                    })
                    .collect()
            }
            Tier::Fours => {
                let mut programs = Vec::new();
                for three in Tier::Triples.programs_from(start) {
                    let from = singles.iter().position(|single| three.threads.last() == Some(single));
                    let fourth = singles[from.unwrap_or(0)..].iter();
                    programs.extend(fourth.map(|four| with([&three.threads[..], std::slice::from_ref(four)].concat())));
                }
                programs
            }
        }
    }
}

/// The programs of 2 threads of 1 operation, of kernel and task layer.
pub fn smallest() -> Vec<Scenario> {
    let programs = [Tier::Pairs, Tier::Tasks].into_iter().flat_map(Tier::programs);
    programs.filter(|program| program.threads.iter().all(|thread| thread.len() == 1)).collect()
}

fn choose_two(n: usize) -> usize {
    n * (n + 1) / 2
}

/// How a program of this tier can start: everything but its threads.
fn starts(tier: Tier) -> Vec<Scenario> {
    match tier {
        Tier::Handles => {
            let on = [Scheduler::Inline, Scheduler::Queue, Scheduler::Refuse].into_iter();
            on.flat_map(|on| starts_on(Some(on))).filter(|start| !start.done && start.setup.len() <= 1).collect()
        }
        Tier::Tasks => starts_on(Some(Scheduler::Inline)),
        _ => starts_on(None),
    }
}

fn starts_on(scheduler: Option<Scheduler>) -> Vec<Scenario> {
    let tags: &[bool] = if scheduler.is_some() { &[false] } else { &[false, true] };
    let mut setups = vec![Vec::new()];
    setups.extend(tags.iter().map(|&one| vec![one]));
    setups.extend(tags.iter().flat_map(|&one| tags.iter().map(move |&two| vec![one, two])));
    let add = |tagged| Op::Add { tagged };
    let setups = setups.into_iter().map(|tags: Vec<bool>| tags.into_iter().map(add).collect::<Vec<_>>());
    let starts = setups.flat_map(|setup| [false, true].map(|done| (setup.clone(), done)));
    starts.map(|(setup, done)| Scenario { scheduler, setup, done, ..Scenario::default() }).collect()
}

/// Every sequence of this length that makes sense in one thread.
fn sequences(start: &Scenario, length: usize) -> Vec<Vec<Op>> {
    let mut ops = vec![Op::Add { tagged: false }, Op::Remove(Whom::Mine)];
    ops.extend((0..start.setup.len()).map(|nonce| Op::Remove(Whom::Nth(nonce))));
    ops.extend([Op::Complete, Op::Cancel, Op::Read]);
    ops.extend(match start.scheduler {
        None => vec![Op::Add { tagged: true }, Op::Remove(Whom::Foreign), Op::RemoveAll],
        Some(_) => vec![Op::DropCompleter, Op::Poll, Op::DropAwait],
    });
    let mut sequences = vec![Vec::new()];
    for _ in 0..length {
        let longer = sequences
            .iter()
            .flat_map(|sequence| ops.iter().map(|op| [&sequence[..], std::slice::from_ref(op)].concat()));
        sequences = longer.filter(|sequence| makes_sense(sequence)).collect();
    }
    sequences
}

/// The same with H as soon as nothing needs a handle any more.
fn letting_go(sequence: &[Op]) -> Vec<Op> {
    let needs_none = |op: &&Op| matches!(op, Op::Complete | Op::DropCompleter | Op::DropAwait);
    let at = sequence.len() - sequence.iter().rev().take_while(needs_none).count();
    [&sequence[..at], &[Op::DropHandle], &sequence[at..]].concat()
}

fn makes_sense(sequence: &[Op]) -> bool {
    let Some((last, before)) = sequence.split_last() else { return true };
    match last {
        Op::Remove(Whom::Mine) => before.iter().any(|op| matches!(op, Op::Add { .. })),
        Op::DropAwait => before.contains(&Op::Poll),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_tier_has_as_many_programs_as_its_formula_says() {
        for tier in Tier::ALL.into_iter().chain(Tier::DEEP) {
            assert_eq!(tier.programs().len(), tier.formula(), "{tier:?}");
        }
    }

    #[test]
    fn programs_are_distinct_well_formed_and_print_what_they_parse_from() {
        for tier in Tier::ALL.into_iter().chain(Tier::DEEP) {
            let mut seen = HashSet::new();
            for mut program in tier.programs() {
                let text = program.to_string();
                assert_eq!(text.parse::<Scenario>().as_ref(), Ok(&program), "{text}");
                // On the queue the last thread is not like the others.
                if program.scheduler != Some(Scheduler::Queue) {
                    program.threads.sort();
                }
                assert!(seen.insert(program), "{text} comes twice");
            }
        }
    }
}
