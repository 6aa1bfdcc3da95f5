//! The verdict on a scenario: the observations of an engine against the allowed ones.

use crate::check::fault::Fault;
use crate::engines::{Extent, Observed};
use crate::observation::Observation;
use crate::scenario::Scenario;
use crate::spec::allowed::known;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// The result of one scenario on one engine.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Verdict {
    pub executions: u64,
    /// The number of executions whose conformance was checked to their end.
    pub replayed: u64,
    pub allowed: usize,
    /// The number of allowed outcomes that were observed.
    pub observed: usize,
    /// Observed and not allowed: a bug.
    pub extra: Vec<String>,
    /// Allowed and not observed: the core over-serialises, the model is vacuous, or the engine is blind.
    pub missing: Vec<String>,
    /// Broken rules that no observation shows (P8, P13, P15 and so on), and failures of the engine itself.
    pub broken: Vec<String>,
    /// The ways in which the scenario fails.
    pub faults: BTreeSet<Fault>,
    pub extent: Extent,
    /// The time that a worker took.
    #[serde(default)]
    pub seconds: f64,
    /// A failing execution as text, if one was asked for.
    pub counterexample: Option<String>,
    /// True if a missing outcome is a failure.
    complete: bool,
}

/// Checks the observed outcomes against the allowed ones; `complete` if all of those must be observed.
pub fn check(scenario: &Scenario, complete: bool, observed: &Observed) -> Verdict {
    check_against(&known(scenario, observed.observations.keys()), scenario, complete, observed)
}

/// Checks against allowed outcomes that are known already. Unless `complete`, those among the observed ones suffice.
pub fn check_against(
    allowed: &BTreeSet<Observation>,
    scenario: &Scenario,
    complete: bool,
    observed: &Observed,
) -> Verdict {
    let seen: BTreeSet<&Observation> = observed.observations.keys().collect();
    let print = |observation: &Observation| observation.to_string();
    let mut broken: Vec<String> = observed.broken.keys().cloned().collect();
    if observed.executions == 0 && broken.is_empty() {
        broken.push("harness: nothing was executed".to_owned());
    }
    if complete && observed.replayed < observed.executions && broken.is_empty() {
        broken.push("harness: not every execution was replayed against the protocol".to_owned());
    }
    let mut faults = Fault::all(scenario, allowed, &broken, seen.iter().copied());
    faults.extend((complete && !allowed.iter().all(|allowed| seen.contains(allowed))).then_some(Fault::Missing));
    Verdict {
        executions: observed.executions,
        replayed: observed.replayed,
        allowed: allowed.len(),
        observed: seen.iter().filter(|seen| allowed.contains(**seen)).count(),
        extra: seen.iter().filter(|seen| !allowed.contains(**seen)).map(|seen| print(seen)).collect(),
        missing: allowed.iter().filter(|allowed| !seen.contains(allowed)).map(print).collect(),
        broken,
        faults,
        extent: if observed.executions > 0 { observed.extent } else { Extent::Cut },
        seconds: 0.0,
        counterexample: None,
        complete,
    }
}

impl Verdict {
    /// The verdict on a scenario whose engine was lost on the way.
    pub fn lost(evidence: String) -> Self {
        let faults = BTreeSet::from([Fault::of_rule(&evidence)]);
        Verdict { broken: vec![evidence], faults, ..Verdict::default() }
    }

    pub fn is_good(&self) -> bool {
        let missing = self.complete && !self.missing.is_empty();
        self.extent != Extent::Cut && self.extra.is_empty() && self.broken.is_empty() && !missing
    }
}

/// One line for each broken rule, extra outcome and missing outcome.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = self.missing.iter().filter(|_| self.complete).map(|missing| format!("missing  {missing}"));
        let extra = self.extra.iter().map(|extra| format!("extra    {extra}"));
        let broken = self.broken.iter().map(|broken| format!("broken   {broken}"));
        f.write_str(&broken.chain(extra).chain(missing).collect::<Vec<_>>().join("\n"))
    }
}
