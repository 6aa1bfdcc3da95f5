//! The fuzz target `scenario`: bytes to a scenario of one thread, played and compared with the specification.

use crate::engines::catalog::Engine;
use crate::fuzzing::bytes::decode;
use crate::scenario::Scenario;

/// The command that replays a scenario on the engine `alone`.
pub fn command(scenario: &Scenario) -> String {
    format!("cargo verify scenario '{scenario}' --engine {}", Engine::Alone.name())
}

/// Plays the scenario for these bytes, and compares it with the specification.
///
/// # Panics
///
/// If they differ, with the command that replays it.
pub fn check(bytes: &[u8]) {
    let scenario = decode(bytes);
    let verdict = Engine::Alone.check(&scenario);
    assert!(verdict.is_good(), "{}\n{verdict}", command(&scenario));
}
