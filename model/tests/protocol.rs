//! The protocol holds what is claimed of it, in every state of the stated sizes.

use stateright::{Checker, Model};
use std::collections::HashSet;
use whendone_model::claims::{Protocol, SIZE};

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
