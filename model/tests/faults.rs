//! Failures are named by the property that they break.

use whendone_model::check::fault::Fault;
use whendone_model::observation::{Answer, HandOver, Observation, Told};
use whendone_model::scenario::Scenario;
use whendone_model::scenario::names::{Nonce, POLL, Value};
use whendone_model::spec::allowed::allowed;

fn scenario(text: &str) -> Scenario {
    text.parse().unwrap_or_else(|malformed| panic!("{malformed}"))
}

const V0: Value = Value::Finished(0);
const TRUE: Answer = Answer::Did(true);
const FALSE: Answer = Answer::Did(false);
const PENDING: Answer = Answer::Outcome(None);

fn observation(answers: &[&[Answer]], handed: &[(Nonce, Option<Value>)]) -> Observation {
    let handed = handed.iter().map(|&(nonce, saw)| HandOver::new(nonce, saw)).collect();
    let answers = answers.iter().map(|answers| answers.to_vec()).collect();
    Observation { answers, handed, ..Observation::default() }
}

#[test]
fn a_forbidden_outcome_is_named_by_the_property_that_it_breaks() {
    let a = (0, Some(V0));
    let b = (1, Some(V0));
    let read = |value| Answer::Outcome(Some(value));
    let poll = (POLL, None);
    let cases: [(&str, &[&[Answer]], &[_], &str); 23] = [
        ("; C | C", &[&[TRUE], &[TRUE]], &[], "P1 one completion"),
        ("; C | X", &[&[FALSE], &[FALSE]], &[], "P1 one completion"),
        ("C ; X", &[&[TRUE]], &[], "P1 one completion"),
        ("a ; C", &[&[TRUE]], &[(0, None)], "P2 published first"),
        ("; X | C G", &[&[TRUE], &[FALSE, PENDING]], &[], "P2 published first"),
        ("; X | C G", &[&[TRUE], &[FALSE, read(V0)]], &[], "P2 published first"),
        ("; C | G G", &[&[TRUE], &[read(V0), PENDING]], &[], "P3 monotone"),
        ("a ; C", &[&[TRUE]], &[a, a], "P4 at most once"),
        ("a ; C | A", &[&[TRUE], &[]], &[a], "P5 at least once"),
        ("bb ; C | T", &[&[TRUE], &[Answer::Count(1)]], &[], "P5 at least once"),
        ("a ; A | G", &[&[], &[PENDING]], &[b], "P6 never early"),
        ("a ; C | A", &[&[TRUE], &[]], &[b, a], "P7 FIFO"),
        ("a ; C | R0", &[&[TRUE], &[TRUE]], &[a], "P9 honest remove"),
        ("a ; R0 | R0", &[&[TRUE], &[TRUE]], &[], "P9 honest remove"),
        ("a ; R0", &[&[FALSE]], &[], "P9 honest remove"),
        ("a ; Rf", &[&[TRUE]], &[], "P10 narrow remove"),
        ("@queue ; P | C", &[&[PENDING], &[TRUE]], &[], "P17 no lost wake-up"),
        ("@queue ; P P | C", &[&[PENDING, PENDING], &[TRUE]], &[(0, None)], "P17 no lost wake-up"),
        ("@loop{v} ; L | X G", &[&[], &[FALSE, PENDING], &[read(V0)]], &[poll], "P2 published first"),
        ("@loop{v} a ; L | N", &[&[], &[TRUE], &[read(V0)]], &[poll, (1, Some(V0))], "P5 at least once"),
        ("@loop{v} a ; L | N", &[&[], &[TRUE], &[read(V0)]], &[a, poll, (1, Some(V0))], "P7 FIFO"),
        ("b ; T", &[&[Answer::Count(2)]], &[], "not allowed by the specification"),
        ("@queue ; P Q | C", &[&[read(V0)], &[TRUE]], &[(0, None)], "not allowed by the specification"),
    ];
    for (text, answers, handed, name) in cases {
        let (scenario, extra) = (scenario(text), observation(answers, handed));
        let allowed = allowed(&scenario);
        assert!(!allowed.contains(&extra), "{text}: {extra} is allowed");
        assert_eq!(Fault::of_observation(&scenario, &allowed, &extra).to_string(), name, "{text}: {extra}");
    }
}

