//! The core on real threads with timestamps (tickets): the history of each execution must be linearizable.

use super::super::{Extent, Observed, message};
use super::engine::player;
use crate::engines::record::tickets::record;
use crate::observation::Observation;
use crate::observation::history::History;
use crate::scenario::Scenario;
use crate::spec::allowed::is_listed;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The number of executions of one scenario.
pub const ROUNDS: u64 = 1000;

/// Plays the scenario until an execution is wrong. A linearizable execution shows an allowed outcome; it is returned if
/// all allowed ones can be listed beside it.
pub fn play(scenario: &Scenario) -> Observed {
    play_by(scenario, player::perform)
}

/// Plays the scenario like [`play`], with `perform` for one execution.
pub fn play_by(scenario: &Scenario, perform: Perform) -> Observed {
    let mut observed = Observed { extent: Extent::Sampled, ..Observed::default() };
    while observed.executions < ROUNDS && observed.broken.is_empty() {
        observed.executions += 1;
        match execution_by(scenario, perform) {
            Ok((observation, _)) if is_listed(scenario) => *observed.observations.entry(observation).or_default() += 1,
            Ok(_) => {}
            Err(wrong) => drop(observed.broken.insert(wrong, 1)),
        }
    }
    observed
}

/// One execution with its history, which is linearizable.
///
/// # Errors
///
/// The panic's message, the rules that the execution broke, or its history if that is not linearizable.
pub fn execution(scenario: &Scenario) -> Result<(Observation, History), String> {
    execution_by(scenario, player::perform)
}

/// A player's function for one execution: the observation, and the broken rules.
pub type Perform = fn(&Scenario) -> (Observation, Vec<String>);

fn execution_by(scenario: &Scenario, perform: Perform) -> Result<(Observation, History), String> {
    let recorded = || record(scenario, || perform(scenario));
    let ((observation, broken), history) = catch_unwind(AssertUnwindSafe(recorded)).map_err(message)?;
    if !broken.is_empty() {
        return Err(format!("{}\n{history}", broken.join("\n")));
    }
    history.check().map_err(|not_linearizable| not_linearizable.to_string())?;
    Ok((observation, history))
}
