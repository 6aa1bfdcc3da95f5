//! The tier of naps: another thread than the loop's begins sleeps of several lengths, polls them again, drops them and waits
//! for them, while the loop runs or ends.

use crate::scenario::Scenario;

/// Threads beside a run of the loop until they have ended. Each costs some ten thousand executions.
const RUN: [&str; 6] = ["I0", "I0 U0", "I1 U1", "I0 I0", "I0 O0", "I1{N} I0 U0"];

/// Beside the longer nap of the loop's own task: a loop that sleeps past the short one ends both.
const BESIDE_ITS_OWN: &str = "I0 U0";

/// Threads beside a brief run and the end of the loop.
const BRIEF: [&str; 2] = ["I0 I0", "I1 U1"];

/// Threads beside the end of the loop.
const END: [&str; 8] = ["I1", "I1 I1", "I1 O1", "I1 U1", "I1 U1 I1", "I1 O1 I1", "I1 I2", "I2 I1 O2"];

/// Two threads that nap, beside the end of the loop.
const TWO: &str = "I1 | I1";

/// Programs of a nap's waker, and the operations by which the waker is woken, replaced or dropped.
const CALLS: [&str; 7] = ["{A}", "{X}", "{G}", "{K}", "{N}", "{F}", "{!}"];
const DROPS: [&str; 6] = ["~{A}", "~{X}", "~{G}", "~{K}", "~{N}", "~{F}"];
const CLONES: [&str; 4] = ["^{A}", "^{X}", "^{G}", "^{N}"];
const THEN: [&str; 3] = ["U1", "I1", "O1"];

/// Every program of the tier.
pub(super) fn naps() -> Vec<Scenario> {
    let mut texts = Vec::new();
    texts.extend(RUN.map(|other| format!("@loop{{v}} ; L | {other}")));
    texts.push(format!("@loop{{zv}} ; L | {BESIDE_ITS_OWN}"));
    texts.extend(BRIEF.map(|other| format!("@loop{{v}} ; M Z | {other}")));
    texts.extend(END.iter().chain([&TWO]).map(|other| format!("@loop{{v}} ; Z | {other}")));
    let calls = CALLS.iter().map(|kind| (kind, THEN[0]));
    let others = DROPS.iter().chain(&CLONES).flat_map(|kind| THEN.map(|then| (kind, then)));
    texts.extend(calls.chain(others).map(|(kind, then)| format!("@loop{{v}} ; Z | I1{kind} {then}")));
    texts.iter().map(|text| text.parse().unwrap_or_else(|malformed| panic!("{malformed}"))).collect()
}

/// Number of naps, in closed form.
pub(super) fn number_of_naps() -> usize {
    6 + 1 + 2 + 8 + 1 + 7 + (6 + 4) * 3
}
