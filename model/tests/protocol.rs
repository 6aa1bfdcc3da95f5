//! The protocol holds what is claimed of it, in every state of the stated sizes.

use stateright::{Checker, Model};
use std::collections::HashSet;
use whendone_model::observation::HandOver;
use whendone_model::observation::event::Event;
use whendone_model::protocol::conformance::Conformance;
use whendone_model::protocol::properties::{Protocol, SIZE};
use whendone_model::scenario::names::{Part, Task, Value};
use whendone_model::scenario::resolve::Step;

/// The numbers of states and of steps are pinned: a change of one is a finding, to be explained where it is made.
#[test]
fn every_claim_holds_in_every_state_of_the_stated_sizes() {
    let larger = Protocol { threads: 4, callbacks: 5 };
    for (size, states, steps) in [(SIZE, 8_689, 27_688), (larger, 53_638, 201_373)] {
        let checker = size.checker().threads(2).spawn_bfs().join();
        checker.assert_properties();
        assert_eq!((checker.unique_state_count(), checker.state_count()), (states, steps), "{size:?}");
    }
}

/// The model checker keeps fingerprints of states and not the states: counted without it, there are as many.
#[test]
fn no_state_is_taken_for_another_one() {
    let mut seen: HashSet<_> = SIZE.init_states().into_iter().collect();
    let mut open = SIZE.init_states();
    while let Some(state) = open.pop() {
        open.extend(SIZE.next_states(&state).into_iter().filter(|next| seen.insert(next.clone())));
    }
    assert_eq!(seen.len(), 8_689);
}

/// Beyond the first bug of the core that the replay meets there is nothing to follow.
fn replay(acts: &[(usize, Event)]) -> Result<(), String> {
    let mut replay = Conformance::default();
    replay.follow(|| 0, &Event::Has(2));
    acts.iter().for_each(|(thread, act)| drop(replay.follow(|| *thread, act)));
    replay.end()
}

/// What the core's lock of this task guards, as it prints itself.
fn leaves_on(task: Task, printed: &str) -> Event {
    Event::Unlocks(task, Some(format!("Snapshot {{ phase: {printed}] }}")))
}

fn leaves(printed: &str) -> Event {
    leaves_on(0, printed)
}

/// Thread 0 completes with one callback waiting, and drains.
fn completion(look: &str) -> Vec<(usize, Event)> {
    let (add, complete) = ((0, Step::Add { nonce: 0, tagged: false }), (0, Step::Complete(Value::Finished(0))));
    let hand_over = HandOver::new(0, Some(Value::Finished(0)));
    let acts = [
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
    acts.into_iter().map(|act| (0, act)).collect()
}

#[test]
fn an_execution_of_the_protocol_is_followed_to_its_end() {
    assert_eq!(replay(&completion("Settled, waiting: [")), Ok(()));
}

#[test]
fn conformance_refuses_a_swapped_missing_or_invented_step_in_place() {
    let right = completion("Settled, waiting: [");
    let refused_at = |acts: &[(usize, Event)]| replay(acts).expect_err("refused");
    let mut early = right.clone();
    early[4].1 = leaves("Settled, waiting: [");
    assert!(refused_at(&early).ends_with("thread 0: Pending [1] -> Settled []"), "it settles before it has drained");
    let mut swapped = right.clone();
    swapped.swap(4, 5);
    assert!(refused_at(&swapped).contains("hand-over out of turn"), "it hands over before it completes");
    let mut lost = right.clone();
    lost.drain(5..7);
    assert!(refused_at(&lost).contains("no step of it"), "it looks with a callback in its hands");
    let mut other = right.clone();
    other[5].0 = 1;
    assert!(refused_at(&other).contains("hand-over out of turn"), "another thread hands over");
    let still_draining = completion("Draining, waiting: [");
    assert!(refused_at(&still_draining).contains("no step of it"), "it never settles");
    assert!(refused_at(&right[..5]).contains("does not come to its end"), "it never drains");
    let mut put_off = right.clone();
    put_off.splice(5..8, []);
    assert!(refused_at(&put_off).contains("ends before its drain"), "it puts off outside of a hand-over");
}

/// The callback of x completes y, in its hand-over or on a scheduler's thread: thread 0 completes x, and drains both.
fn completion_of_both() -> Vec<(usize, Event)> {
    let complete = |task, value| (task, Step::Complete(Value::Finished(value)));
    let mut acts = Vec::new();
    for task in [0, 1] {
        let add = (task, Step::Add { nonce: task, tagged: false });
        acts.extend([Event::Begins(add), leaves_on(task, "Pending, waiting: [(1, 0)"), Event::Ends(add, None)]);
    }
    let runs = |nonce| Event::Enters(HandOver::new(nonce, Some(Value::Finished(nonce))));
    acts.extend([
        Event::Begins(complete(0, 0)),
        leaves_on(0, "Draining, waiting: ["),
        Event::Schedules(Some(0)),
        runs(0),
    ]);
    acts.extend([
        Event::Begins(complete(1, 1)),
        leaves_on(1, "Draining, waiting: ["),
        Event::Ends(complete(1, 1), None),
    ]);
    acts.extend([Event::Leaves(0, Part::Call), leaves_on(0, "Settled, waiting: [")]);
    acts.extend([
        Event::Schedules(Some(1)),
        runs(1),
        Event::Leaves(1, Part::Call),
        leaves_on(1, "Settled, waiting: ["),
    ]);
    acts.push(Event::Ends(complete(0, 0), None));
    acts.into_iter().map(|act| (0, act)).collect()
}

#[test]
fn a_task_completed_by_a_callback_is_drained_after_the_callbacks_drain() {
    let right = completion_of_both();
    assert_eq!(replay(&right), Ok(()));
    let refused_at = |acts: &[(usize, Event)]| replay(acts).expect_err("refused");
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

/// Another cell lies where one was.
#[test]
fn a_freed_address_is_forgotten_and_no_drain_with_it() {
    let mut acts = completion("Settled, waiting: [");
    acts.push((0, Event::Frees(0)));
    acts.extend(completion("Settled, waiting: ["));
    assert_eq!(replay(&acts), Ok(()));
    acts.remove(9);
    assert!(replay(&acts).is_err(), "a settled cell is pending again");
    acts.insert(5, (0, Event::Frees(0)));
    assert!(replay(&acts).expect_err("refused").contains("amid its drain"));
}
