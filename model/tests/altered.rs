//! Evidence from the engines, altered: the check of the outcomes and the check of the histories refuse it.

use whendone_model::check::{assert_race, check};
use whendone_model::engines::Extent;
use whendone_model::engines::catalog::Engine;
use whendone_model::engines::threads::timed::execution;
use whendone_model::observation::Answer;
use whendone_model::observation::event::Event;
use whendone_model::observation::history::History;
use whendone_model::scenario::Scenario;
use whendone_model::scenario::names::Value;

/// The check can fail in each of its ways.
#[test]
fn the_check_fails_if_anything_is_extra_missing_broken_or_not_executed() {
    let scenario: Scenario = "a ; C | R0".parse().expect("well formed");
    let observed = Engine::LoomMutex.observe(&scenario);
    assert!(check(&scenario, true, &observed).is_good());

    let mut fewer = observed.clone();
    fewer.observations.pop_first();
    assert!(!check(&scenario, true, &fewer).is_good(), "missing");
    assert!(check(&scenario, false, &fewer).is_good(), "may be missing on an engine that need not be complete");

    let mut more = observed.clone();
    let mut wrong = more.observations.keys().next().expect("there are some").clone();
    wrong.handed.reverse();
    wrong.answers.reverse();
    more.observations.insert(wrong, 1);
    assert!(!check(&scenario, false, &more).is_good(), "extra");

    let mut broken = observed.clone();
    broken.broken.insert("P13: for example".to_owned(), 1);
    assert!(!check(&scenario, false, &broken).is_good(), "broken");

    let mut cut = observed.clone();
    cut.extent = Extent::Cut;
    assert!(!check(&scenario, false, &cut).is_good(), "not explored to its end");
    assert!(!check(&scenario, false, &Default::default()).is_good(), "not executed");
}

/// A test of races plays what it says, or fails.
#[test]
#[should_panic(expected = "`Y` is not an operation")]
fn a_malformed_race_is_refused() {
    assert_race("a ; C | Y");
}

/// A history of one thread has one explanation. With another answer, or with a hand-over added, removed or moved, it has
/// none.
#[test]
fn a_sequential_history_has_no_other_answers_and_hand_overs() {
    for program in
        ["abb ; A B Rm G T R0 R0 A B R3 Rf T A C G A Rm X R0 T A", "@inline aa ; A P R0 A P Rm X D P A Rm Q A"]
    {
        let scenario: Scenario = program.parse().expect("well formed");
        let (_, whole) = execution(&scenario).expect("it is linearizable");
        let altered = (0..whole.events.len()).flat_map(|at| alter(&whole, at));
        let altered: Vec<History> = altered.collect();
        assert!(altered.len() > 20, "{}", altered.len());
        for history in altered {
            assert!(history.check().is_err(), "{history}");
        }
    }
}

/// Variants of the history at this ticket: with another answer; without the hand-over, with it twice, and with it last.
fn alter(whole: &History, at: usize) -> Vec<History> {
    let with = |event: Event| {
        let mut history = whole.clone();
        history.events[at].1 = event;
        history
    };
    let mut less = whole.clone();
    match &whole.events[at].1 {
        Event::Ends(step, Some(Answer::Did(did))) => vec![with(Event::Ends(*step, Some(Answer::Did(!did))))],
        Event::Ends(step, Some(Answer::Count(count))) => vec![with(Event::Ends(*step, Some(Answer::Count(count + 1))))],
        Event::Ends(step, Some(Answer::Outcome(outcome))) => {
            let other = outcome.is_none().then_some(Value::Cancelled);
            vec![with(Event::Ends(*step, Some(Answer::Outcome(other))))]
        }
        Event::Enters(_) => {
            let both: Vec<_> = less.events.drain(at..at + 2).collect();
            let (mut twice, mut last) = (whole.clone(), less.clone());
            twice.events.splice(at..at, both.clone());
            last.events.extend(both);
            vec![less, twice, last]
        }
        _ => Vec::new(),
    }
}
