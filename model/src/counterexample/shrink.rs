//! The smallest scenario that still fails in the same way: a greedy form of delta debugging (Zeller and Hildebrandt,
//! "Simplifying and isolating failure-inducing input", 2002). The result is one-minimal: no single part can be left out.

use crate::scenario::names::Nonce;
use crate::scenario::poll_script::Script;
use crate::scenario::{Op, Programs, Scenario, Scheduler, Whom};
use std::ops::Range;

/// Leaves out parts of a scenario, as long as the rest still `fails`.
pub fn shrink(scenario: &Scenario, fails: impl Fn(&Scenario) -> bool) -> Scenario {
    let mut smallest = scenario.clone();
    while let Some(smaller) = smaller(&smallest).into_iter().find(&fails) {
        smallest = smaller;
    }
    smallest
}

/// Every scenario with one part less, the large parts first.
fn smaller(scenario: &Scenario) -> Vec<Scenario> {
    let threads = scenario.threads.len();
    let count = |ops: &[Op]| ops.iter().map(Op::count).sum::<usize>();
    let setup = count(&scenario.scheduling) + count(&scenario.dropping) + count(&scenario.setup);
    let mut end = setup;
    let spans = scenario.threads.iter().map(|thread| {
        end += count(thread);
        end - count(thread)..end
    });
    let spans: Vec<Range<usize>> = spans.collect();
    let without_thread = (0..threads).filter(|_| threads > 1).filter_map(|thread| {
        let mut less = without(scenario, spans[thread].clone())?;
        less.threads.remove(thread);
        Some(less)
    });
    let plain = scenario.scheduler.filter(|_| scenario.scheduling.is_empty() && scenario.dropping.is_empty());
    let on_kernel = plain.map(|_| Scenario { scheduler: None, ..scenario.clone() });
    let without_operation = (setup..end).chain(0..setup).filter_map(|at| without(scenario, at..at + 1));
    let pending = scenario.done.then(|| Scenario { done: false, ..scenario.clone() });
    let shorter = scenario.script().and_then(Script::shorter);
    let shorter = shorter.map(|script| Scenario { scheduler: Some(Scheduler::Loop(script)), ..scenario.clone() });
    let untagged = Some(untagged(scenario)).filter(|less| less != scenario);
    let all = without_thread.chain(on_kernel).chain(without_operation).chain(pending).chain(shorter).chain(untagged);
    all.filter(|less| less.objection().is_none()).collect()
}

/// The scenario without the operations at these places of the text, and without their programs; none if the rest names
/// a callback that is gone.
fn without(scenario: &Scenario, places: Range<usize>) -> Option<Scenario> {
    let mut cut = Cut { places, at: 0, numbers: 0, gone: Vec::new() };
    let (scheduling, dropping) = (cut.ops(&scenario.scheduling), cut.ops(&scenario.dropping));
    let setup = cut.ops(&scenario.setup);
    let threads: Vec<_> = scenario.threads.iter().map(|thread| cut.ops(thread)).collect();
    let mut less = Scenario { scheduling, dropping, setup, threads, ..scenario.clone() };
    let gone = &cut.gone;
    let mut is_whole = true;
    less.visit(&mut |op| {
        if let Op::Remove(Whom::Nth(nonce)) | Op::PollAgain(Whom::Nth(nonce)) = op {
            is_whole &= !gone.contains(nonce);
            *nonce -= gone.iter().filter(|gone| *gone < nonce).count();
        }
    });
    is_whole.then_some(less)
}

struct Cut {
    places: Range<usize>,
    at: usize,
    numbers: Nonce,
    gone: Vec<Nonce>,
}

impl Cut {
    fn ops(&mut self, ops: &[Op]) -> Vec<Op> {
        ops.iter().filter_map(|op| self.op(op)).collect()
    }

    fn op(&mut self, op: &Op) -> Option<Op> {
        if self.places.contains(&self.at) {
            self.at += op.count();
            let after = self.numbers + op.all().iter().filter(|op| op.takes_number()).count();
            self.gone.extend(self.numbers..after);
            self.numbers = after;
            return None;
        }
        self.at += 1;
        self.numbers += usize::from(op.takes_number());
        let (task, bare, programs) = op.parts();
        let programs = programs.map(|Programs { clone, call, drop }| Programs {
            clone: self.ops(clone),
            call: self.ops(call),
            drop: self.ops(drop),
        });
        Some(Op::new(task, bare.clone(), programs.unwrap_or_default()))
    }
}

/// The scenario without the shared tag.
fn untagged(scenario: &Scenario) -> Scenario {
    let mut less = scenario.clone();
    less.visit(&mut |op| {
        if let Op::Add { tagged } = op {
            *tagged = false;
        }
    });
    less
}
