//! The protocol holds what is claimed of it, in every state of the stated sizes.

use stateright::{Checker, Model};
use std::collections::HashSet;
use whendone_model::claims::{Protocol, SIZE};
use whendone_model::observation::HandOver;
use whendone_model::replay::Replay;
use whendone_model::scenario::{Part, Step};
use whendone_model::spec::Value;
use whendone_model::trace::Act;

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
fn replay(acts: &[(usize, Act)]) -> (Option<String>, bool) {
    let mut replay = Replay::default();
    replay.follow(0, &Act::On(None, 2));
    let refused = acts.iter().find_map(|(thread, act)| replay.follow(*thread, act));
    (refused, replay.end().0)
}

/// What the core's lock guards, as it prints itself.
fn leaves(printed: &str) -> Act {
    Act::Unlocks(1, Some(format!("Snapshot {{ phase: {printed}] }}")))
}

/// Thread 0 completes with one callback waiting, and drains.
fn completion(look: &str) -> Vec<(usize, Act)> {
    let (add, complete) = ((0, Step::Add { nonce: 0, tagged: false }), (0, Step::Complete(Value::Finished(0))));
    let hand_over = HandOver::new(0, Some(Value::Finished(0)));
    let acts = [
        Act::Begins(add),
        leaves("Pending, waiting: [(1, 0)"),
        Act::Ends(add, None),
        Act::Begins(complete),
        leaves("Draining, waiting: ["),
        Act::Enters(hand_over),
        Act::Leaves(0, Part::Call),
        leaves(look),
        Act::Ends(complete, None),
    ];
    acts.into_iter().map(|act| (0, act)).collect()
}

#[test]
fn an_execution_of_the_protocol_is_followed_to_its_end() {
    assert_eq!(replay(&completion("Settled, waiting: [")), (None, true));
}

#[test]
fn the_replay_refuses_a_swapped_left_out_or_invented_step_where_it_stands() {
    let right = completion("Settled, waiting: [");
    let refused_at = |acts: &[(usize, Act)]| replay(acts).0.expect("refused");
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
    assert!(!replay(&right[..5]).1, "a drain that does not come to its end");
}
