//! A replay token: names one execution of one scenario, on exactly these sources.
//!
//! loom cannot be given a schedule. But it explores in an order of its own that is always the same, so the
//! number of an execution names it, as long as nothing has changed that it depends on. shuttle can: there
//! it is named by its schedule, which thread goes on at each step.

use crate::core_files::Core;
use crate::engines::Extent;
use crate::engines::shuttle_stage::Steps;
use crate::judge::Engine;
use crate::scenario::Scenario;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub scenario: Scenario,
    pub engine: Engine,
    /// How far the exploration went.
    pub extent: Extent,
    pub execution: Execution,
}

/// Which one it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Execution {
    /// Counted from 1.
    Nth(u64),
    Scheduled(Steps),
}

/// The version that executions are counted with.
pub const LOOM: &str = "0.7.3";

/// The version whose schedules are given.
pub const SHUTTLE: &str = "0.9.9";

/// What decides about the order of executions, besides the verified core, loom and shuttle.
pub const SOURCES: [(&str, &str); 35] = [
    ("model/src/engines/locks.rs", include_str!("engines/locks.rs")),
    ("model/src/engines/loom_atomic.rs", include_str!("engines/loom_atomic.rs")),
    ("model/src/engines/loom_channel.rs", include_str!("engines/loom_channel.rs")),
    ("model/src/engines/loom_mutex.rs", include_str!("engines/loom_mutex.rs")),
    ("model/src/engines/loom_stage.rs", include_str!("engines/loom_stage.rs")),
    ("model/src/engines/loom_sync.rs", include_str!("engines/loom_sync.rs")),
    ("model/src/engines/mod.rs", include_str!("engines/mod.rs")),
    ("model/src/engines/on_loop.rs", include_str!("engines/on_loop.rs")),
    ("model/src/engines/play.rs", include_str!("engines/play.rs")),
    ("model/src/engines/play_loop.rs", include_str!("engines/play_loop.rs")),
    ("model/src/engines/props.rs", include_str!("engines/props.rs")),
    ("model/src/engines/shuttle.rs", include_str!("engines/shuttle.rs")),
    ("model/src/engines/shuttle_stage.rs", include_str!("engines/shuttle_stage.rs")),
    ("model/src/engines/shuttle_sync.rs", include_str!("engines/shuttle_sync.rs")),
    ("model/src/scenario.rs", include_str!("scenario.rs")),
    ("model/src/script.rs", include_str!("script.rs")),
    ("src/callback.rs", include_str!("../../src/callback.rs")),
    ("src/completer.rs", include_str!("../../src/completer.rs")),
    ("src/event_loop/current.rs", include_str!("../../src/event_loop/current.rs")),
    ("src/event_loop/entry.rs", include_str!("../../src/event_loop/entry.rs")),
    ("src/event_loop/handle.rs", include_str!("../../src/event_loop/handle.rs")),
    ("src/event_loop/mod.rs", include_str!("../../src/event_loop/mod.rs")),
    ("src/event_loop/run.rs", include_str!("../../src/event_loop/run.rs")),
    ("src/event_loop/state.rs", include_str!("../../src/event_loop/state.rs")),
    ("src/event_loop/task.rs", include_str!("../../src/event_loop/task.rs")),
    ("src/event_loop/timers.rs", include_str!("../../src/event_loop/timers.rs")),
    ("src/hook.rs", include_str!("../../src/hook.rs")),
    ("src/outcome.rs", include_str!("../../src/outcome.rs")),
    ("src/panic.rs", include_str!("../../src/panic.rs")),
    ("src/report.rs", include_str!("../../src/report.rs")),
    ("src/schedule.rs", include_str!("../../src/schedule.rs")),
    ("src/task.rs", include_str!("../../src/task.rs")),
    ("src/trampoline.rs", include_str!("../../src/trampoline.rs")),
    ("src/wait.rs", include_str!("../../src/wait.rs")),
    ("src/waiter.rs", include_str!("../../src/waiter.rs")),
];

