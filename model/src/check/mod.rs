//! The check of a scenario: the observed outcomes of an engine equal the allowed outcomes of the specification, or are
//! contained in them.

pub mod blind_spots;
pub mod fault;
pub mod queue;
mod verdict;

pub use verdict::{Verdict, check, check_against};

use crate::engines::catalog::Engine;
use crate::scenario::Scenario;

impl Engine {
    /// Plays the scenario and checks its observations.
    pub fn check(self, scenario: &Scenario) -> Verdict {
        check(scenario, self.is_complete(), &self.observe(scenario))
    }
}

/// Plays a scenario's text on loom, with both stand-ins of the write-once cell.
///
/// # Panics
///
/// If the text is malformed, or the core differs from the specification; the message is the verdict.
#[track_caller]
pub fn assert_race(text: &str) {
    let scenario: Scenario = text.parse().unwrap_or_else(|malformed| panic!("{malformed}"));
    for engine in [Engine::LoomMutex, Engine::LoomAtomic] {
        let verdict = engine.check(&scenario);
        assert!(verdict.is_good(), "{scenario} on {engine:?}\n{verdict}");
    }
}
