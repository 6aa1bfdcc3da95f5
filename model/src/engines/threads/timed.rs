//! The core on real threads, with tickets: each execution's history must have an explanation.

use super::super::{Extent, Observed, message};
use super::engine::player::perform;
use crate::engines::record::tickets::record;
use crate::observation::Observation;
use crate::observation::history::History;
use crate::scenario::Scenario;
use crate::spec::allowed::is_listed;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Executions of one scenario.
pub const ROUNDS: u64 = 1000;

/// Plays it until an execution is wrong. What was explained is allowed; it is shown if the rest can be shown beside it.
pub fn play(scenario: &Scenario) -> Observed {
    let mut observed = Observed { extent: Extent::Sampled, ..Observed::default() };
    while observed.executions < ROUNDS && observed.broken.is_empty() {
        observed.executions += 1;
        match execution(scenario) {
            Ok((observation, _)) if is_listed(scenario) => *observed.observations.entry(observation).or_default() += 1,
            Ok(_) => {}
            Err(wrong) => drop(observed.broken.insert(wrong, 1)),
        }
    }
    observed
}

/// One execution, explained.
///
/// # Errors
///
/// What is wrong with it: the panic's message, the rules that it broke, or its history.
pub fn execution(scenario: &Scenario) -> Result<(Observation, History), String> {
    let recorded = || record(scenario, || perform(scenario));
    let ((observation, broken), history) = catch_unwind(AssertUnwindSafe(recorded)).map_err(message)?;
    if !broken.is_empty() {
        return Err(format!("{}\n{history}", broken.join("\n")));
    }
    history.check().map_err(|unexplained| unexplained.to_string())?;
    Ok((observation, history))
}
