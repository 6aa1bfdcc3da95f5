//! The source of scenarios: every program up to a stated size (the small-scope hypothesis), symmetric ones once.
//!
//! Every start is included: no, one or two waiting callbacks, each with or without the shared tag, the task pending or
//! done. Threads are a set: two programs that differ only in the order of their threads are one.

mod callbacks;
pub mod event_loop;
mod futures;
mod naps;
mod printing;
pub mod sampled;
mod threads;
mod unwinding;
mod wakers;

use crate::scenario::{Op, Scenario, Scheduler};
use callbacks::calling_back;
use futures::{futures, number_of_futures};
use naps::{naps, number_of_naps};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::OnceLock;
use threads::Programs;

/// A part of the closed world, of a stated size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// The kernel: 2 threads, each of 1 or 2 operations.
    Pairs,
    /// The kernel: 3 threads of 1 operation.
    Triples,
    /// The kernel: 2 threads, up to 3 operations in all; one thread signals after an operation, and the other waits for
    /// the signal before an operation.
    Signals,
    /// The task layer: 2 threads, each of 1 or 2 operations.
    Tasks,
    /// The task layer: 2 threads, up to 3 operations in all, or 2 on `@queue` and `@refuse`; one of them uses the
    /// completer. Each thread drops its handles as soon as it can.
    Handles,
    /// Every scheduler and the kernel: 2 threads, and one callback or waker that has a program.
    Programs,
    /// The task layer: 2 threads, and wakers that panic or are polled with again.
    Wakers,
    /// The task layer: 1 thread, which panics and uses the task while it unwinds.
    Unwinding,
    /// The kernel and the task layer: 2 threads, and a print of the cell or task.
    Printing,
    /// The event loop runs, while another thread has 1 operation.
    LoopRuns,
    /// The event loop ends, while another thread has 1 or 2 operations, or two have 1.
    LoopEnds,
    /// The event loop runs or ends, a callback has a program, and another thread has 1 operation.
    LoopPrograms,
    /// The event loop runs or ends, while other threads nap and let time pass.
    LoopNaps,
    /// The event loop runs or ends, a future has a program for its poll or its drop, and another thread has 1 operation.
    LoopFutures,
    /// The kernel: 3 threads, 4 operations in all.
    Threes,
    /// The kernel: 4 threads of 1 operation.
    Fours,
}

impl Tier {
    pub const ALL: [Tier; 16] = [
        Tier::Pairs,
        Tier::Triples,
        Tier::Signals,
        Tier::Tasks,
        Tier::Handles,
        Tier::Programs,
        Tier::Wakers,
        Tier::Unwinding,
        Tier::Printing,
        Tier::LoopRuns,
        Tier::LoopEnds,
        Tier::LoopPrograms,
        Tier::LoopNaps,
        Tier::LoopFutures,
        Tier::Threes,
        Tier::Fours,
    ];

