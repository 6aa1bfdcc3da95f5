//! The exact set of observations that a scenario may show, by exhaustive enumeration of interleavings.

use crate::observation::Observation;
use crate::scenario::Scenario;
use crate::spec::event_loop;
use crate::spec::interleavings::Interleavings;
use crate::spec::machine::Machine;
use std::collections::{BTreeSet, HashSet};

/// Largest number of threads, and of operations of several threads, for which the whole set is enumerated.
pub const LISTED: (usize, usize) = (4, 10);

/// Whether the whole set can be enumerated.
pub fn is_listed(scenario: &Scenario) -> bool {
    let threads = scenario.threads.len();
    threads < 2 || (threads <= LISTED.0 && scenario.operations() <= LISTED.1)
}

/// The allowed observations; for a scenario too large to enumerate, only those among the seen ones.
pub fn known<'a>(scenario: &Scenario, seen: impl Iterator<Item = &'a Observation>) -> BTreeSet<Observation> {
    if is_listed(scenario) { allowed(scenario) } else { those_allowed(scenario, seen) }
}

/// The allowed ones among the seen observations. The search follows only interleavings that lead to one of them.
pub fn those_allowed<'a>(scenario: &Scenario, seen: impl Iterator<Item = &'a Observation>) -> BTreeSet<Observation> {
    let seen: BTreeSet<&Observation> = seen.collect();
    if seen.is_empty() {
        return BTreeSet::new();
    }
    let mut allowed = match scenario.script() {
        Some(script) => event_loop::allowed(scenario, script),
        None => {
            let interleavings = Interleavings::new(scenario);
            explore(&interleavings, |machine| seen.iter().any(|seen| interleavings.leads_to(machine, seen)))
        }
    };
    allowed.retain(|allowed| seen.contains(allowed));
    allowed
}

/// The exact set of observations that the specification allows.
pub fn allowed(scenario: &Scenario) -> BTreeSet<Observation> {
    match scenario.script() {
        Some(script) => event_loop::allowed(scenario, script),
        None => explore(&Interleavings::new(scenario), |_| true),
    }
}

/// The observations at the end of every interleaving whose machines all pass.
fn explore(interleavings: &Interleavings, passes: impl Fn(&Machine) -> bool) -> BTreeSet<Observation> {
    let mut observations = BTreeSet::new();
    let mut seen = HashSet::new();
    let mut open = vec![interleavings.start()];
    while let Some(machine) = open.pop() {
        let next = (0..machine.agents()).filter_map(|agent| interleavings.after(&machine, agent));
        let next: Vec<Machine> = next.filter(&passes).collect();
        match next.len() {
            0 if machine.has_ended() => {
                observations.insert(interleavings.observation(machine));
            }
            // A machine with only one next step need not be remembered.
            0 | 1 => open.extend(next),
            _ if seen.insert(machine) => open.extend(next),
            _ => {}
        }
    }
    observations
}
