//! The goals of the everyday path, and how far each of them is.

use super::gate::Budget;
use super::lock_sections::lock_sections;
use super::registry::{FLOOR, YARDSTICK};
use super::rows::{Row, Scenario, Scenario::*, row};
use super::table::Line;
use serde::Serialize;
use std::fmt::Write;

/// A row, the peer that should reach the goal, the most instructions as a ratio to the second peer's.
pub(super) type Goal = (Row, &'static str, f64, &'static str);

#[rustfmt::skip]
pub(super) const GOALS: [Goal; 12] = [
    (row(S1, 1),        "whendone-task", 1.12, YARDSTICK),
    (row(S1, 8),        "whendone-task", 1.08, YARDSTICK),
    (row(S1, 64),       "whendone-task", 1.15, YARDSTICK),
    (row(S1, 1024),     "whendone-task", 1.15, YARDSTICK),
    (row(S2, 64),       "whendone-task", 0.68, YARDSTICK),
    (row(S3, 0),        "whendone-task", 0.95, YARDSTICK),
    (row(S3, 64),       "whendone-task", 0.48, YARDSTICK),
    (row(S4, 64),       "whendone-task", 0.85, YARDSTICK),
    (row(Complete, 64), "whendone-task", 0.97, YARDSTICK),
    (row(S5, 0),        "whendone-task", 1.75, YARDSTICK),
    (row(Complete, 0),  "whendone-task", 2.80, YARDSTICK),
    (row(S1, 64),       "whendone-loop", 1.50, "mutex-vec-queue"),
];

const GOALS_HEAD: &str = "
## Goals

Instructions as a ratio to a peer's in the same run. The own share is the same ratio with the allocator of a few
instructions. The floor is the ratio that would be left if the row consisted of nothing but its lock sections,
its write-once cell and its allocator; the peer has the same allocator, one lock section where we have two, and no
cell. The queue of a loop is not part of the floor.

| row | who | against | goal | measured | | own share | floor |
|---|---|---|---|---|---|---|---|
";

const COUNTS_HEAD: &str = "
| figure | who | goal | measured | |
|---|---|---|---|---|
";

/// A measured figure and its goal.
#[derive(Serialize)]
pub struct Distance {
    figure: String,
    who: String,
    /// The peer to whose figure it is a ratio.
    against: Option<&'static str>,
    goal: Option<f64>,
    measured: f64,
    is_met: Option<bool>,
    /// The ratio with the allocator of a few instructions, and the ratio that would be left of nothing but lock sections, the
    /// cell and the allocator.
    own_and_floor: Option<(f64, f64)>,
}

/// The measured lines.
#[derive(Clone, Copy)]
pub(super) struct Lines<'a>(pub(super) &'a [Line]);

impl<'a> Lines<'a> {
    pub(super) fn of(self, who: &str, row: Row) -> Option<&'a Line> {
        self.0.iter().find(|line| line.row == row && line.peer == who)
    }

    fn bytes(self, who: &str, scenario: Scenario, n: u64) -> Option<f64> {
        Some(self.of(who, row(scenario, n))?.bytes? as f64)
    }

    fn further(self, who: &str, n: u64) -> Option<f64> {
        Some((self.bytes(who, S1, n)? - self.bytes(who, S1, 1)?) / (n - 1) as f64)
    }

    /// The figure of S4 at its two sizes.
    fn shuffled(self, who: &str, figure: fn(&Line) -> Option<f64>) -> Option<(f64, f64)> {
        figure(self.of(who, row(S4, 64))?).zip(figure(self.of(who, row(S4, 8192))?))
    }

    /// The instructions of an operation's lock sections, its cell and its allocator.
    fn floor(self, who: &str, row: Row) -> Option<f64> {
        let part = |scenario| self.of(FLOOR, Row { scenario, n: 0 })?.instructions;
        let line = self.of(who, row)?;
        let (sections, cells) = parts(row)?;
        Some(sections * part(Lock)? + cells * part(Once)? + line.instructions? - line.own?)
    }
}

/// The number of lock sections and of write-once cells in an operation of this row.
fn parts(Row { scenario, n }: Row) -> Option<(f64, f64)> {
    let sections = lock_sections();
    let of = |operation| sections.get(operation).map(|count| *count as f64);
    Some(match scenario {
        S1 => (of("add")? + of("complete")? / n as f64, 1.0 / n as f64),
        S2 => (of("late add")?, 0.0),
        S3 | S4 => (of("add")? + of("remove")?, 0.0),
        S5 | Complete => (of("complete")?, 1.0),
        _ => return None,
    })
}

/// A way to find a figure.
type Find = fn(Lines, &str) -> Option<f64>;