    pub fn describe(self) -> &'static str {
        match self {
            Tier::Pairs => "kernel, 2 threads x 1-2 operations",
            Tier::Triples => "kernel, 3 threads x 1 operation",
            Tier::Signals => "kernel, 2 threads, 2-3 operations, signal and wait",
            Tier::Tasks => "task layer, 2 threads x 1-2 operations",
            Tier::Handles => "task layer, 2-3 operations, the last handle",
            Tier::Programs => "callbacks, wakers, schedulers that call back",
            Tier::Wakers => "wakers that panic, polls with the same waker",
            Tier::Unwinding => "a thread that unwinds, 1 thread",
            Tier::Printing => "cells and tasks that are printed",
            Tier::LoopRuns => "loop, runs beside 1 operation",
            Tier::LoopEnds => "loop, ends beside 1-2 operations",
            Tier::LoopPrograms => "callbacks that call back on a loop, beside 1",
            Tier::LoopNaps => "loop, naps of other threads",
            Tier::LoopFutures => "futures that call back on a loop, beside 1",
            Tier::Threes => "kernel, 3 threads, 4 operations in all",
            Tier::Fours => "kernel, 4 threads x 1 operation",
        }
    }

    /// Whether its programs need an engine with an event loop.
    pub fn is_of_the_loop(self) -> bool {
        use Tier::{LoopEnds, LoopFutures, LoopNaps, LoopPrograms, LoopRuns};
        matches!(self, LoopRuns | LoopEnds | LoopPrograms | LoopNaps | LoopFutures)
    }

    /// The schedulers and operations that occur in its programs.
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
        self.parts().iter().flat_map(|part| (0..part.len()).map(|number| part.nth(number))).collect()
    }

    /// The number of its programs.
    fn number(self) -> usize {
        self.parts().iter().map(Part::len).sum()
    }

    /// The program with this number, as in the list of [`programs`](Self::programs).
    pub fn program(self, mut number: usize) -> Option<Scenario> {
        for part in self.parts() {
            if number < part.len() {
                return Some(part.nth(number));
            }
            number -= part.len();
        }
        None
    }

    /// Its programs, made once for each process.
    fn parts(self) -> &'static [Part] {
        static PARTS: [OnceLock<Vec<Part>>; Tier::ALL.len()] = [const { OnceLock::new() }; Tier::ALL.len()];
        let listed = |programs| vec![Part::Listed(programs)];
        PARTS[self as usize].get_or_init(|| match self {
            Tier::Programs => listed(calling_back()),
            Tier::Wakers => listed(wakers::programs()),
            Tier::Unwinding => listed(unwinding::programs()),
            Tier::Printing => listed(printing::programs()),
            Tier::LoopRuns => listed(event_loop::runs()),
            Tier::LoopEnds => listed(event_loop::ends()),
            Tier::LoopPrograms => listed(event_loop::calling_back()),
            Tier::LoopNaps => listed(naps()),
            Tier::LoopFutures => listed(futures()),
            tier => starts(tier).into_iter().map(|start| Part::Threads(Programs::new(tier, start))).collect(),
        })
    }

    /// Number of programs, in closed form: `k` callbacks wait, `m` operations can be a thread by themselves.
    pub fn formula(self) -> usize {
        let on_kernel = |programs: fn(usize) -> usize| (0..=2).map(|k| 2 * (1 << k) * programs(7 + k)).sum();
        match self {
            // Threads: one operation, two, or an add and then `Rm`; A or B.
            Tier::Pairs => on_kernel(|m| choose_two(m + m * m + 2)),
            Tier::Triples => on_kernel(|m| multisets(m, 3)),
            // 1 + 1 operations, 1 + 2 and 2 + 1; two operations leave two places for the signal, or for the wait.
            Tier::Signals => on_kernel(|m| m * m + 2 * m * 2 * (m * m + 2)),
            // `f` operations need no completer: threads of them, and A Rm and P Q. C and D need it: one of them alone, or
            // before or after another operation. At most one thread uses it.
            Tier::Tasks => (4..=6)
                .map(|f| {
                    let (without, with) = (f + f * f + 2, 2 + 2 * 2 * f);
                    2 * choose_two(without) + without * with
                })
                .sum(),
            // The same, with one thread that uses it; one operation each on the queue, where the order of threads counts,
            // and on `@refuse`.
            Tier::Handles => (4..=5).map(|f| 2 * (f + f * f + 2) + 2 * 2 * f * f + (2 + 1) * 2 * f).sum(),
            // Starts, times one thread, times the other, times two if their order counts, as on the queue: for a waiting
            // callback, an added one, an await, the scheduler, and two tasks.
            Tier::Programs => {
                // `X | X` has only one order.
                let waiting = 10 * 2 * 5 + 12 * (3 * 6 * (1 + 2) - 1) + 6 * 3 * 6 + 3 * 6;
                let added = (6 + 8 + 8 * 2 + 4) * 2 * (4 + 4 + 3);
                let awaits = 11 * 3 * 4 * (1 + 2);
                // Here too, `X | X` has only one order.
                let schedulers = (3 * 5 * (3 + 2) - 1) + 3 * (3 * 6 * (3 + 2) - 1);
                waiting + added + awaits + schedulers + (7 * (1 + 2) + 2 + 1) * 2 * 4
            }
            Tier::Wakers => wakers::number(),
            Tier::Unwinding => unwinding::number(),
            Tier::Printing => printing::number(),
            Tier::LoopRuns => event_loop::number_of_runs(),
            Tier::LoopEnds => event_loop::number_of_ends(),
            Tier::LoopPrograms => event_loop::number_of_calling_back(),
            Tier::LoopNaps => number_of_naps(),
            Tier::LoopFutures => number_of_futures(),
            Tier::Threes => on_kernel(|m| choose_two(m) * (m * m + 2)),
            Tier::Fours => on_kernel(|m| multisets(m, 4)),
        }
    }
}

