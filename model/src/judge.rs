//! The one check: what an engine observed against what the specification allows.

use crate::allowed::allowed;
use crate::engines::{self, Extent, Observed};
use crate::fault::Fault;
use crate::observation::Observation;
use crate::scenario::Scenario;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// An engine by name, and what its observations must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// loom with a mutex for the write-once cell: equal to what is allowed.
    LoomMutex,
    /// loom with an atomic for it: contained in what is allowed, and what is missing is pinned.
    LoomAtomic,
    /// One thread after the other on std: contained.
    Alone,
}

impl Engine {
    pub const ALL: [Engine; 3] = [Engine::LoomMutex, Engine::LoomAtomic, Engine::Alone];

    pub fn name(self) -> &'static str {
        match self {
            Engine::LoomMutex => "loom-mutex",
            Engine::LoomAtomic => "loom-atomic",
            Engine::Alone => "alone",
        }
    }

    pub fn play(self) -> engines::Engine {
        match self {
            Engine::LoomMutex => engines::loom_mutex::on_loop::play_loop::play,
            Engine::LoomAtomic => engines::loom_atomic::on_loop::play_loop::play,
            Engine::Alone => engines::alone::play::play,
        }
    }

    /// True if every allowed observation must be seen.
    pub fn is_complete(self) -> bool {
        self == Engine::LoomMutex
    }

    /// Plays the scenario and judges what was seen.
    pub fn check(self, scenario: &Scenario) -> Verdict {
        judge(scenario, self.is_complete(), &(self.play())(scenario))
    }

    pub fn observe(self, scenario: &Scenario) -> Observed {
        (self.play())(scenario)
    }
}

/// What came of one scenario on one engine.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Verdict {
    pub executions: u64,
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
    let allowed = allowed(scenario);
    let seen: BTreeSet<&Observation> = observed.observations.keys().collect();
    let print = |observation: &Observation| observation.to_string();
    let mut broken: Vec<String> = observed.broken.keys().cloned().collect();
    if observed.executions == 0 && broken.is_empty() {
        broken.push("harness: nothing was executed".to_owned());
    }
    let mut faults = Fault::all(scenario, &allowed, &broken, seen.iter().copied());
    faults.extend((complete && !allowed.iter().all(|allowed| seen.contains(allowed))).then_some(Fault::Missing));
    Verdict {
        executions: observed.executions,
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
