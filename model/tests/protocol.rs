//! The protocol has its properties in every state of the stated sizes, and the conformance check refuses wrong traces.

use stateright::{Checker, Model};
use std::collections::HashSet;
use whendone_model::observation::event::Event;
use whendone_model::observation::{Answer, HandOver};
use whendone_model::protocol::conformance::Conformance;
use whendone_model::protocol::properties::{Protocol, SIZE};
use whendone_model::scenario::names::{Part, Task, Value};
use whendone_model::scenario::resolve::Step;

/// The numbers of states and of steps are pinned: a change of one must be explained in its commit.
#[test]
fn every_property_holds_in_every_state_of_the_stated_sizes() {
    let larger = Protocol { threads: 4, callbacks: 5 };
    for (size, states, steps) in [(SIZE, 8_689, 27_688), (larger, 53_638, 201_373)] {
        let checker = size.checker().threads(2).spawn_bfs().join();
        checker.assert_properties();
        assert_eq!((checker.unique_state_count(), checker.state_count()), (states, steps), "{size:?}");
    }
}

/// The model checker stores fingerprints of states only; a count of the states themselves gives the same number.
#[test]
fn no_two_states_share_a_fingerprint() {
    let mut seen: HashSet<_> = SIZE.init_states().into_iter().collect();
    let mut open = SIZE.init_states();
    while let Some(state) = open.pop() {
        open.extend(SIZE.next_states(&state).into_iter().filter(|next| seen.insert(next.clone())));
    }
    assert_eq!(seen.len(), 8_689);
}

/// The verdict on a trace of two threads. Nothing is followed beyond the first event that is refused.
fn follow(events: &[(usize, Event)]) -> Result<(), String> {
    let mut conformance = Conformance::default();
    conformance.follow(|| 0, &Event::Has(2));
    events.iter().for_each(|(thread, event)| drop(conformance.follow(|| *thread, event)));
    conformance.end()
}

/// The end of a lock section of this task's cell, with the contents as they print themselves.
fn leaves_on(task: Task, printed: &str) -> Event {
    Event::Unlocks(task, Some(format!("Snapshot {{ phase: {printed}] }}")))
}

fn leaves(printed: &str) -> Event {
    leaves_on(0, printed)
}

/// The trace in which thread 0 completes with one callback waiting, and drains.
fn completion(look: &str) -> Vec<(usize, Event)> {
    let (add, complete) = ((0, Step::Add { nonce: 0, tagged: false }), (0, Step::Complete(Value::Finished(0))));
    let hand_over = HandOver::new(0, Some(Value::Finished(0)));
    let events = [
        Event::Begins(add),
        leaves("Pending, waiting: [(1, 0)"),
        Event::Ends(add, None),
        Event::Begins(complete),
        leaves("Draining, waiting: ["),
        Event::Enters(hand_over),
        Event::Leaves(0, Part::Call),
        leaves(look),
        Event::Ends(complete, None),
    ];
    events.into_iter().map(|event| (0, event)).collect()
}

#[test]
fn an_execution_of_the_protocol_is_followed_to_its_end() {
    let mut events = completion("Settled, waiting: [");
    assert_eq!(follow(&events), Ok(()));
    let (_begins, _ends) = (events.remove(3), events.pop());
    assert_eq!(follow(&events), Ok(()), "the harness may complete, too, outside of any operation");
}

#[test]
fn conformance_refuses_a_swapped_missing_or_invented_step_in_place() {
    let right = completion("Settled, waiting: [");
    let refused_at = |events: &[(usize, Event)]| follow(events).expect_err("refused");
    let mut early = right.clone();
    early[4].1 = leaves("Settled, waiting: [");
    assert!(refused_at(&early).ends_with("thread 0: Pending [1] -> Settled []"), "it settles before it has drained");
    let mut swapped = right.clone();
    swapped.swap(4, 5);
    assert!(refused_at(&swapped).contains("hand-over out of turn"), "it hands over before it completes");
    let mut lost = right.clone();
    lost.drain(5..7);
    assert!(refused_at(&lost).contains("no action of it"), "it looks with a callback in its batch");
    let mut other = right.clone();
    other[5].0 = 1;
    assert!(refused_at(&other).contains("hand-over out of turn"), "another thread hands over");
    let still_draining = completion("Draining, waiting: [");
    assert!(refused_at(&still_draining).contains("no action of it"), "it never settles");
    assert!(refused_at(&right[..5]).contains("a drain does not end"), "it never drains");
    let mut deferred = right.clone();
    deferred.splice(5..8, []);
    assert!(refused_at(&deferred).contains("ends before its drain"), "it defers its drain outside of a hand-over");
}

