//! What the specification allows: every order of a scenario's steps, carried out one by one.
//!
//! The page says what each operation answers and in which order a task's callbacks are handed over. Who runs what a
//! callback does, and when, is told here: whoever completes or adds late owes the drain, unless somebody drains that
//! task already; a drain that is owed inside another one of the same agent comes after it. What a scheduler does itself
//! comes before the first of all hand-overs. On the queue a hand-over is a place in one line. The scenario's last thread
//! serves that line, once it is through with its own operations, until it finds it empty; what comes later is served when
//! all threads are through.

use crate::observation::Observation;
use crate::scenario::Scenario;
use crate::spec::event_loop;
use crate::spec::interleavings::Machine;
use crate::spec::interleavings::World;
use std::collections::{BTreeSet, HashSet};

/// Threads, and operations of several threads, at the most for which everything that is allowed can be listed.
const LISTED: (usize, usize) = (4, 10);

/// True if everything that is allowed can be listed.
pub fn is_listed(scenario: &Scenario) -> bool {
    let threads = scenario.threads.len();
    threads < 2 || (threads <= LISTED.0 && scenario.operations() <= LISTED.1)
}

/// What is allowed; with many threads or operations, of what was seen only.
pub fn known<'a>(scenario: &Scenario, seen: impl Iterator<Item = &'a Observation>) -> BTreeSet<Observation> {
    if is_listed(scenario) { allowed(scenario) } else { those_allowed(scenario, seen) }
}

/// Of what was seen what is allowed, found by going nowhere else.
pub fn those_allowed<'a>(scenario: &Scenario, seen: impl Iterator<Item = &'a Observation>) -> BTreeSet<Observation> {
    let seen: BTreeSet<&Observation> = seen.collect();
    if seen.is_empty() {
        return BTreeSet::new();
    }
    let mut allowed = match scenario.script() {
        Some(script) => event_loop::allowed(scenario, script),
        None => {
            let world = World::new(scenario);
            explore(&world, |machine| seen.iter().any(|seen| world.leads_to(machine, seen)))
        }
    };
    allowed.retain(|allowed| seen.contains(allowed));
    allowed
}

/// The exact set of observations that the specification allows.
pub fn allowed(scenario: &Scenario) -> BTreeSet<Observation> {
    match scenario.script() {
        Some(script) => event_loop::allowed(scenario, script),
        None => explore(&World::new(scenario), |_| true),
    }
}

/// What the specification shows at the end of all orders of steps that lead through such machines only.
fn explore(world: &World, passes: impl Fn(&Machine) -> bool) -> BTreeSet<Observation> {
    let mut observations = BTreeSet::new();
    let mut seen = HashSet::new();
    let mut open = vec![world.start()];
    while let Some(machine) = open.pop() {
        let next = (0..machine.agents()).filter_map(|agent| world.after(&machine, agent));
        let next: Vec<Machine> = next.filter(&passes).collect();
        match next.len() {
            0 if machine.has_ended() => {
                observations.insert(world.observation(machine));
            }
            // What goes on in one way only need not be remembered.
            0 | 1 => open.extend(next),
            _ if seen.insert(machine) => open.extend(next),
            _ => {}
        }
    }
    observations
}
