//! The one check: what an engine observed against what the specification allows.

pub mod blind_spots;
pub mod fault;

use crate::check::fault::Fault;
use crate::engines::catalog::Engine;
use crate::engines::{Extent, Observed};
use crate::observation::Observation;
use crate::scenario::Scenario;
use crate::spec::allowed::known;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

impl Engine {
    /// Plays the scenario and judges what was seen.
    pub fn check(self, scenario: &Scenario) -> Verdict {
        judge(scenario, self.is_complete(), &self.observe(scenario))
    }
}

/// What came of one scenario on one engine.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Verdict {
    pub executions: u64,
    /// How many of them were replayed through the protocol to their end.
    pub replayed: u64,
    pub allowed: usize,
    /// How many of the allowed ones were seen.
    pub observed: usize,
    /// Seen and not allowed: a bug.
    pub extra: Vec<String>,
    /// Allowed and not seen: over-serialised, vacuous, or blind.
    pub missing: Vec<String>,
    /// Rules that no observation shows, P8, P13, P15 and so on, and failures of the engine itself.
    pub broken: Vec<String>,
    /// In which ways it fails.
    pub faults: BTreeSet<Fault>,
    pub extent: Extent,
    /// How it fails, if that was asked for.
    pub exhibit: Option<String>,
    /// Whether missing ones count.
    complete: bool,
}

/// Holds what was observed against what is allowed.
pub fn judge(scenario: &Scenario, complete: bool, observed: &Observed) -> Verdict {
    judge_by(&known(scenario, observed.observations.keys()), scenario, complete, observed)
}

/// Of what is allowed it need be given only what was seen, unless what is missing counts.
pub fn judge_by(allowed: &BTreeSet<Observation>, scenario: &Scenario, complete: bool, observed: &Observed) -> Verdict {
    let seen: BTreeSet<&Observation> = observed.observations.keys().collect();
    let print = |observation: &Observation| observation.to_string();
    let mut broken: Vec<String> = observed.broken.keys().cloned().collect();
    if observed.executions == 0 && broken.is_empty() {
        broken.push("harness: nothing was executed".to_owned());
    }
    if complete && observed.replayed < observed.executions && broken.is_empty() {
        broken.push("harness: not every execution was replayed".to_owned());
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
        exhibit: None,
        complete,
    }
}

impl Verdict {
    /// Of a scenario whose engine was lost on the way.
    pub fn lost(evidence: String) -> Self {
        let faults = BTreeSet::from([Fault::of_rule(&evidence)]);
        Verdict { broken: vec![evidence], faults, ..Verdict::default() }
    }

    pub fn is_good(&self) -> bool {
        let missing = self.complete && !self.missing.is_empty();
        self.extent != Extent::Cut && self.extra.is_empty() && self.broken.is_empty() && !missing
    }
}

/// One line for each thing that is wrong.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = self.missing.iter().filter(|_| self.complete).map(|missing| format!("missing  {missing}"));
        let extra = self.extra.iter().map(|extra| format!("extra    {extra}"));
        let broken = self.broken.iter().map(|broken| format!("broken   {broken}"));
        f.write_str(&broken.chain(extra).chain(missing).collect::<Vec<_>>().join("\n"))
    }
}

/// Runs a scenario's text on loom, with both stand-ins, and panics with what is wrong.
///
/// # Panics
///
/// If the text is malformed, or the core is not what the specification says.
#[track_caller]
pub fn assert_race(text: &str) {
    let scenario: Scenario = text.parse().unwrap_or_else(|malformed| panic!("{malformed}"));
    for engine in [Engine::LoomMutex, Engine::LoomAtomic] {
        let verdict = engine.check(&scenario);
        assert!(verdict.is_good(), "{scenario} on {engine:?}\n{verdict}");
    }
}
