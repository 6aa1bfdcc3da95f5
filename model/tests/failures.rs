//! Failures as a person reads them: each is shrunk, drawn as a diagram, and found again by its token.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use whendone_model::check::assert_race;
use whendone_model::counterexample::Counterexample;
use whendone_model::counterexample::shrink::shrink;
use whendone_model::counterexample::token::{Execution, Token};
use whendone_model::engines::catalog::Engine;
use whendone_model::engines::record::recorder::watch;
use whendone_model::engines::{Extent, loom::explore};
use whendone_model::observation::Answer;
use whendone_model::project::sources::{LOOM, SHUTTLE, SOURCES};
use whendone_model::scenario::{Op, Scenario};
use whendone_model::spec::allowed::allowed;

fn scenario(text: &str) -> Scenario {
    text.parse().unwrap_or_else(|malformed| panic!("{malformed}"))
}

/// The text without its token, and the token.
fn cut_token(text: &str) -> (String, String) {
    let (before, rest) = text.split_once("replay: ").expect("there is a token");
    let (token, after) = rest.split_once('\n').expect("on a line that ends");
    (format!("{before}replay: <token>\n{after}"), token.to_owned())
}

const ONE_AFTER_THE_OTHER: &str = "\
1 of 1   a ; C | A   1 switch   replay: <token>
true | - -> a b saw v0
     setup, T0: C                      |  T1: A                   | queue  phase
  1  add a [a waits]                   |                          | a      Pending
                                       |                          |
  2  complete v0 [publishes, takes a]  |                          | -      Draining
  3    * a runs, sees v0               |                          |
  4    [none left] -> true             |                          | -      Settled
  5                                    |  add b [owes the drain]  | -      Draining
  6                                    |    * b runs, sees v0     |
  7                                    |    [none left]           | -      Settled
";

#[test]
fn an_allowed_outcome_is_shown_by_the_execution_with_the_fewest_switches() {
    let witnesses = Counterexample::witnesses(&scenario("a ; C | A"));
    let texts: Vec<String> = witnesses.iter().map(|witness| cut_token(&witness.to_string()).0).collect();
    assert_eq!(texts, [ONE_AFTER_THE_OTHER]);
}

#[test]
fn each_allowed_outcome_has_an_execution_that_shows_it() {
    let programs = ["@inline a{y.X} y.a{G !} ; C | R0", "@queue a{A}~{G} ; C |"];
    for text in ["aa ; C | A R0", "@queue a ; C | P", "@inline ; D | A P Q", "b ; T | C"].into_iter().chain(programs) {
        let scenario = scenario(text);
        let witnesses = Counterexample::witnesses(&scenario);
        assert_eq!(witnesses.len(), allowed(&scenario).len());
        assert!(witnesses.iter().all(Counterexample::has_execution), "{text}");
    }
}

/// `cargo verify` explores under loom to check itself, and then plays on the engine that was asked for.
#[test]
fn an_engine_without_a_model_plays_after_one_that_has_one() {
    explore::explore(|| ()).expect("nothing is wrong");
    for engine in [Engine::Alone, Engine::Threads] {
        let verdict = engine.check(&scenario("aa ; C | A"));
        assert!(verdict.is_good(), "{}: {verdict}", engine.name());
    }
}

#[test]
fn an_engine_that_cannot_play_a_scenario_says_who_can() {
    let refusals = [
        (Engine::ShuttleEvery, "@panic a ; C | A", "loom-mutex or threads"),
        (Engine::ShuttleRandom, "@panic{A} a ; C | A", "loom-mutex or threads"),
        (Engine::ShuttlePct, "; A", "alone"),
        (Engine::ShuttleEvery, "@inline ; ! C", "threads"),
        (Engine::LoomMutex, "@inline ; ! C | A", "threads"),
        (Engine::Threads, "@loop{v} ; L | A", "sections, loom-mutex, loom-atomic or loom-bounded"),
        (Engine::Sections, "@inline ; ! C | A", "threads"),
        (Engine::Tickets, "@queue{A} a ; C | A", "threads"),
        (Engine::LoomMutex, "; A | A | A | A | A", "sections, shuttle-random, shuttle-pct or threads"),
        (Engine::LoomFutex, "@inline ; C | A", "sections or loom-atomic"),
        (Engine::LoomFutex, "; C | A | A", "sections or loom-atomic"),
        (Engine::LoomFutex, "; C | A | A | A | A", "sections"),
        (Engine::LoomFutex, "@loop{v} ; L | A", "sections, loom-mutex, loom-atomic or loom-bounded"),
        (Engine::LoomFutex, "@inline ; ! C | A", "threads"),
    ];
    for (engine, text, able) in refusals {
        let refused = engine.objection(&scenario(text)).unwrap_or_default();
        assert!(refused.ends_with(&format!("play it with --engine {able}")), "{text}: {refused}");
        assert_eq!(engine.observe(&scenario(text)).executions, 0, "{text}");
    }
}

