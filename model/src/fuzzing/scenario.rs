//! The fuzz target `scenario`: bytes to a scenario, played by one thread after the other, against the specification.

use crate::engines::catalog::Engine;
use crate::fuzzing::bytes::decode;
use crate::scenario::Scenario;

/// The command that plays it again, alone.
pub fn command(scenario: &Scenario) -> String {
    format!("cargo verify scenario '{scenario}' --engine {}", Engine::Alone.name())
}

/// Plays what the bytes stand for, alone, and holds it against the specification.
///
/// # Panics
///
/// If they differ, with the command that plays it again.
pub fn check(bytes: &[u8]) {
    let scenario = decode(bytes);
    let verdict = Engine::Alone.check(&scenario);
    assert!(verdict.is_good(), "{}\n{verdict}", command(&scenario));
}
