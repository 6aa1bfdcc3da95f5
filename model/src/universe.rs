//! The closed world: every program up to a stated size, symmetric ones once.
//!
//! Every start: no, one or two callbacks waiting, each with or without the shared tag, the task
//! pending or done. Threads are a set: two programs that differ in their order are one.

use crate::loop_universe;
use crate::scenario::{Op, Scenario, Scheduler, Whom};
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
    /// The event loop runs, while another thread has 1 operation.
    LoopRuns,
    /// The event loop ends, while another thread has 1 or 2 operations, or two have 1.
    LoopEnds,
}

impl Tier {
    pub const ALL: [Tier; 6] = [Tier::Pairs, Tier::Triples, Tier::Signals, Tier::Tasks, Tier::LoopRuns, Tier::LoopEnds];

    pub fn describe(self) -> &'static str {
        match self {
            Tier::Pairs => "kernel, 2 threads x 1-2 operations",
            Tier::Triples => "kernel, 3 threads x 1 operation",
            Tier::Signals => "kernel, 2 threads, 2-3 operations, signal and wait",
            Tier::Tasks => "task layer, 2 threads x 1-2 operations",
            Tier::LoopRuns => "loop, runs beside 1 operation",
            Tier::LoopEnds => "loop, ends beside 1-2 operations",
        }
    }

    /// True if its programs are for engines with a loop.
    pub fn is_of_the_loop(self) -> bool {
        matches!(self, Tier::LoopRuns | Tier::LoopEnds)
    }

    /// The operations that its programs are made of, on what they run.
    pub fn alphabet(self) -> String {
        let programs = self.programs();
        let schedulers: BTreeSet<String> =
            programs.iter().filter_map(|program| program.scheduler.map(|on| on.to_string())).collect();
        let operations: BTreeSet<String> =
            programs.iter().flat_map(|program| program.threads.iter().flatten()).map(Op::to_string).collect();
        schedulers.into_iter().chain(operations).collect::<Vec<_>>().join(" ")
    }

    /// Every program of this tier.
    pub fn programs(self) -> Vec<Scenario> {
        match self {
            Tier::LoopRuns => loop_universe::runs(),
            Tier::LoopEnds => loop_universe::ends(),
            _ => starts(self).into_iter().flat_map(|start| self.programs_from(&start)).collect(),
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
            Tier::LoopRuns => loop_universe::number_of_runs(),
            Tier::LoopEnds => loop_universe::number_of_ends(),
        }
    }

    fn programs_from(self, start: &Scenario) -> Vec<Scenario> {
        let singles = sequences(start, 1);
        let pairs = sequences(start, 2);
        let both = || singles.iter().chain(&pairs);
        let with = |threads: Vec<Vec<Op>>| Scenario { threads, ..start.clone() };
        match self {
            Tier::Pairs | Tier::Tasks => {
                let all: Vec<_> = both().collect();
                let unordered =
                    all.iter().enumerate().flat_map(|(i, one)| all[i..].iter().map(move |two| (*one, *two)));
                // There is one completer: C and D come once, and not at all when the task starts done.
                let completes = |op: &&Op| matches!(op, Op::Complete | Op::DropCompleter);
                let enough = |(one, two): &(&Vec<Op>, &Vec<Op>)| {
                    let uses = one.iter().chain(two.iter()).filter(completes).count();
                    start.scheduler.is_none() || uses <= usize::from(!start.done)
                };
                unordered.filter(enough).map(|(one, two)| with(vec![one.clone(), two.clone()])).collect()
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
            Tier::LoopRuns | Tier::LoopEnds => Vec::new(),
        }
    }
}

fn choose_two(n: usize) -> usize {
    n * (n + 1) / 2
}

/// How a program of this tier can start: everything but its threads.
fn starts(tier: Tier) -> Vec<Scenario> {
    let scheduler = (tier == Tier::Tasks).then_some(Scheduler::Inline);
    let tags: &[bool] = if scheduler.is_some() { &[false] } else { &[false, true] };
    let mut setups = vec![Vec::new()];
    setups.extend(tags.iter().map(|&one| vec![one]));
    setups.extend(tags.iter().flat_map(|&one| tags.iter().map(move |&two| vec![one, two])));
    let starts = setups.into_iter().flat_map(|setup| [false, true].map(|done| (setup.clone(), done)));
    starts.map(|(setup, done)| Scenario { scheduler, setup, done, threads: Vec::new() }).collect()
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
        let longer = sequences.iter().flat_map(|sequence| ops.iter().map(|&op| [&sequence[..], &[op]].concat()));
        sequences = longer.filter(|sequence| makes_sense(sequence)).collect();
    }
    sequences
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
        for tier in Tier::ALL {
            assert_eq!(tier.programs().len(), tier.formula(), "{tier:?}");
        }
    }

    #[test]
    fn programs_are_distinct_well_formed_and_print_what_they_parse_from() {
        for tier in Tier::ALL {
            let mut seen = HashSet::new();
            for mut program in tier.programs() {
                let text = program.to_string();
                assert_eq!(text.parse::<Scenario>().as_ref(), Ok(&program), "{text}");
                program.threads.sort();
                assert!(seen.insert(program), "{text} comes twice");
            }
        }
    }
}