/// A text that cannot be played fails.
#[test]
#[should_panic(expected = "`Y` is not an operation")]
fn a_malformed_race_is_refused() {
    assert_race("a ; C | Y");
}

#[test]
fn the_program_of_a_scheduler_is_shrunk_too() {
    let cancels = |scenario: &Scenario| scenario.scheduling.contains(&Op::Cancel);
    assert_eq!(shrink(&scenario("@queue{A X} aa ; C | A"), cancels).to_string(), "@queue{X} ;");
}

#[test]
fn watching_an_engine_does_not_change_its_executions() {
    for (engine, text) in [(Engine::LoomMutex, "a ; C | A R0"), (Engine::LoomAtomic, "@inline a ; C | P")] {
        let scenario = scenario(text);
        let alone = engine.observe(&scenario);
        let watched = scenario.clone();
        let (seen, traces) = watch(|| engine.observe(&watched), |trace| Some(trace.number));
        assert_eq!(alone.observations, seen.observations);
        assert_eq!(alone.executions, seen.executions);
        assert_eq!(traces.keys().copied().collect::<Vec<_>>(), (1..=alone.executions).collect::<Vec<_>>());
    }
}

#[test]
fn a_token_brings_its_execution_back() {
    for witness in Counterexample::witnesses(&scenario("aa ; C | A R0 | G")) {
        let text = witness.to_string();
        let (_, token) = cut_token(&text);
        let safe = token.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter));
        assert!(safe && !token.starts_with('-'), "{token}");
        let again = Counterexample::of_token(&token.parse().expect("just made")).expect("it is there").to_string();
        let table = text.split_once('\n').and_then(|(_, rest)| rest.split_once('\n')).expect("three parts").1;
        assert!(again.starts_with("ok   aa ; C | A R0 | G") && again.contains(table), "{text}\n{again}");
        assert_eq!(cut_token(&again).1, token);
    }
}

/// The executions without a spurious wake-up and those with one are numbered together.
#[test]
fn a_token_of_stds_locks_brings_its_execution_back() {
    let scenario = scenario("a ; C | R0");
    let (all, extent) = (Engine::LoomFutex.observe(&scenario).executions, Extent::FirstSleepSpurious(None));
    for number in [1, all / 2, all] {
        let execution = Execution::Nth(number);
        let token = Token { scenario: scenario.clone(), engine: Engine::LoomFutex, extent, execution };
        assert_eq!(token.to_string().parse(), Ok(token.clone()));
        let again = Counterexample::of_token(&token).expect("it is there").to_string();
        assert!(again.starts_with("ok   a ; C | R0") && cut_token(&again).1 == token.to_string(), "{again}");
    }
}

/// The engine that failures of `sections` are drawn from.
#[test]
fn a_token_of_sections_brings_its_execution_back() {
    for execution in [1, 3] {
        let execution = Execution::Nth(execution);
        let engine = Engine::SectionsPlain;
        let token = Token { scenario: scenario("a ; C | A R0"), engine, extent: Extent::Complete, execution };
        let again = Counterexample::of_token(&token).expect("it is there").to_string();
        assert!(again.starts_with("ok   a ; C | A R0") && cut_token(&again).1 == token.to_string(), "{again}");
    }
}

