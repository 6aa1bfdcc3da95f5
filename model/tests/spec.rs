//! The specification: its answers step by step, and its sets of allowed observations.

use whendone_model::scenario::Scenario;
use whendone_model::scenario::names::Value;
use whendone_model::spec::allowed::{allowed, is_listed, known, those_allowed};
use whendone_model::spec::cell::Spec;

fn printed(text: &str) -> Vec<String> {
    let scenario: Scenario = text.parse().expect("well formed");
    allowed(&scenario).iter().map(ToString::to_string).collect()
}

/// P1, P2, P6, P7, P9, P11
#[test]
fn the_page_holds_step_by_step() {
    let mut spec = Spec::new();
    spec.add(0, false);
    spec.add(1, true);
    spec.add(2, true);
    assert!(spec.add_waiting(3));
    assert!(spec.remove(0), "it is waiting");
    assert!(!spec.remove(0), "it is gone");
    assert!(spec.replace(3, 8) && !spec.replace(0, 9));
    assert_eq!((spec.outcome(), spec.scheduled()), (None, [].as_slice()), "nothing is scheduled early");
    assert!(spec.complete(Value::Finished(7)));
    assert!(!spec.complete(Value::Cancelled), "only the first completion counts");
    assert_eq!(spec.outcome(), Some(Value::Finished(7)));
    spec.add(4, true);
    assert!(!spec.remove(4) && !spec.add_waiting(5) && !spec.replace(3, 9));
    assert!(spec.remove_all().is_empty());
    assert_eq!(spec.scheduled(), [1, 2, 8, 4], "a replaced callback keeps its place");
}

#[test]
fn a_race_has_exactly_the_expected_outcomes() {
    assert_eq!(printed("a ; C | R0"), ["true | false -> a saw v0", "true | true ->"]);
    assert_eq!(printed("; C | X"), ["false | true ->", "true | false ->"]);
    assert_eq!(printed("b ; T | R0"), ["0 | true ->", "1 | false ->"]);
    assert_eq!(printed("; C S1 | W1 G"), ["true | v0 ->"], "a signal orders the completion before the read");
    assert_eq!(printed("C ; A | A"), ["- | - -> a b saw v0", "- | - -> b a saw v0"]);
    assert_eq!(
        printed("@inline ; C | P P")[0],
        "true | pending, pending -> b saw nothing",
        "the waker of the last poll"
    );
    assert_eq!(printed("@inline ; C | P"), ["true | pending -> a saw nothing", "true | v0 ->"]);
}

/// Programs of callbacks: their order, their effect and their reports.
#[test]
fn a_callbacks_program_shows_the_effects_of_its_scheduler() {
    assert_eq!(printed("a{A R1}a~{G} ; R2 C"), ["true, true -> ~c{pending} a{false} b saw v0"]);
    assert_eq!(printed("@inline a{y.C} y.a ; C"), ["true -> a{true} saw v1 b saw v0"]);
    assert_eq!(
        printed("@inline a{y.C z.C} y.a z.a ; C"),
        ["true -> a{true, true} saw v2 b saw v0 c saw v1"],
        "deferred drains keep their order"
    );
    assert_eq!(
        printed("@inline a ; C | y.A y.C"),
        [
            "true | true -> a saw v0 b saw v1",
            "true | true -> a saw v0 b amid a saw v1",
            "true | true -> b saw v1 a saw v0",
            "true | true -> b saw v1 a amid b saw v0"
        ],
        "callbacks of two tasks may overlap"
    );
    assert_eq!(printed("@queue a ; C | y.A y.C").len(), 2, "but not on the queue, which runs them one after the other");
    assert_eq!(printed("@refuse a~{A}a ; C"), ["true -> ~a; told: x lost a callback 3 times"]);
    assert_eq!(printed("@panic a ; C"), ["true ->; told: x lost a callback, the scheduler of x panicked"]);
    assert_eq!(printed("@inline a{!}a ; C"), ["true -> a b saw v0; told: a panicked"]);
    assert_eq!(printed("@inline a~{!} ; R0"), ["true -> ~a; told: the drop of a panicked"]);
    assert_eq!(printed("@inline ; P^{A}~{G} Q C"), ["pending, true -> ^a ~a{pending} b saw v0"]);
    assert_eq!(printed("@inline ; P^{!} | C"), ["v0 | true ->", "panicked | true -> ^a"]);
    assert_eq!(printed("@inline ; P P^{A !} C"), ["pending, panicked, true -> ^b a saw nothing c saw v0"]);
    assert_eq!(printed("@inline ; P P J0 C"), ["pending, pending, pending, true -> a saw nothing"]);
    assert_eq!(printed("@inline ; P X Jm"), ["pending, true, cancelled -> a saw nothing"]);
    assert_eq!(printed("@inline ; P ! Q C"), ["pending, true ->"]);
    assert_eq!(printed("; V | C"), ["pending | true ->", "v0 | true ->"]);
}

/// Among observations of a large scenario, those of executions that have not ended are not allowed.
#[test]
fn the_beginning_of_an_allowed_observation_is_not_allowed() {
    let scenario: Scenario = "; G | C".parse().expect("well formed");
    let whole = allowed(&scenario);
    assert_eq!(those_allowed(&scenario, whole.iter()), whole);
    for mut observation in whole {
        observation.answers[0].clear();
        assert!(those_allowed(&scenario, [&observation].into_iter()).is_empty(), "{observation}");
    }
}

