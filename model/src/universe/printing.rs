//! The tier of printing: a cell or a task is printed, with its value, whose `Debug` calls back.

use super::callbacks::combine;
use crate::scenario::Scenario;

/// The thread that prints.
const PRINTS: [&str; 6] = ["V", "V V", "V G", "G V", "A V", "V A"];

const OTHERS: [&str; 5] = ["C", "X", "A", "G", "C V"];

/// The other thread, if the task is done.
const LATE: [&str; 3] = ["A", "G", "X"];

/// Callbacks that print when they are called or dropped.
const CALLING: [&str; 2] = ["a{V}a", "a~{V} a"];

/// Every program of the tier.
pub(super) fn programs() -> Vec<Scenario> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let on = |front| {
        [
            combine(front, &texts(&["", "a"]), &texts(&PRINTS), &texts(&OTHERS)),
            combine(front, &texts(&["C"]), &texts(&PRINTS), &texts(&LATE)),
            combine(front, &texts(&CALLING), &texts(&["C", "X"]), &texts(&["A", "V", "R0"])),
        ]
        .concat()
    };
    ["", "@inline", "@queue"].into_iter().flat_map(on).collect()
}

/// Number of programs, in closed form: starts, times one thread, times the other, and on the queue times their orders.
pub(super) fn number() -> usize {
    (2 * 6 * 5 + 6 * 3 + 2 * 2 * 3) * (1 + 1 + 2)
}