/// A figure, the peer, the goal if there is one, and where it is found.
#[rustfmt::skip]
const COUNTS: [(&str, &str, Option<f64>, Find); 20] = [
    ("S2 n=64, allocations",     "whendone-task", Some(0.0), |all, who| all.of(who, row(S2, 64))?.allocations),
    ("S2 n=64, atomics",         "whendone-task", Some(4.0), |all, who| all.of(who, row(S2, 64))?.atomics),
    (OWN_GROWTH,                 "whendone-task", Some(1.03), |all, who| ratio(all.shuffled(who, |line| line.own)?)),
    (GROWTH,                     "whendone-task", Some(1.03), |all, who| {
        let (ours, plain) = (all.shuffled(who, instructions)?, all.shuffled("plain-vec", instructions)?);
        Some((ours.1 - (plain.1 - plain.0)) / ours.0)
    }),
    (OWN_GROWTH,                 "whendone-core", None,      |all, who| ratio(all.shuffled(who, |line| line.own)?)),
    ("AwaitFirst, allocations",  "whendone-task", Some(0.0), |all, who| all.of(who, row(AwaitFirst, 0))?.allocations),
    ("AwaitAgain, allocations",  "whendone-task", Some(0.0), |all, who| all.of(who, row(AwaitAgain, 0))?.allocations),
    ("AwaitAgain, atomics",      "whendone-task", Some(0.0), |all, who| all.of(who, row(AwaitAgain, 0))?.atomics),
    ("AwaitWake, allocations",   "whendone-task", Some(0.0), |all, who| all.of(who, row(AwaitWake, 0))?.allocations),
    (LEFT,                       "whendone-core", Some(0.0), |all, who| all.bytes(who, S3, 0)),
    (LEFT,                       "whendone-task", Some(0.0), |all, who| all.bytes(who, S3, 0)),
    (FIRST,                      "whendone-task", Some(160.0), |all, who| all.bytes(who, S1, 1)),
    (FULL,                       "whendone-task", Some(56.0),  |all, who| all.further(who, 64)),
    (DOUBLED,                    "whendone-task", None,      |all, who| all.further(who, 65)),
    (FIRST,                      "whendone-core", None,      |all, who| all.bytes(who, S1, 1)),
    (FULL,                       "whendone-core", None,      |all, who| all.further(who, 64)),
    (DOUBLED,                    "whendone-core", None,      |all, who| all.further(who, 65)),
    (FIRST,                      YARDSTICK,       None,      |all, who| all.bytes(who, S1, 1)),
    (FULL,                       YARDSTICK,       None,      |all, who| all.further(who, 64)),
    (DOUBLED,                    YARDSTICK,       None,      |all, who| all.further(who, 65)),
];

const OWN_GROWTH: &str = "S4, own share at n=8192 over n=64";
const GROWTH: &str = "S4, instructions at n=8192 over n=64, without the growth of plain-vec";
const LEFT: &str = "S3 n=0, bytes left after a million pairs";
const FIRST: &str = "bytes of a task with one callback, handles included";
const FULL: &str = "bytes of a further callback, among 64 (the buffer is full)";
const DOUBLED: &str = "bytes of a further callback, among 65 (the buffer has just doubled)";
const CORE: &str = "over those before the redesign (the worst row of the core)";

fn instructions(line: &Line) -> Option<f64> {
    line.instructions
}

fn ratio((small, large): (f64, f64)) -> Option<f64> {
    Some(large / small)
}

/// The figures of both tables, if all their rows were measured.
pub fn distances(lines: &[Line], budget: &Budget) -> Option<Vec<Distance>> {
    let lines = Lines(lines);
    let mut found = Vec::new();
    for (row, who, goal, against) in GOALS {
        let (ours, theirs) = lines.of(who, row).zip(lines.of(against, row))?;
        let (measured, own) = (ours.instructions? / theirs.instructions?, ours.own? / theirs.own?);
        let floor = lines.floor(who, row)? / theirs.instructions?;
        let distance = Distance::new(row.to_string(), who, Some(goal), measured);
        found.push(Distance { against: Some(against), own_and_floor: Some((own, floor)), ..distance });
    }
    for (figure, who, goal, find) in COUNTS {
        found.push(Distance::new(figure.to_owned(), who, goal, find(lines, who)?));
    }
    let (line, ratio) = budget.worst_of_core(lines.0)?;
    found.push(Distance::new(format!("{}, instructions {CORE}", line.row), &line.peer, Some(1.02), ratio));
    Some(found)
}

impl Distance {
    fn new(figure: String, who: &str, goal: Option<f64>, measured: f64) -> Self {
        let is_met = goal.map(|goal| is_met(measured, goal));
        Distance { figure, who: who.to_owned(), against: None, goal, measured, is_met, own_and_floor: None }
    }
}

/// Both tables, if all their rows were measured.
pub(super) fn tables(lines: Lines, budget: &Budget) -> Option<String> {
    let distances = distances(lines.0, budget)?;
    let (mut ratios, mut counts) = (GOALS_HEAD.to_owned(), COUNTS_HEAD.to_owned());
    for Distance { figure, who, against, goal, measured, is_met, own_and_floor } in distances {
        let met = is_met.map_or("", |is_met| if is_met { "met" } else { "not met" });
        let _ = match (against, own_and_floor, goal) {
            (Some(against), Some((own, floor)), Some(goal)) => {
                let ratio = format!("| {goal:.2} | {measured:.2} | {met} | {own:.2} | {floor:.2} |");
                writeln!(ratios, "| {figure} | {who} | {against} {ratio}")
            }
            _ => {
                let goal = goal.map_or_else(String::new, |goal| goal.to_string());
                let rounded = (100.0 * measured).round() / 100.0;
                writeln!(counts, "| {figure} | {who} | {goal} | {rounded} | {met} |")
            }
        };
    }
    Some(ratios + &counts)
}

/// Judged as it is printed.
fn is_met(measured: f64, goal: f64) -> bool {
    (100.0 * measured).round() <= 100.0 * goal + 1e-9
}