/// The number of programs of the closed world.
pub fn number() -> usize {
    Tier::ALL.into_iter().map(Tier::number).sum()
}

/// The program of the closed world with this number, tier by tier; none if there are fewer.
pub fn program(mut number: usize) -> Option<(Tier, Scenario)> {
    for tier in Tier::ALL {
        if number < tier.number() {
            return Some((tier, tier.program(number)?));
        }
        number -= tier.number();
    }
    None
}

/// The programs of 2 threads of 1 operation, of kernel and task layer.
pub fn smallest() -> Vec<Scenario> {
    let programs = [Tier::Pairs, Tier::Tasks].into_iter().flat_map(Tier::programs);
    programs.filter(|program| program.threads.iter().all(|thread| thread.len() == 1)).collect()
}

/// Some programs of a tier: a few thousand in a list, or those with one start.
enum Part {
    Listed(Vec<Scenario>),
    Threads(Programs),
}

impl Part {
    fn len(&self) -> usize {
        match self {
            Part::Listed(programs) => programs.len(),
            Part::Threads(programs) => programs.len(),
        }
    }

    fn nth(&self, number: usize) -> Scenario {
        match self {
            Part::Listed(programs) => programs[number].clone(),
            Part::Threads(programs) => programs.nth(number),
        }
    }
}

fn choose_two(n: usize) -> usize {
    multisets(n, 2)
}

/// The number of multisets of this size.
pub fn multisets(of: usize, size: usize) -> usize {
    (0..size).fold(1, |number, taken| number * (of + taken) / (taken + 1))
}

/// The starts of a tier: its programs without their threads.
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

/// Every sequence of this number of operations whose beginnings are all valid.
fn sequences(ops: &[Op], length: usize, is_valid: impl Fn(&[Op]) -> bool) -> Vec<Vec<Op>> {
    let mut sequences = vec![Vec::new()];
    for _ in 0..length {
        let longer = sequences
            .iter()
            .flat_map(|before: &Vec<Op>| ops.iter().map(|op| [before.as_slice(), std::slice::from_ref(op)].concat()));
        sequences = longer.filter(|sequence| is_valid(sequence)).collect();
    }
    sequences
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
    fn a_program_is_made_from_its_number() {
        for tier in Tier::ALL {
            let programs = tier.programs();
            let places = (0..programs.len()).step_by(97).chain([programs.len() - 1]);
            for number in places {
                assert_eq!(tier.program(number).as_ref(), programs.get(number), "{tier:?} {number}");
            }
            assert_eq!(tier.program(programs.len()), None);
        }
    }

    #[test]
    fn programs_are_distinct_well_formed_and_print_what_they_parse_from() {
        for tier in Tier::ALL {
            let mut seen = HashSet::new();
            for mut program in tier.programs() {
                let text = program.to_string();
                assert_eq!(text.parse::<Scenario>().as_ref(), Ok(&program), "{text}");
                // On the queue the last thread differs from the others: it serves the queue.
                if program.scheduler != Some(Scheduler::Queue) {
                    program.threads.sort();
                }
                assert!(seen.insert(program.to_string()), "{text} comes twice");
            }
        }
    }
}
