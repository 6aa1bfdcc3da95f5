//! The table of a loop's task, walked on the real state: `src/event_loop/state.rs`, compiled here by itself.

#[path = "../src/event_loop/state.rs"]
mod state;

use state::{Event, Owes, State, TRANSITIONS};
use std::collections::BTreeMap;

const EVENTS: [Event; 4] = [Event::WakeUp, Event::BeginStep, Event::RequestCancel, Event::Finish];

/// R51, R55, D10
#[test]
fn every_row_of_the_table_holds_on_a_real_state() {
    for (before, event, owes, next) in TRANSITIONS {
        let mut state = before;
        assert_eq!((fire(&mut state, event), state), (owes, next), "{before:?} {event:?}");
        assert!(owes != Owes::Nothing || before == next, "{before:?} {event:?} was refused and changes nothing");
    }
}

/// Every state is reached from a spawned task by events alone. A failure prints the path to its state.
#[test]
fn every_state_is_reached_and_has_one_row_for_each_event() {
    let mut reached = BTreeMap::from([(format!("{:?}", State::default()), State::default())]);
    let mut open = vec![State::default()];
    while let Some(state) = open.pop() {
        for event in EVENTS {
            let rows = TRANSITIONS.iter().filter(|row| (row.0, row.1) == (state, event)).count();
            assert_eq!(rows, 1, "{state:?} {event:?}");
            let mut next = state;
            let _ = fire(&mut next, event);
            if reached.insert(format!("{next:?}"), next).is_none() {
                open.push(next);
            }
        }
    }
    assert_eq!((reached.len(), TRANSITIONS.len()), (8, 8 * EVENTS.len()));
}

/// P17: after a wake a step is queued until a poll begins, whatever else happens to a task that is not done.
#[test]
fn there_is_no_lost_wake_up() {
    for (before, event, owes, next) in TRANSITIONS.into_iter().filter(|(before, ..)| !before.is_done()) {
        let (had_a_step, has_a_step) = (is_queued(before), is_queued(next));
        let pushes = owes == Owes::Step;
        match event {
            Event::WakeUp => assert!(has_a_step && pushes != had_a_step, "{before:?}"),
            Event::BeginStep => assert!(!has_a_step && owes == Owes::Poll, "{before:?}"),
            Event::RequestCancel => assert_eq!(had_a_step, has_a_step, "{before:?}"),
            Event::Finish => assert!(next.is_done(), "{before:?}"),
        }
    }
}

/// P2, R55: a cancel request is granted until the task is done, and overrides its value.
#[test]
fn a_request_is_granted_until_the_task_is_done_and_is_not_forgotten() {
    for (before, event, owes, next) in TRANSITIONS {
        let granted = owes == Owes::Wake;
        assert_eq!(granted, event == Event::RequestCancel && !before.is_done(), "{before:?} {event:?}");
        assert!(!granted || next.is_cancel_requested());
        assert!(!before.is_cancel_requested() || next.is_cancel_requested(), "{before:?} {event:?}");
        let completes = matches!(owes, Owes::Completion | Owes::Cancellation);
        assert_eq!(completes, !before.is_done() && next.is_done(), "{before:?} {event:?}");
        assert!(!completes || (owes == Owes::Cancellation) == before.is_cancel_requested(), "{before:?}");
    }
}

fn fire(state: &mut State, event: Event) -> Owes {
    match event {
        Event::WakeUp => state.wake(),
        Event::BeginStep => state.begin_step(),
        Event::RequestCancel => state.request_cancel(),
        Event::Finish => state.finish(),
    }
}

/// Returns true if a step is queued: a wake then owes nothing.
fn is_queued(mut state: State) -> bool {
    !state.is_done() && state.wake() == Owes::Nothing
}
