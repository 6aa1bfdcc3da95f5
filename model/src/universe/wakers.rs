//! The tier of wakers: those that panic, in their clone, wake or drop, and those that an await is polled with again.

use super::callbacks::combine;
use crate::scenario::Scenario;

/// Programs of a waker that end with a panic: of its clone, its wake, its drop.
const PANICS: [&str; 10] =
    ["^{!}", "^{A !}", "^{X !}", "^{G !}", "{A !}", "{X !}", "{G !}", "~{A !}", "~{X !}", "~{G !}"];

/// Threads in which such a waker `W` comes first or second.
const AROUND: [&str; 3] = ["PW", "PW P", "P PW"];

/// Longer threads with a waker that panics and does nothing else.
const LONGER: [&str; 10] = [
    "P^{!} Q",
    "P^{!} A P",
    "P P^{!} P",
    "P P^{!} Q",
    "P P{!}",
    "P P{!} P",
    "P P{!} Q",
    "P P~{!}",
    "P P~{!} P",
    "P P~{!} Q",
];

/// Threads whose await is polled again with its first waker, `Ji`, or its second, `Jj`.
const AGAIN: [&str; 11] = [
    "P Ji",
    "P Ji Q",
    "P Ji P",
    "P A Ji",
    "P X Ji",
    "P P Ji",
    "P P Jj",
    "P P Ji Jj",
    "P P Ji Q",
    "P P^{!} Ji",
    "P^{!} P Jj",
];

/// Threads whose await is polled again with a waker that has the program `W` for its wake.
const AGAIN_AND_CALLS: [&str; 2] = ["PW Ji", "PW P Ji"];

const CALLS: [&str; 4] = ["{A}", "{X}", "{G}", "{!}"];

/// Every program of the tier.
pub(super) fn programs() -> Vec<Scenario> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let with = |around: &[&str], kinds: &[&str]| -> Vec<String> {
        kinds.iter().flat_map(|kind| around.iter().map(move |thread| thread.replace('W', kind))).collect()
    };
    let beside = [
        (with(&AROUND, &PANICS), texts(&["C", "A"])),
        (texts(&LONGER), texts(&["C", "D", "A C"])),
        ([texts(&AGAIN), with(&AGAIN_AND_CALLS, &CALLS)].concat(), texts(&["C", "D", "A"])),
    ];
    let on = |front| beside.iter().flat_map(move |(polls, others)| combine(front, &[String::new()], polls, others));
    ["@inline", "@queue"].into_iter().flat_map(on).collect()
}

/// Number of programs, in closed form: one thread, times the other, and on the queue times the orders of both.
pub(super) fn number() -> usize {
    (10 * 3 * 2 + 10 * 3 + (11 + 2 * 4) * 3) * (1 + 2)
}
