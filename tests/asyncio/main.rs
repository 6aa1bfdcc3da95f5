//! CPython as the oracle: random programs show the same events as on asyncio (P22). A plain model of the loop is a
//! second oracle, and each oracle checks the other.
//!
//! Where the events differ, whendone departs on purpose: then asyncio with our decisions applied, each at its place
//! and by its number, must show the same events, and plain asyncio the same until the first decision.
//!
//! `PROPTEST_CASES` sets the number of programs, `WHENDONE_PYTHON` the interpreter. A failure shrinks, and
//! prints a line for `kept.txt`.
#![cfg(feature = "event-loop")]

mod oracle;
mod program;
mod random;

use oracle::{Oracle, Shown, tell};
use program::{EVENTS, Program, check, decode};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use random::programs;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::{env, fmt, fs};

/// The decisions by which whendone departs from asyncio, and which random programs show.
const DECIDED: [&str; 7] = ["D10", "D17", "D18", "D3", "D4", "D7", "D8"];

/// A departure that random programs show too rarely to count on; `kept.txt` has one.
const RARE: [&str; 1] = ["D19"];

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/asyncio/oracle.py")
}

/// P22; R12, R13, R15, R17, R19, R25-R27, R30-R39, R42-R44, R46, R49-R52, R54, R55, R57, R60-R62, R72, R75, R76, R87,
/// and D3, D4, D7, D8, D10, D17, D18, D19.
#[test]
fn random_programs_show_what_asyncio_shows() {
    let Some(mut oracle) = Oracle::start(&script()) else { return };
    let default = Config { failure_persistence: None, ..Config::default() };
    let config = match env::var_os("PROPTEST_CASES") {
        Some(_) => default,
        None => Config { cases: 20_000, ..default },
    };
    let is_full = config.cases >= 20_000;
    let (tally, failed) = compare_random(&mut oracle, TestRunner::new(config));
    if let Some(why) = failed {
        panic!("after {} programs: {why}", tally.programs);
    }
    tell(&format!("whendone shows what {} shows: {tally}", oracle.version));
    if is_full {
        assert!(tally.distinct.len() >= 2000, "{tally}");
        assert!(tally.kinds.keys().eq(EVENTS.split(' ')), "{:?}", tally.kinds);
        assert!(DECIDED.iter().all(|number| tally.departures.contains_key(*number)), "{tally}");
    }
}

/// P22: programs that once failed, and small ones that show each departure.
#[test]
fn kept_programs_depart_from_asyncio_exactly_as_recorded() {
    let Some(mut oracle) = Oracle::start(&script()) else { return };
    let mut shown = BTreeSet::new();
    for line in include_str!("kept.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (departures, text) = line.split_once(' ').expect("departures and a program");
        let program = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {line}"));
        let compared = compare(&mut oracle, &program).unwrap_or_else(|why| panic!("{why}"));
        let expected: BTreeSet<String> = departures.split(',').filter(|at| *at != "none").map(str::to_owned).collect();
        assert_eq!(compared.departures, expected, "{line}");
        shown.extend(expected);
    }
    assert!(DECIDED.iter().chain(&RARE).all(|number| shown.contains(*number)), "{shown:?}");
}

/// P22: the oracles agree on the fuzzer's seeds too.
#[test]
fn the_fuzzers_seeds_show_what_asyncio_shows() {
    let Some(mut oracle) = Oracle::start(&script()) else { return };
    for seed in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/event_loop")).expect("there are") {
        let path = seed.expect("readable").path();
        let program = decode(&fs::read(&path).expect("readable"));
        compare(&mut oracle, &program).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    }
}