/// A callback that was reported to a loop's hook is not missing.
#[test]
fn callbacks_that_a_loop_reports_as_lost_are_not_missed() {
    let scenario = scenario("@loop{v} a ; L");
    let named = |extra: &Observation| Fault::of_observation(&scenario, &allowed(&scenario), extra).to_string();
    let mut extra = observation(&[&[], &[Answer::Outcome(Some(V0))]], &[(POLL, None), (POLL, None)]);
    assert_eq!(named(&extra), "P5 at least once");
    extra.told.insert(Told::Lost(0), 1);
    assert_eq!(named(&extra), "not allowed by the specification");
}

/// The name of an outcome that this change of an allowed one makes.
fn changed(text: &str, change: fn(&mut Observation)) -> String {
    let scenario = scenario(text);
    let allowed = allowed(&scenario);
    let mut extra = allowed.first().expect("there is one").clone();
    change(&mut extra);
    assert!(!allowed.contains(&extra), "{text}: {extra} is allowed");
    Fault::of_observation(&scenario, &allowed, &extra).to_string()
}

/// The answers to callbacks' programs count like those to threads, for each task by itself.
#[test]
fn a_forbidden_outcome_of_a_callbacks_program_is_named_too() {
    assert_eq!(changed("a{R1}a ; C", |seen| seen.handed[0].answers = vec![TRUE]), "P9 honest remove");
    assert_eq!(changed("a{X} ; C", |seen| seen.handed[0].answers = vec![TRUE]), "P1 one completion");
    assert_eq!(changed("@inline a{y.C} y.a ; C", |seen| drop(seen.handed.pop())), "P5 at least once");
    assert_eq!(changed("a{G G} ; C", |seen| seen.handed[0].answers[1] = PENDING), "P3 monotone");
    assert_eq!(changed("@inline a{!} ; C", |seen| seen.told.clear()), "P14 panic containment");
    assert_eq!(changed("@inline a{y.C z.C} y.a z.a ; C", |seen| seen.handed.swap(1, 2)), "P7 FIFO");
}

/// A callback inside another one, and a removal of another task's callback.
#[test]
fn an_outcome_that_differs_from_an_allowed_one_in_one_place_is_named() {
    assert_eq!(changed("aa ; C", |seen| seen.handed[1].amid = vec![0]), "P8 serial");
    assert_eq!(changed("@inline y.a a ; y.C W1 | S1 R0", |seen| seen.answers[1] = vec![TRUE]), "P9 honest remove");
}

/// Nothing but a report is wrong, and no other property is named.
#[test]
fn what_is_right_is_not_taken_for_a_fault() {
    for text in [
        "a ; G",
        "a ; R0 G",
        "bb ; T C",
        "bbb ; T | C",
        "@queue ; P Q | C",
        "@inline ; y.P Q | y.C",
        "@inline y.a a ; y.C | R0 R1",
    ] {
        let scenario = scenario(text);
        let allowed = allowed(&scenario);
        for mut extra in allowed.clone() {
            extra.told.insert(Told::Abandoned, 1);
            let fault = Fault::of_observation(&scenario, &allowed, &extra);
            assert_eq!(fault.to_string(), "P14 panic containment", "{text}: {extra}");
        }
    }
}

#[test]
fn a_broken_rule_is_named_by_its_number() {
    let name = |rule: &str| Fault::of_rule(rule).to_string();
    assert_eq!(name("P13: a called under the lock"), "P13 no user code under lock");
    assert_eq!(name("panicked: deadlock; threads = [(Id(0), Blocked(Location(None)))]"), "P18 progress");
    assert_eq!(name("harness: the probe saw 1 touches, not 2"), "harness: the probe saw 1 touches, not 2");
    assert_eq!(name("of another world"), "of another world");
}