/// A digest of everything that the number of an execution depends on.
fn sources() -> [u8; 4] {
    let texts = SOURCES.iter().map(|(_, text)| *text);
    first_bytes(texts.chain([Core::compiled().sha256.as_str(), LOOM, SHUTTLE]).map(str::as_bytes))
}

/// The same, to be read.
pub fn sources_digest() -> String {
    HEXLOWER.encode(&sources())
}

/// Of the digest of these texts.
fn first_bytes<'a, const N: usize>(texts: impl IntoIterator<Item = &'a [u8]>) -> [u8; N] {
    let mut digest = Sha256::new();
    texts.into_iter().for_each(|text| digest.update(text));
    let digest = digest.finalize();
    std::array::from_fn(|at| digest[at])
}

/// What stands before a schedule's steps.
const BY_STEPS: char = 's';

impl Token {
    /// What it says, then the sources that it holds for, then two bytes by which a mistyped one is known.
    fn encode(&self, sources: [u8; 4]) -> String {
        let engine = self.engine.name();
        let extent = match self.extent {
            Extent::Cut => "cut".to_owned(),
            Extent::Sampled => "sample".to_owned(),
            Extent::Bounded(preemptions) => preemptions.to_string(),
            Extent::Complete => "all".to_owned(),
        };
        let execution = match &self.execution {
            Execution::Nth(number) => number.to_string(),
            Execution::Scheduled(steps) => format!("{BY_STEPS}{steps}"),
        };
        let scenario = self.scenario.to_string().replace(" | ", "|").replace(" ; ", ";");
        let said = [format!("{engine} {extent} {execution} {scenario}").as_bytes(), &sources].concat();
        BASE64URL_NOPAD.encode(&[&said[..], &first_bytes::<2>([&said[..]])].concat())
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.encode(sources()))
    }
}

impl FromStr for Token {
    type Err = String;

    fn from_str(token: &str) -> Result<Self, String> {
        let malformed = || "this is no replay token: copy the whole of it, as it was printed".to_owned();
        let bytes = BASE64URL_NOPAD.decode(token.trim().as_bytes()).map_err(|_| malformed())?;
        let whole = bytes.split_last_chunk::<2>().filter(|(said, check)| first_bytes([*said]) == **check);
        let (text, made_for) = whole.and_then(|(said, _)| said.split_last_chunk::<4>()).ok_or_else(malformed)?;
        let text = std::str::from_utf8(text).map_err(|_| malformed())?;
        let words: Vec<&str> = text.splitn(4, ' ').collect();
        let [engine, extent, execution, scenario] = words[..] else { return Err(malformed()) };
        if *made_for != sources() {
            return Err(format!(
                "this token names an execution of other sources: core, facade, player, loom or shuttle have changed since; \
                 run `cargo verify scenario '{scenario}'` for a new one"
            ));
        }
        let extent = match extent {
            "cut" => Extent::Cut,
            "sample" => Extent::Sampled,
            "all" => Extent::Complete,
            preemptions => Extent::Bounded(preemptions.parse().map_err(|_| malformed())?),
        };
        let execution = match execution.strip_prefix(BY_STEPS) {
            Some(steps) => Execution::Scheduled(steps.to_owned()),
            None => Execution::Nth(execution.parse().map_err(|_| malformed())?),
        };
        let engine = engine.parse().map_err(|_| malformed())?;
        Ok(Token { scenario: scenario.parse().map_err(|_| malformed())?, engine, extent, execution })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_other_sources_is_refused_with_what_to_do() {
        let scenario: Scenario = "a ; C | A".parse().expect("well formed");
        let execution = Execution::Nth(7);
        let token = Token { scenario, engine: Engine::LoomMutex, extent: Extent::Complete, execution };
        assert_eq!(token.encode(sources()).parse(), Ok(token.clone()));
        let refused = token.encode([0; 4]).parse::<Token>().expect_err("other sources");
        assert!(refused.contains("other sources") && refused.contains("cargo verify scenario 'a;C|A'"), "{refused}");
    }
}
