//! Histories of the engines, altered: the check of the histories refuses them.

use whendone_model::engines::threads::timed::execution;
use whendone_model::observation::Answer;
use whendone_model::observation::event::Event;
use whendone_model::observation::history::History;
use whendone_model::scenario::Scenario;
use whendone_model::scenario::names::Value;

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
