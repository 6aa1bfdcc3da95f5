//! The page of times: how far the goals are, and who is ahead.

use super::scenarios::{Row, Scenario, Scenario::*};
use super::table::Line;
use std::fmt::Write;

pub const INCOMPLETE: &str = "the last run measured only a part; run `cargo bench --bench peers` first";

/// The most time that a row should take, as a ratio to what a peer's row takes.
type Goal = (Row, &'static str, f64, Row, &'static str);

const fn goal(scenario: Scenario, n: u64, who: &'static str, ratio: f64, against: &'static str) -> Goal {
    (Row { scenario, n }, who, ratio, Row { scenario, n }, against)
}

const fn growth(who: &'static str, ratio: f64, scenario: Scenario, n: u64) -> Goal {
    (Row { scenario, n }, who, ratio, Row { scenario, n: 64 }, who)
}

#[rustfmt::skip]
const GOALS: [Goal; 27] = [
    goal(S1, 1, "whendone-core", 1.05, "plain-vec"),
    goal(S1, 8, "whendone-core", 0.62, "plain-vec"),
    goal(S1, 64, "whendone-core", 0.42, "plain-vec"),
    goal(S1, 1024, "whendone-core", 0.27, "plain-vec"),
    growth("whendone-core", 1.1, S1, 100_000),
    goal(S2, 64, "whendone-core", 0.85, "plain-vec"),
    goal(S3, 0, "whendone-core", 0.72, "plain-vec"),
    goal(S3, 64, "whendone-core", 0.64, "plain-vec"),
    goal(S4, 64, "whendone-core", 0.60, "plain-vec"),
    growth("whendone-core", 1.15, S4, 16384),
    goal(S5, 0, "whendone-core", 1.95, "plain-vec"),
    goal(S6, 1, "whendone-core", 1.0, "mutex-vec"),
    goal(S7, 64, "whendone-core", 0.75, "mutex-vec"),
    goal(S1, 1, "whendone-task", 1.2, "plain-vec"),
    goal(S1, 8, "whendone-task", 1.05, "plain-vec"),
    goal(S1, 64, "whendone-task", 1.08, "plain-vec"),
    goal(S1, 1024, "whendone-task", 1.0, "mutex-vec"),
    growth("whendone-task", 1.5, S1, 100_000),
    goal(S1, 64, "whendone-loop", 1.2, "plain-vec"),
    goal(S2, 64, "whendone-task", 1.25, "plain-vec"),
    goal(S3, 0, "whendone-task", 0.95, "plain-vec"),
    goal(S3, 64, "whendone-task", 1.05, "plain-vec"),
    goal(S4, 64, "whendone-task", 1.5, "plain-vec"),
    growth("whendone-task", 1.6, S4, 16384),
    goal(S5, 0, "whendone-task", 1.9, "plain-vec"),
    (Row { scenario: S6, n: 1 }, "whendone-task", 2.5, Row { scenario: S1, n: 1 }, "plain-vec"),
    goal(S7, 64, "whendone-task", 1.0, "mutex-vec"),
];

const HEAD: &str = "\
# How long it takes

Written by `cargo bench --bench peers -- --times` from the figures of the last `cargo bench --bench peers` on a shared
machine with two cores, the peers taking turns: the best of nine rounds, of S6 and S7 the median of fifteen. Time
gates nothing.

| row | who | against | goal | measured | |
|---|---|---|---|---|---|
";

const AHEAD_HEAD: &str = "
Whoever may be used from several threads and can remove should be behind in every row. These were not:

| row | ahead of whendone-core | ahead of whendone-task |
|---|---|---|
";

const RIVALS: [&str; 6] =
    ["mutex-vec", "futures-shared", "tokio-notify", "tokio-cancellation", "tokio-join-handle", "event-listener"];

const WHY: &str = "
## Why some are not met

Rows whose instructions miss their goal too are explained in [COSTS.md](COSTS.md). Beyond those, with misses as
callgrind counts them for a first cache of 32 KB (`--cache-sim=yes`), and n=64 without any:

* S1 n=1024, core: its buffer of 40 KB passes the first cache: 1.3 misses a callback. plain-vec has as many
  beside 2.6 times the instructions. Given up would be the tag (R19), 8 bytes of the 40 of a place.
* S1 n=100000, task: as many instructions as at n=64, but 4.6 misses a callback; plain-vec has 2.6. Place and box are
  32 bytes each, plain-vec's are 16. Given up would be the id and the tag, or the place of the add and room for the task.
* S4 n=16384: ten misses a pair; plain-vec has five. Past the goal's prototype this line closes its gaps while it is
  emptied (P20), and then an id is found by binary search. Removals before that find their place at once (S4First).
* S6, and completion with nobody waiting: two lock sections where the others have one. mutex-vec's late adder calls
  beside whoever is still calling earlier callbacks; here it waits its turn (P7, P8), and the second look is how it is
  found. Between two threads a lock section costs a transfer of its cache line.
* S5: eight atomic read-modify-writes for the core and eleven for a task, which cost time and hardly any instructions;
  mutex-vec has four. Two are the second lock section's (P7, P8), two the write-once cell's, so that the outcome is read
  without the lock, and the task's three its second handle's and its serial's (P10).
* Rows of the task against mutex-vec: its boxes hold the captures alone, and a panic in one callback is the end of the
  rest. Ours hold the place of the add and room for the task, are called under a guard for panics, and know their
  task (D5, P14).
";

/// The page's text, if all its rows were measured.
pub fn page(lines: &[Line]) -> Option<String> {
    let time = |row: Row, peer: &str| lines.iter().find(|line| line.row == row && line.peer == peer)?.ns;
    let mut text = HEAD.to_owned();
    for (row, who, goal, with, against) in GOALS {
        let ratio = time(row, who)? / time(with, against)?;
        let met = if ratio <= goal { "met" } else { "not met" };
        let against = if row == with { against.to_owned() } else { format!("{against}, {with}") };
        let _ = writeln!(text, "| {row} | {who} | {against} | {goal:.2} | {ratio:.2} | {met} |");
    }
    text += AHEAD_HEAD;
    let mut rows: Vec<Row> = lines.iter().map(|line| line.row).collect();
    rows.dedup();
    for row in rows {
        let ahead = |of: &str| {
            let limit = time(row, of)?;
            let ahead = RIVALS.into_iter().filter(|rival| time(row, rival).is_some_and(|time| time < limit));
            Some(ahead.collect::<Vec<_>>().join(", "))
        };
        let (core, task) = ahead("whendone-core").zip(ahead("whendone-task"))?;
        if !core.is_empty() || !task.is_empty() {
            let _ = writeln!(text, "| {row} | {core} | {task} |");
        }
    }
    Some(text + WHY)
}