/// The trace in which the callback of x completes y, in its hand-over or on a scheduler's thread: thread 0 completes x,
/// and drains both.
fn completion_of_both() -> Vec<(usize, Event)> {
    let complete = |task, value| (task, Step::Complete(Value::Finished(value)));
    let mut events = Vec::new();
    for task in [0, 1] {
        let add = (task, Step::Add { nonce: task, tagged: false });
        events.extend([Event::Begins(add), leaves_on(task, "Pending, waiting: [(1, 0)"), Event::Ends(add, None)]);
    }
    let runs = |nonce| Event::Enters(HandOver::new(nonce, Some(Value::Finished(nonce))));
    events.extend([
        Event::Begins(complete(0, 0)),
        leaves_on(0, "Draining, waiting: ["),
        Event::Schedules(Some(0)),
        runs(0),
    ]);
    events.extend([
        Event::Begins(complete(1, 1)),
        leaves_on(1, "Draining, waiting: ["),
        Event::Ends(complete(1, 1), None),
    ]);
    events.extend([Event::Leaves(0, Part::Call), leaves_on(0, "Settled, waiting: [")]);
    events.extend([
        Event::Schedules(Some(1)),
        runs(1),
        Event::Leaves(1, Part::Call),
        leaves_on(1, "Settled, waiting: ["),
    ]);
    events.push(Event::Ends(complete(0, 0), None));
    events.into_iter().map(|event| (0, event)).collect()
}

#[test]
fn a_task_completed_by_a_callback_is_drained_after_the_callbacks_drain() {
    let right = completion_of_both();
    assert_eq!(follow(&right), Ok(()));
    let refused_at = |events: &[(usize, Event)]| follow(events).expect_err("refused");
    let mut nested = right.clone();
    let of_y: Vec<_> = nested.drain(15..19).collect();
    nested.splice(13..13, of_y);
    assert!(refused_at(&nested).contains("out of turn"), "it drains y inside of the hand-over of x");
    let mut early = right.clone();
    early[11].1 = leaves_on(1, "Settled, waiting: [");
    assert!(refused_at(&early).ends_with("Pending [1] -> Settled []"), "y settles before it is drained");
    let mut forgotten = right.clone();
    forgotten.drain(15..19);
    assert!(refused_at(&forgotten).contains("ends before its drain"), "y is never drained");
}

/// A second cell is made at the address of a dropped one.
#[test]
fn a_freed_address_is_forgotten_but_an_unfinished_drain_is_not() {
    let mut events = completion("Settled, waiting: [");
    events.push((0, Event::Frees(0)));
    events.extend(completion("Settled, waiting: ["));
    assert_eq!(follow(&events), Ok(()));
    events.remove(9);
    assert!(follow(&events).is_err(), "a settled cell is pending again");
    events.insert(5, (0, Event::Frees(0)));
    assert!(follow(&events).expect_err("refused").contains("during its drain"));
}

/// While another thread drains, a late callback that could be called at once is refused, and then waits.
#[test]
fn an_add_that_ends_without_a_lock_section_that_has_added_is_refused() {
    let add = (0, Step::Add { nonce: 1, tagged: false });
    let (begins, ends) = (Event::Begins(add), Event::Ends(add, None));
    let unadded = |events: &[(usize, Event)]| {
        follow(events).is_err_and(|refused| refused.contains("no lock section has added #1; thread 1"))
    };
    let mut late = completion("Settled, waiting: [");
    late.push((1, begins.clone()));
    assert_eq!(follow(&late), Ok(()));
    late.push((1, ends.clone()));
    assert!(unadded(&late), "nothing has happened");
    let called = Event::Enters(HandOver::new(1, Some(Value::Finished(0))));
    let calls = [leaves("Draining, waiting: ["), called, Event::Leaves(1, Part::Call), leaves("Settled, waiting: [")];
    late.splice(10..10, calls.map(|event| (1, event)));
    assert_eq!(follow(&late), Ok(()));

    let mut beside = completion("Draining, waiting: [");
    let refused = leaves("Draining, waiting: [");
    beside.splice(5..5, [begins, refused, ends].map(|event| (1, event)));
    assert!(unadded(&beside[..8]), "a refused section has not added it");
    beside.insert(7, (1, leaves("Draining, waiting: [(2, 0)")));
    let again = Event::Enters(HandOver::new(1, Some(Value::Finished(0))));
    let drained = [again, Event::Leaves(1, Part::Call), leaves("Settled, waiting: [")];
    beside.splice(12..12, drained.map(|event| (0, event)));
    assert_eq!(follow(&beside), Ok(()));
}

