//! CPython as the oracle: random programs show, event by event, what asyncio shows (P22).
//!
//! Where they do not, whendone departs on purpose: then asyncio with our decisions put in, each where it
//! is taken and by its number, must show the same, and asyncio as it is the same until the first of them.
//!
//! `PROPTEST_CASES` sets the number of programs, `WHENDONE_PYTHON` the interpreter. A failure shrinks, and
//! prints a line to be kept in `kept.txt`.
#![cfg(feature = "event-loop")]

mod oracle;
mod play;
mod program;

use oracle::{Oracle, tell};
use play::play;
use program::{Program, programs};
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/asyncio/oracle.py")
}

/// Plays it on both sides. Gives our trace and the numbers of the departures that it takes.
fn compare(oracle: &mut Oracle, program: &Program) -> Result<(Vec<String>, BTreeSet<String>), String> {
    let ours = play(program);
    let asyncio = oracle.play(program, false);
    if asyncio.trace == ours {
        return Ok((ours, BTreeSet::new()));
    }
    let departing = oracle.play(program, true);
    let before = departing.departures.first().map_or(ours.len(), |(_, at)| *at);
    let same = departing.trace == ours && asyncio.trace.get(..before) == ours.get(..before);
    if same && !departing.departures.is_empty() {
        return Ok((ours, departing.departures.into_iter().map(|(number, _)| number).collect()));
    }
    let text = serde_json::to_string(program).unwrap();
    let [ours, asyncio, departing_trace] = [&ours, &asyncio.trace, &departing.trace].map(|trace| trace.join(", "));
    Err(format!(
        "{text}\n  whendone   {ours}\n  {:<10} {asyncio}\n  departing  {departing_trace}\n  departures {:?}",
        oracle.version, departing.departures
    ))
}

/// R12-R57, R60-R62, R72-R77, R87, P22
#[test]
fn random_programs_show_what_asyncio_shows() {
    let Some(oracle) = Oracle::start(&script()) else { return };
    let (oracle, tally) = (RefCell::new(oracle), RefCell::new(Tally::default()));
    let default = Config { failure_persistence: None, ..Config::default() };
    let config = match std::env::var_os("PROPTEST_CASES") {
        Some(_) => default,
        None => Config { cases: 25_000, ..default },
    };
    let cases = config.cases;
    let compared = TestRunner::new(config).run(&programs(), |program| {
        let shown = compare(&mut oracle.borrow_mut(), &program).map_err(TestCaseError::fail)?;
        tally.borrow_mut().count(shown);
        Ok(())
    });
    let tally = tally.into_inner();
    if let Err(error) = compared {
        let TestError::Fail(why, _) = error else { panic!("{error}") };
        panic!("after {} programs: {why}", tally.programs);
    }
    tell(&format!("{}: {tally:?}", oracle.borrow().version));
}

#[derive(Debug, Default)]
struct Tally {
    programs: usize,
    distinct: HashSet<Vec<String>>,
    kinds: BTreeMap<String, usize>,
    departures: BTreeMap<String, usize>,
}

impl Tally {
    fn count(&mut self, (trace, departures): (Vec<String>, BTreeSet<String>)) {
        self.programs += 1;
        for event in &trace {
            *self.kinds.entry(event.split(' ').next().unwrap().to_owned()).or_default() += 1;
        }
        self.distinct.insert(trace);
        for number in departures {
            *self.departures.entry(number).or_default() += 1;
        }
    }
}
