//! A replay token: the name of one execution of one scenario, on exactly these sources.
//!
//! loom accepts no schedule, but it always explores in the same order, so an execution's number names it as long as
//! the sources that the order depends on are unchanged. shuttle accepts a schedule, that is, the thread that runs at
//! each step, and this names the execution.

use crate::engines::Extent;
use crate::engines::catalog::Engine;
use crate::engines::shuttle::explore::Steps;
use crate::project::sources::{first_bytes, sources_digest};
use crate::scenario::Scenario;
use data_encoding::BASE64URL_NOPAD;
use std::fmt;
use std::str::FromStr;

/// The name of one execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub scenario: Scenario,
    pub engine: Engine,
    /// The extent of the exploration that the execution belongs to.
    pub extent: Extent,
    pub execution: Execution,
}

/// The execution among those of its scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Execution {
    /// The number in the order of exploration, from 1.
    Nth(u64),
    /// The schedule.
    Scheduled(Steps),
}

/// The prefix of a schedule's steps.
const BY_STEPS: char = 's';

/// The word for an extent with spurious wake-ups; the bound on preemptions follows, if there is one.
const FIRST_SPURIOUS: &str = "first";

impl Token {
    /// The text, then the digest of the sources that it holds for, then two check bytes that reveal a mistyped token.
    fn encode(&self, sources: [u8; 4]) -> String {
        let engine = self.engine.name();
        let extent = match self.extent {
            Extent::Cut => "cut".to_owned(),
            Extent::Sampled => "sample".to_owned(),
            Extent::FirstSleepSpurious(None) => FIRST_SPURIOUS.to_owned(),
            Extent::FirstSleepSpurious(Some(preemptions)) => format!("{FIRST_SPURIOUS}{preemptions}"),
            Extent::Bounded(preemptions) => preemptions.to_string(),
            Extent::Complete => "all".to_owned(),
        };
        let execution = match &self.execution {
            Execution::Nth(number) => number.to_string(),
            Execution::Scheduled(steps) => format!("{BY_STEPS}{steps}"),
        };
        let scenario = self.scenario.to_string().replace(" | ", "|").replace(" ; ", ";");
        let said = [format!("{engine} {extent} {execution} {scenario}").as_bytes(), &sources].concat();
        BASE64URL_NOPAD.encode(&[&said[..], &first_bytes::<2, _>([&said[..]])].concat())
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.encode(sources_digest()))
    }
}

impl FromStr for Token {
    type Err = String;

    fn from_str(token: &str) -> Result<Self, String> {
        let malformed = || "this is not a replay token: copy all of it, as it was printed".to_owned();
        let bytes = BASE64URL_NOPAD.decode(token.trim().as_bytes()).map_err(|_| malformed())?;
        let whole = bytes.split_last_chunk::<2>().filter(|(said, check)| first_bytes([said]) == **check);
        let (text, made_for) = whole.and_then(|(said, _)| said.split_last_chunk::<4>()).ok_or_else(malformed)?;
        let text = std::str::from_utf8(text).map_err(|_| malformed())?;
        let words: Vec<&str> = text.splitn(4, ' ').collect();
        let [engine, extent, execution, scenario] = words[..] else { return Err(malformed()) };
        if *made_for != sources_digest() {
            return Err(format!(
                "this token names an execution of other sources: core, facade, player, loom or shuttle has changed; \
                 run `cargo verify scenario '{scenario}'` for a new one"
            ));
        }
        let extent = match extent {
            "cut" => Extent::Cut,
            "sample" => Extent::Sampled,
            FIRST_SPURIOUS => Extent::FirstSleepSpurious(None),
            "all" => Extent::Complete,
            bounded => {
                let spurious = bounded.strip_prefix(FIRST_SPURIOUS);
                let preemptions = spurious.unwrap_or(bounded).parse().map_err(|_| malformed())?;
                spurious.map_or(Extent::Bounded(preemptions), |_| Extent::FirstSleepSpurious(Some(preemptions)))
            }
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
        assert_eq!(token.encode(sources_digest()).parse(), Ok(token.clone()));
        let refused = token.encode([0; 4]).parse::<Token>().expect_err("other sources");
        assert!(refused.contains("other sources") && refused.contains("cargo verify scenario 'a;C|A'"), "{refused}");
    }
}