/// A removal by tag takes out the tagged callbacks alone.
#[test]
fn conformance_knows_which_callbacks_have_a_tag() {
    let add = |nonce, tagged| (0, Step::Add { nonce, tagged });
    let removes = (0, Step::RemoveAll);
    let (tagged, plain) = ("(1, 1)", format!("(2, {})", u64::MAX));
    let after = |left: &str| {
        let events = [
            Event::Begins(add(0, true)),
            leaves(&format!("Pending, waiting: [{tagged}")),
            Event::Ends(add(0, true), None),
            Event::Begins(add(1, false)),
            leaves(&format!("Pending, waiting: [{tagged}, {plain}")),
            Event::Ends(add(1, false), None),
            Event::Begins(removes),
            leaves(&format!("Pending, waiting: [{left}")),
        ];
        follow(&events.map(|event| (0, event)))
    };
    assert_eq!(after(&plain), Ok(()));
    for wrong in [tagged, "", &format!("{tagged}, {plain}")] {
        assert!(after(wrong).is_err(), "{wrong}");
    }
}

/// An operation removes the callbacks that it names and no others. A lock section of no known operation may remove any.
#[test]
fn conformance_knows_what_a_removal_takes_out() {
    let place = |number: u64| format!("({number}, {})", u64::MAX);
    let pending = |numbers: &[u64]| {
        let places: Vec<String> = numbers.iter().copied().map(place).collect();
        (0, leaves(&format!("Pending, waiting: [{}", places.join(", "))))
    };
    let after = |step: Option<Step>, sections: &[&[u64]]| {
        let mut events = Vec::new();
        for nonce in [0, 1] {
            let add = (0, Step::Add { nonce, tagged: false });
            let section = pending(&[1, 2][..=nonce]);
            events.extend([(0, Event::Begins(add)), section, (0, Event::Ends(add, None))]);
        }
        events.extend(step.map(|step| (0, Event::Begins((0, step)))));
        events.extend(sections.iter().copied().map(pending));
        follow(&events)
    };
    let removes = Some(Step::Remove(Some(0)));
    assert_eq!(after(removes, &[&[2]]), Ok(()));
    assert!(after(removes, &[&[1]]).is_err() && after(removes, &[&[]]).is_err());
    assert_eq!(after(Some(Step::Remove(None)), &[&[1, 2]]), Ok(()));
    assert!(after(Some(Step::Remove(None)), &[&[2]]).is_err(), "of another cell");
    // On a loop an operation may do anything to the cell of the loop's task.
    assert_eq!(after(Some(Step::Close), &[&[1], &[1, 3], &[3], &[]]), Ok(()));
    assert_eq!(after(None, &[&[1, 2], &[1], &[1, 3], &[3], &[]]), Ok(()));
    assert!(after(None, &[&[1], &[1, 2]]).is_err(), "a number that was given out before");
    assert!(after(None, &[&[2, 1]]).is_err() && after(None, &[&[1, 1]]).is_err());
}

#[test]
fn a_call_of_a_scheduler_is_refused_unless_a_drain_has_a_callback_for_it() {
    let mut events = completion("Settled, waiting: [");
    events.insert(5, (0, Event::Schedules(Some(0))));
    assert_eq!(follow(&events), Ok(()));
    events.swap(4, 5);
    assert!(follow(&events).expect_err("refused").contains("out of turn; thread 0 calls the scheduler"));
}

/// A loop takes several callbacks as one entry, and entries that are no callbacks of the task.
#[test]
fn a_loop_is_handed_the_rest_of_a_batch_as_one_entry() {
    let trace = |task: Option<Task>| {
        let add = |nonce| (0, Step::Add { nonce, tagged: false });
        let complete = (0, Step::Complete(Value::Finished(0)));
        let places = ["(1, 18446744073709551615)", "(1, 18446744073709551615), (2, 18446744073709551615)"];
        let mut events = vec![Event::Schedules(None)];
        for (nonce, waiting) in places.into_iter().enumerate() {
            let section = leaves(&format!("Pending, waiting: [{waiting}"));
            events.extend([Event::Begins(add(nonce)), section, Event::Ends(add(nonce), None)]);
        }
        events.extend([Event::Begins(complete), leaves("Draining, waiting: ["), Event::Schedules(task)]);
        events.extend([leaves("Settled, waiting: ["), Event::Ends(complete, None)]);
        events.extend([0, 1].map(|nonce| Event::Enters(HandOver::new(nonce, Some(Value::Finished(0))))));
        follow(&events.into_iter().map(|event| (0, event)).collect::<Vec<_>>())
    };
    assert_eq!(trace(None), Ok(()));
    assert!(trace(Some(0)).expect_err("refused").contains("no action of it"), "b is left in the batch");
}

