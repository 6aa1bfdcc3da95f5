//! The tier of futures that call back: in their poll, and when they are dropped.

use crate::scenario::Scenario;

/// Programs of a future, for its poll and for its drop.
const POLLS: [&str; 6] = ["{A}", "{X}", "{G}", "{K}", "{N}", "{F}"];
const DROPS: [&str; 7] = ["~{A}", "~{X}", "~{G}", "~{K}", "~{N}", "~{F}", "~{!}"];

/// The loop runs until the other thread has ended, or briefly and ends, or ends without having polled.
const OWN: [&str; 3] = ["L", "M Z", "Z"];

/// Programs of a future that another thread spawns while the loop runs, which costs some ten thousand executions each.
const SPAWNED: [&str; 2] = ["{!}", "~{!}"];

/// Every program of the tier: the future of the loop's task beside one operation; that of a task which the loop's own
/// thread spawns, beside a cancel of the first; and that of a task which another thread spawns.
pub(super) fn futures() -> Vec<Scenario> {
    let mut texts = Vec::new();
    for (kind, own) in POLLS.iter().chain(&DROPS).flat_map(|kind| OWN.map(|own| (kind, own))) {
        for (polls, other) in ["v", "pv"].into_iter().flat_map(|polls| ["A", "X", "G"].map(|other| (polls, other))) {
            texts.push(format!("@loop{{{polls}}}{kind} a ; {own} | {other}"));
        }
        texts.push(format!("@loop{{!}}{kind} ; {own} | X"));
        texts.push(format!("@loop{{v}} ; F{kind} {own} | X"));
    }
    texts.extend(OWN.map(|own| format!("@loop{{v}} ; F{{!}} {own} | X")));
    texts.extend(DROPS.map(|kind| format!("@loop{{v}} ; Z | F{kind}")));
    texts.extend(SPAWNED.map(|kind| format!("@loop{{v}} ; M Z | F{kind}")));
    texts.iter().map(|text| text.parse().unwrap_or_else(|malformed| panic!("{malformed}"))).collect()
}

/// Number of futures, in closed form.
pub(super) fn number_of_futures() -> usize {
    3 * ((6 + 7) * (2 * 3 + 1 + 1) + 1) + 7 + 2
}