/// The comparison can fail: it does so on asyncio with one line of the script changed.
#[test]
fn an_oracle_with_one_line_altered_is_noticed() {
    let right = fs::read_to_string(script()).unwrap();
    let altered = [
        (
            "newest first",
            "future.add_done_callback(callback)",
            "[future.add_done_callback(at) for at in [callback] + [at for at, _ in future._callbacks or [] if future.remove_done_callback(at)]]",
        ),
        (
            "late callbacks a turn later",
            "future.add_done_callback(callback)",
            "self.loop.call_soon(future.add_done_callback, callback) if future.done() else future.add_done_callback(callback)",
        ),
        ("only one removed", "future.remove_done_callback(shared)", "min(1, future.remove_done_callback(shared))"),
        ("two turns for each turn", "self.note(\"turn\")", "await asyncio.sleep(0) or self.note(\"turn\")"),
        ("a departure without its number", "self.player.departs(\"D10\")", "True"),
        ("panics taken for values", "isinstance(error, Failed) and ", ""),
    ];
    for (name, find, replace) in altered {
        assert_eq!(right.matches(find).count(), 1, "{find}");
        let script = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.py", name.replace(' ', "_")));
        fs::write(&script, right.replace(find, replace)).unwrap();
        let Some(mut oracle) = Oracle::start(&script) else { return };
        let config = Config { cases: 5000, max_shrink_iters: 0, failure_persistence: None, ..Config::default() };
        let runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let (tally, failed) = compare_random(&mut oracle, runner);
        assert!(failed.is_some(), "{name}: not noticed: {tally}");
        println!("{name}: noticed after {} programs", tally.programs);
    }
}

/// Plays random programs until one fails, and shrinks that one.
fn compare_random(oracle: &mut Oracle, mut runner: TestRunner) -> (Tally, Option<String>) {
    let (oracle, tally) = (RefCell::new(oracle), RefCell::new(Tally::default()));
    let ran = runner.run(&programs(), |program| {
        let compared = compare(&mut oracle.borrow_mut(), &program);
        tally.borrow_mut().count(&compared);
        compared.map(drop).map_err(TestCaseError::fail)
    });
    let failed = ran.err().map(|error| match error {
        TestError::Fail(why, _) => why.to_string(),
        TestError::Abort(why) => why.to_string(),
    });
    (tally.into_inner(), failed)
}

struct Compared {
    trace: Vec<String>,
    departures: BTreeSet<String>,
}

/// Plays a program on whendone, on the plain model and on asyncio. The first two must show the same events, and so must
/// asyncio, except where a decision explains the difference.
fn compare(oracle: &mut Oracle, program: &Program) -> Result<Compared, String> {
    let trace = check(program)?.trace;
    let asyncio = oracle.play(program, false).trace;
    if asyncio == trace {
        return Ok(Compared { trace, departures: BTreeSet::new() });
    }
    let Shown { trace: departing, departures } = oracle.play(program, true);
    let before = departures.first().and_then(|(_, at)| asyncio.get(..*at));
    if departing == trace && before.is_some_and(|before| trace.starts_with(before)) {
        return Ok(Compared { trace, departures: departures.into_iter().map(|(number, _)| number).collect() });
    }
    let text = serde_json::to_string(program).unwrap();
    let (version, [ours, asyncio, departing]) =
        (&oracle.version, [trace, asyncio, departing].map(|trace| trace.join(", ")));
    Err(format!("{text}\n  whendone: {ours}\n  {version}: {asyncio}\n  departing in {departures:?}: {departing}"))
}

#[derive(Default)]
struct Tally {
    /// True once a program has failed; further programs come from its shrinking.
    over: bool,
    programs: usize,
    distinct: HashSet<Vec<String>>,
    kinds: BTreeMap<String, usize>,
    departing: usize,
    departures: BTreeMap<String, usize>,
}

impl Tally {
    fn count(&mut self, compared: &Result<Compared, String>) {
        self.over |= compared.is_err();
        let Ok(Compared { trace, departures }) = compared else { return };
        if self.over {
            return;
        }
        self.programs += 1;
        for event in trace {
            let kind = event.split(' ').next().expect("a word").to_owned();
            *self.kinds.entry(kind).or_default() += 1;
        }
        self.distinct.insert(trace.clone());
        self.departing += usize::from(!departures.is_empty());
        for number in departures {
            *self.departures.entry(number.clone()).or_default() += 1;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (programs, distinct, events) = (self.programs, self.distinct.len(), self.kinds.values().sum::<usize>());
        write!(f, "{programs} programs, {distinct} distinct traces, {events} events of {} kinds", self.kinds.len())?;
        write!(f, "; {} depart:", self.departing)?;
        self.departures.iter().try_for_each(|(number, programs)| write!(f, " {number} in {programs}"))
    }
}
