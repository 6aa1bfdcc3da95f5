//! The changes of the core by its states, for vendors who upgrade. The table is `model/vendor/kernel.toml`.

use serde::Deserialize;

/// A state of the core that users could have copied.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    pub version: String,
    /// The digests of the cores that are in this state. They differ in words, or in ways that nobody can notice.
    pub digests: Vec<String>,
    /// The changes of this state from the one before it, which is the next of the table.
    #[serde(default, rename = "change")]
    pub changes: Vec<Change>,
}

/// A change in words.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The properties and obligations that it is about, such as P20 or F7. None for the interface alone.
    #[serde(default)]
    pub about: Vec<String>,
    pub text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "state")]
    states: Vec<State>,
}

/// The states, the newest first.
///
/// # Errors
///
/// If the table is malformed.
pub fn states() -> Result<Vec<State>, String> {
    let table: Table = toml::from_str(include_str!("../../vendor/kernel.toml"))
        .map_err(|error| format!("model/vendor/kernel.toml: {error}"))?;
    Ok(table.states)
}

/// What changed between the core with this digest and the newest, in a line each. None if that core is unknown.
///
/// # Errors
///
/// If the table is malformed.
pub fn since(digest: &str) -> Result<Option<Vec<String>>, String> {
    let states = states()?;
    let Some(at) = states.iter().position(|state| state.digests.iter().any(|known| known == digest)) else {
        return Ok(None);
    };
    let newer = states[..at].iter().rev().flat_map(|state| &state.changes);
    Ok(Some(newer.map(Change::line).collect()))
}

impl Change {
    fn line(&self) -> String {
        let about = if self.about.is_empty() { "interface".to_owned() } else { self.about.join(", ") };
        format!("  {about}: {}", self.text)
    }
}
