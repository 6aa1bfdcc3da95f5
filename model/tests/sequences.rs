//! The kernel's queue, exhausted: every sequence of its operations up to a length equals that of a plain list.

use whendone_model::check::queue::{every_sequence, number};

#[test]
fn every_sequence_on_the_queue_with_small_constants_equals_a_list() {
    assert_eq!(every_sequence(6, true), Ok(number(6, 0)));
}

#[test]
fn every_sequence_on_the_shipped_queue_equals_a_list() {
    assert_eq!(every_sequence(5, false), Ok(number(5, 0)));
}
