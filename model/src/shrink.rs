//! The smallest scenario that still fails in the same way.

use crate::scenario::{Op, Scenario, Scheduler, Whom};
use crate::script::Script;

/// Leaves out of a scenario whatever can be left out while it still `fails`.
pub fn shrink(scenario: &Scenario, fails: impl Fn(&Scenario) -> bool) -> Scenario {
    let mut smallest = scenario.clone();
    while let Some(smaller) = smaller(&smallest).into_iter().find(&fails) {
        smallest = smaller;
    }
    smallest
}

/// Every scenario with one thing less, the big things first.
fn smaller(scenario: &Scenario) -> Vec<Scenario> {
    let (threads, setup) = (scenario.threads.len(), scenario.setup.len());
    let without_thread = (0..threads).filter(|_| threads > 1).filter_map(|thread| {
        let operations = (0..scenario.threads[thread].len()).rev();
        let emptied =
            operations.into_iter().try_fold(scenario.clone(), |less, at| without_operation(&less, thread, at));
        emptied.map(|mut less| {
            less.threads.remove(thread);
            less
        })
    });
    let operations = (0..threads).flat_map(|thread| (0..scenario.threads[thread].len()).map(move |at| (thread, at)));
    let without_operation = operations.filter_map(|(thread, at)| without_operation(scenario, thread, at));
    let without_callback = (0..setup).filter_map(|at| {
        let mut less = without_nonce(scenario, at)?;
        less.setup.remove(at);
        Some(less)
    });
    let pending = scenario.done.then(|| Scenario { done: false, ..scenario.clone() });
    let on_kernel = scenario.scheduler.map(|_| Scenario { scheduler: None, ..scenario.clone() });
    let shorter = scenario.script().and_then(Script::shorter);
    let shorter = shorter.map(|script| Scenario { scheduler: Some(Scheduler::Loop(script)), ..scenario.clone() });
    let untagged = Some(untagged(scenario)).filter(|less| less != scenario);
    let all = without_thread
        .chain(on_kernel)
        .chain(without_operation)
        .chain(without_callback)
        .chain(pending)
        .chain(shorter)
        .chain(untagged);
    all.filter(|less| less.objection().is_none()).collect()
}

/// None if what it adds is named elsewhere.
fn without_operation(scenario: &Scenario, thread: usize, at: usize) -> Option<Scenario> {
    let adds = |op: &&Op| matches!(op, Op::Add { .. } | Op::Poll | Op::Soon | Op::Spawn);
    let before = scenario.threads[..thread].iter().flatten().chain(&scenario.threads[thread][..at]);
    let mut less = match adds(&&scenario.threads[thread][at]) {
        true => without_nonce(scenario, scenario.setup.len() + before.filter(adds).count())?,
        false => scenario.clone(),
    };
    less.threads[thread].remove(at);
    Some(less)
}

/// Counts those behind it one less; none if it is removed by name.
fn without_nonce(scenario: &Scenario, gone: usize) -> Option<Scenario> {
    let mut less = scenario.clone();
    for op in less.threads.iter_mut().flatten() {
        match op {
            Op::Remove(Whom::Nth(nonce)) if *nonce == gone => return None,
            Op::Remove(Whom::Nth(nonce)) if *nonce > gone => *nonce -= 1,
            _ => {}
        }
    }
    Some(less)
}

/// Without the shared tag.
fn untagged(scenario: &Scenario) -> Scenario {
    let mut less = scenario.clone();
    less.setup.iter_mut().for_each(|tagged| *tagged = false);
    let operations = less.threads.iter_mut().flatten();
    operations.filter(|op| **op == Op::Add { tagged: true }).for_each(|op| *op = Op::Add { tagged: false });
    less
}