#[test]
fn a_malformed_token_is_refused() {
    let token = Token {
        scenario: scenario("a ; C | A"),
        engine: Engine::LoomMutex,
        extent: Extent::Complete,
        execution: Execution::Nth(7),
    };
    let text = token.to_string();
    assert_eq!(text.parse(), Ok(token.clone()));
    let mut mistyped = text.clone();
    mistyped.replace_range(8..9, if &text[8..9] == "x" { "y" } else { "x" });
    for wrong in ["", "a", "a ; C | A", &text[1..], &text[..text.len() - 1], &mistyped] {
        let refused = wrong.parse::<Token>().expect_err(wrong);
        assert_eq!(refused, "this is not a replay token: copy all of it, as it was printed", "{wrong}");
    }
}

#[test]
fn a_token_of_a_nonexistent_execution_is_refused() {
    let token = Token {
        scenario: scenario("; C | A"),
        engine: Engine::LoomMutex,
        extent: Extent::Complete,
        execution: Execution::Nth(999),
    };
    let elsewhere = Token { extent: Extent::Bounded(2), execution: Execution::Nth(1), ..token.clone() };
    for token in [token, elsewhere] {
        let refused = Counterexample::of_token(&token).err().expect("refused");
        assert!(refused.starts_with("this token names no execution: the scenario has "), "{refused}");
    }
}

/// Everything that the number of an execution depends on is in the digest of a token.
#[test]
fn a_token_knows_all_its_sources() {
    let lock = include_str!("../../Cargo.lock");
    assert!(lock.contains(&format!("name = \"loom\"\nversion = \"{LOOM}\"")), "adapt LOOM to Cargo.lock");
    let shuttle = format!("name = \"shuttle\"\nversion = \"{SHUTTLE}\"");
    assert!(lock.contains(&shuttle), "adapt SHUTTLE to Cargo.lock");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = ["src", "src/event_loop", "model/src/scenario"].into_iter().map(str::to_owned);
    let engines = ["", "/futex", "/loom", "/player", "/record", "/sections", "/shared", "/shuttle"]
        .map(|folder| format!("model/src/engines{folder}"));
    for folder in folders.chain(engines) {
        let entries = fs::read_dir(root.join(&folder)).expect("the folder is there");
        let names = entries.map(|entry| entry.expect("readable").file_name().into_string().expect("plain names"));
        let files: Vec<String> =
            names.filter(|name| name.ends_with(".rs")).map(|name| format!("{folder}/{name}")).collect();
        assert!(!files.is_empty(), "{folder} has sources");
        // The crate's root and its facade are not compiled by any engine.
        for file in files.iter().filter(|file| !["src/lib.rs", "src/sync.rs"].contains(&file.as_str())) {
            assert!(SOURCES.iter().any(|(known, _)| known == file), "{file} is missing in project/sources.rs");
        }
    }
}

#[test]
fn shrinking_leaves_out_everything_that_is_not_needed() {
    let adds_late = |scenario: &Scenario| allowed(scenario).iter().any(|seen| seen.handed.len() > scenario.setup.len());
    assert_eq!(shrink(&scenario("@queue aaa ; C G | A R1 | G"), adds_late).to_string(), "; C | A");
    // Numbers follow what they name.
    let removes = |scenario: &Scenario| {
        allowed(scenario).iter().flat_map(|seen| &seen.answers).flatten().any(|answer| *answer == Answer::Did(true))
    };
    let removes_one = |scenario: &Scenario| removes(scenario) && !scenario.to_string().contains(['C', 'X']);
    assert_eq!(shrink(&scenario("aba ; A G | A B R4 A R5"), removes_one).to_string(), "; A R0");
    assert_eq!(shrink(&scenario("aba ; G | A S1 | W1 R2"), removes_one).to_string(), "a ; R0");
    let tells = |scenario: &Scenario| allowed(scenario).iter().any(|seen| !seen.told.is_empty());
    let found = scenario("@inline a{A y.X} y.a{G !} a~{G} ; C | R3");
    assert_eq!(shrink(&found, tells).to_string(), "@inline a{y.X} y.a{!} ; C");
    let smallest: BTreeSet<String> =
        ["a ; G", "; A | G"].map(|text| shrink(&scenario(text), |_| true).to_string()).into();
    assert_eq!(smallest, BTreeSet::from([";".to_owned()]));
}
