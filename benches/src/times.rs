//! The page of times: the rows of the goals, the peers that are ahead, and the price of an atomic.

use super::goals::{GOALS, Lines};
use super::registry::{FLOOR, YARDSTICK};
use super::rows::{Row, Scenario::*, row};
use super::table::Line;
use std::fmt::Write;

pub const INCOMPLETE: &str =
    "the last run measured only a part; run `cargo bench -p whendone-bench --bench peers` first";

/// Rows without a goal: a row, a peer, and the peer with which it is compared.
const FURTHER: [(Row, &str, &str); 8] = [
    (row(S2, 64), "whendone-loop", "mutex-vec-queue"),
    (row(S1, 100_000), "whendone-task", YARDSTICK),
    (row(S4, 8192), "whendone-task", YARDSTICK),
    (row(S6, 1), "whendone-task", YARDSTICK),
    (row(S6, 1), "whendone-core", YARDSTICK),
    (row(S7, 64), "whendone-task", YARDSTICK),
    (row(S7, 64), "whendone-core", YARDSTICK),
    (row(S7, 1024), "whendone-task", YARDSTICK),
];

const HEAD: &str = "\
# How long it takes

Written by `cargo bench -p whendone-bench --bench peers -- --times` from the figures of the last run without `--times`, on a
shared machine with two cores. The peers take turns; a figure is the best of nine rounds, and in S6 and S7, where two threads
race, the median of fifteen. The allocator is glibc's without any setting. Goals are about instructions
([COSTS.md](COSTS.md)); time gates nothing.

| row | who | against | time | instructions | atomics | of the other |
|---|---|---|---|---|---|---|
";

const AHEAD_HEAD: &str = "
## Peers that are ahead

whendone should be ahead of every peer that several threads may use and that can remove callbacks. It was not
in these rows:

| row | ahead of whendone-core | ahead of whendone-task |
|---|---|---|
";

const RIVALS: [&str; 6] =
    [YARDSTICK, "futures-shared", "tokio-notify", "tokio-cancellation", "tokio-join-handle", "event-listener"];

/// The page's text, if all its rows were measured.
pub fn page(lines: &[Line]) -> Option<String> {
    let all = Lines(lines);
    let text = HEAD.to_owned() + &ratios(all)? + &atomics(all)? + AHEAD_HEAD + &ahead(all)?;
    Some(text + include_str!("../text/times.md"))
}

fn ratios(lines: Lines) -> Option<String> {
    let (mut text, figure) = (String::new(), |figure: Option<f64>| figure.map_or("-".into(), |it| format!("{it:.2}")));
    let goals = GOALS.into_iter().map(|(row, who, _, against)| (row, who, against));
    for (row, who, against) in goals.chain(FURTHER) {
        let (ours, theirs) = lines.of(who, row).zip(lines.of(against, row))?;
        let time = ours.ns? / theirs.ns?;
        let instructions = ours.instructions.zip(theirs.instructions).map(|(ours, theirs)| ours / theirs);
        let _ = write!(text, "| {row} | {who} | {against} | {time:.2} | {} ", figure(instructions));
        let _ = writeln!(text, "| {} | {} |", figure(ours.atomics), figure(theirs.atomics));
    }
    Some(text)
}

/// Compares the time of an atomic with that of other instructions.
fn atomics(lines: Lines) -> Option<String> {
    let part = |scenario| lines.of(FLOOR, row(scenario, 0))?.ns;
    let plain = lines.of("plain-vec", row(S1, 64))?;
    let each = plain.ns? / plain.instructions?;
    let (atomic, lock, once, block) = (part(Atomic)?, part(Lock)?, part(Once)?, part(Box)?);
    let instructions = atomic / each;
    Some(format!(
        "\n## The price of an atomic\n\n\
        Read-modify-writes one after another, uncontended, take {atomic:.1} ns each. An instruction of plain-vec, which has none \
        of them,\ntakes {each:.3} ns on average (S1 n=64). So an atomic takes the time of {instructions:.0} instructions, and a \
        row with more atomics than\nthe peer can be ahead in instructions and behind in time. Uncontended, a lock section takes \
        {lock:.1} ns, the write-once\ncell {once:.1} ns, a box {block:.1} ns.\n"
    ))
}

fn ahead(lines: Lines) -> Option<String> {
    let (mut text, time) = (String::new(), |row, who| lines.of(who, row)?.ns);
    let mut rows: Vec<Row> = lines.0.iter().map(|line| line.row).collect();
    rows.dedup();
    for row in rows {
        let ahead = |of| {
            let limit = time(row, of).unwrap_or(0.0);
            let ahead = RIVALS.into_iter().filter(|rival| time(row, rival).is_some_and(|time| time < limit));
            ahead.collect::<Vec<_>>().join(", ")
        };
        let (core, task) = (ahead("whendone-core"), ahead("whendone-task"));
        if !core.is_empty() || !task.is_empty() {
            let _ = writeln!(text, "| {row} | {core} | {task} |");
        }
    }
    Some(text)
}