/// Finds an allowed observation if it alone was seen.
#[test]
fn each_allowed_observation_is_found_by_itself() {
    let plain =
        ["aa ; C | A R0 | G", "ba ; A C | T A | R1", "; A | A | A | C", "@queue a ; P C | A P", "@inline ; P V | A C"];
    let programs = [
        "@inline a{A} ; C | A G",
        "@queue a{G} ; C | A | R0",
        "@refuse a ; C | A | G",
        "@inline y.a a ; y.C | C | y.A",
    ];
    for text in plain.into_iter().chain(programs) {
        let scenario: Scenario = text.parse().expect("well formed");
        let whole = allowed(&scenario);
        assert!(whole.len() > 1, "{text}");
        for one in &whole {
            assert!(those_allowed(&scenario, [one].into_iter()).iter().eq([one]), "{text}: {one}");
        }
    }
}

/// The check knows the whole set of a program that is small enough, and of a larger one what was seen of it.
#[test]
fn all_allowed_observations_of_up_to_four_threads_and_ten_operations_are_known() {
    let listed = |text: &str| is_listed(&text.parse().expect("well formed"));
    assert!(listed("; A A A A A A A A A A C"), "of one thread, any number");
    assert!(listed("; A A A A | A A A A | A | C") && !listed("; A A A A | A A A A | A | A C"));
    assert!(!listed("; A | A | A | A | C") && !listed("; A A A A A A | A A A A C"));
    for (text, whole) in [("; G | C", true), ("; G | A | A | A | C", false)] {
        let scenario: Scenario = text.parse().expect("well formed");
        let allowed = allowed(&scenario);
        let seen = allowed.first().into_iter();
        assert!(allowed.len() > 1);
        assert_eq!(known(&scenario, seen.clone()), if whole { allowed.clone() } else { seen.cloned().collect() });
    }
}

/// R55, P16, P17, D4, D8
#[test]
fn the_page_for_the_loop_allows_exactly_the_stated_outcomes() {
    let poll = "poll saw nothing";
    assert_eq!(
        printed("@loop{kv} ; L"),
        [format!("- | v0 -> poll {poll}")],
        "a wake during the poll leads to another poll"
    );
    assert_eq!(printed("@loop{v} ; X L"), ["true | cancelled ->"], "never polled");
    let told = "told: x lost a callback, a task was abandoned";
    assert_eq!(printed("@loop{v} a ; Z"), [format!("1 | abandoned ->; {told}, closed before 1 had run")]);
    assert_eq!(
        printed("@loop{v} ; L | N S1 | W1 N"),
        ["- | true | true | v0 -> poll saw nothing a b saw v0"],
        "a signal orders what two threads push"
    );
    assert_eq!(printed("@loop{v} ; Z N"), [format!("0, false | abandoned ->; {told}")], "refused, and reported");
    assert_eq!(printed("@loop{!} ; L"), [format!("- | panicked -> {poll}; told: a panic was never retrieved")]);
    assert_eq!(printed("@loop{!} ; L G"), [format!("panicked | panicked -> {poll}")], "the read retrieves the panic");
    assert_eq!(printed("@loop{zv} ; L M"), printed("@loop{p} ; L M"), "without a sleep no time passes");
    assert_eq!(
        printed("@loop{v} ; L | X"),
        [
            format!("- | false | v0 -> {poll}"),
            "- | true | cancelled ->".to_owned(),
            format!("- | true | cancelled -> {poll}"),
        ],
        "a cancel is granted before the poll, or during the poll, where it overrides the value"
    );
}

/// P16, P17, R32, D26
#[test]
fn the_page_for_the_timers_allows_exactly_the_stated_outcomes() {
    assert_eq!(printed("@loop{v} ; L | I1 U1"), ["- | false | v0 -> poll a saw nothing"], "time waits for the thread");
    assert_eq!(
        printed("@loop{v} ; L | I1 I0 U0 O1"),
        ["- | false, false | v0 -> b poll saw nothing", "- | false, false | v0 -> poll b saw nothing"],
        "the longer nap is dropped before its time has passed"
    );
    let told = "told: a task was abandoned";
    assert_eq!(
        printed("@loop{v} ; Z | I1 I1"),
        [
            format!("0 | false, false | abandoned -> b saw nothing; {told}"),
            format!("0 | false, true | abandoned -> a saw nothing; {told}"),
            format!("0 | true, true | abandoned ->; {told}"),
        ],
        "the last waker is woken, at the close at the latest; afterwards every nap is over"
    );
}

/// D5, D8, D10, P14
#[test]
fn a_future_is_dropped_before_its_task_is_done() {
    assert_eq!(printed("@loop{v}~{G} ; L"), ["- | v0 -> poll saw nothing ~poll{pending}"]);
    assert_eq!(
        printed("@loop{v}{X}~{X} ; L"),
        ["- | cancelled -> poll{true} saw nothing ~poll{true}"],
        "a request is granted until then"
    );
    let never = "told: a panic was never retrieved";
    assert_eq!(printed("@loop{v} ; F{!} L"), [format!("- | v0 -> poll saw nothing a saw v0; {never}")]);
    let told = "told: the drop of a panicked, a task was abandoned 2 times";
    assert_eq!(printed("@loop{v} ; Z | F~{!}"), [format!("0 | - | abandoned -> ~a; {told}")], "refused or left");
}