/// The depth of a cell that the thread has never locked is no depth of a hand-over.
#[test]
fn a_drain_cannot_be_put_off_outside_of_a_hand_over_though_there_are_other_cells() {
    let add = (1, Step::Add { nonce: 1, tagged: false });
    let other = [Event::Begins(add), leaves_on(1, "Pending, waiting: [(1, 0)"), Event::Ends(add, None)];
    let mut events: Vec<_> = other.into_iter().map(|event| (1, event)).collect();
    events.extend(completion("Settled, waiting: ["));
    assert_eq!(follow(&events), Ok(()));
    events.drain(8..11);
    assert!(follow(&events).expect_err("refused").contains("ends before its drain"));
}

#[test]
fn conformance_says_the_state_of_each_task_until_it_refuses_or_loses_the_execution() {
    let mut conformance = Conformance::default();
    let events = completion("Draining, waiting: [");
    assert_eq!(conformance.follow(|| unreachable!("there are no threads yet"), &events[0].1), None);
    conformance.follow(|| 0, &Event::Has(1));
    let mut states = Vec::new();
    for (thread, event) in &events {
        let refused = conformance.follow(|| *thread, event);
        assert_eq!(refused.is_some(), states.len() == 7, "{refused:?}");
        states.push(conformance.states().join("; "));
    }
    let expected = [
        "",
        "x Pending, queue a",
        "x Pending, queue a",
        "x Pending, queue a",
        "x Draining, queue -, thread 0 owes a drain, batch a",
        "x Draining, queue -, thread 0 is in a hand-over, batch -",
        "x Draining, queue -, thread 0 is in a hand-over, batch -",
        "",
        "",
    ];
    assert_eq!(states, expected);

    let mut lost = Conformance::default();
    lost.follow(|| 0, &Event::Has(1));
    lost.lose();
    assert!(lost.states().is_empty() && lost.is_over());
    assert!(lost.end().expect_err("lost").contains("not followed to the end"));
}

/// P14
#[test]
fn a_poll_that_panicked_has_taken_no_place() {
    let poll = (0, Step::Poll(0));
    let polled = |section: bool, answer| {
        let mut events = vec![Event::Begins(poll), Event::Ends(poll, Some(answer))];
        events.splice(1..1, section.then(|| leaves(&format!("Pending, waiting: [(1, {})", u64::MAX))));
        follow(&events.into_iter().map(|event| (0, event)).collect::<Vec<_>>())
    };
    let pending = Answer::Outcome(None);
    for (section, answer) in [(true, pending), (false, pending), (false, Answer::Panicked)] {
        assert_eq!(polled(section, answer), Ok(()), "{section}, {answer:?}");
    }
    assert!(polled(true, Answer::Panicked).expect_err("refused").starts_with("P14: a poll panicked"));
}

/// An await that is polled again keeps its place.
#[test]
fn an_await_that_is_dropped_takes_out_its_own_place() {
    let (add, poll) = ((0, Step::Add { nonce: 0, tagged: false }), (0, Step::Poll(1)));
    let place = |number| format!("({number}, {})", u64::MAX);
    let pending = |waiting: &str| leaves(&format!("Pending, waiting: [{waiting}"));
    let left = |waiting: &str| {
        let events = [
            Event::Begins(add),
            pending(&place(1)),
            Event::Ends(add, None),
            Event::Begins(poll),
            pending(&format!("{}, {}", place(1), place(2))),
            Event::Ends(poll, Some(Answer::Outcome(None))),
            Event::Begins((0, Step::Poll(2))),
            pending(&format!("{}, {}", place(1), place(2))),
            Event::Ends((0, Step::Poll(2)), Some(Answer::Outcome(None))),
            Event::Begins((0, Step::DropAwait)),
            pending(waiting),
        ];
        follow(&events.map(|event| (0, event)))
    };
    assert_eq!(left(&place(1)), Ok(()));
    assert!(left(&place(2)).is_err() && left("").is_err());
}

/// A scheduler may run a callback whose cell is gone, if it was handed that callback.
#[test]
fn of_a_freed_cell_only_what_a_scheduler_has_can_still_run() {
    let complete = (0, Event::Ends((0, Step::Complete(Value::Finished(0))), None));
    let runs = (0, Event::Enters(HandOver::new(0, Some(Value::Finished(0)))));
    let mut handed = completion("Settled, waiting: [");
    handed.splice(5..9, [(0, Event::Schedules(Some(0))), (0, leaves("Settled, waiting: [")), complete]);
    handed.extend([(0, Event::Frees(0)), runs.clone()]);
    assert_eq!(follow(&handed), Ok(()));
    let mut waits = completion("Settled, waiting: [");
    waits.splice(3.., [(0, Event::Frees(0)), runs]);
    assert!(follow(&waits).expect_err("refused").contains("out of turn"));
}
