//! The cost page: what each operation costs, and how far the goals are.

use super::scenarios::{Row, Scenario::*};
use super::table::Line;
use std::fmt::Write;
use whendone_model::costs::lock_sections;

/// An operation, the lock sections that it takes, and the row that measures it.
const OPERATIONS: [(&str, &str, Row); 7] = [
    ("add, to 64 in line", "add", Row { scenario: Add, n: 64 }),
    ("remove, of 64", "remove", Row { scenario: S4First, n: 64 }),
    ("remove, of 8192", "remove", Row { scenario: S4First, n: 8192 }),
    ("complete, nobody waits", "complete", Row { scenario: Complete, n: 0 }),
    ("complete and run 64", "complete", Row { scenario: Complete, n: 64 }),
    ("late add and run", "late add", Row { scenario: S2, n: 64 }),
    ("read, done", "read", Row { scenario: Read, n: 0 }),
];

/// The most instructions that a row should take, as a ratio to a peer's.
#[rustfmt::skip]
const GOALS: [(Row, &str, f64, &str); 19] = [
    (Row { scenario: S1, n: 1 },    "whendone-core", 0.88, "plain-vec"),
    (Row { scenario: S1, n: 8 },    "whendone-core", 0.50, "plain-vec"),
    (Row { scenario: S1, n: 64 },   "whendone-core", 0.31, "plain-vec"),
    (Row { scenario: S1, n: 1024 }, "whendone-core", 0.41, "plain-vec"),
    (Row { scenario: S2, n: 64 },   "whendone-core", 0.43, "plain-vec"),
    (Row { scenario: S3, n: 0 },    "whendone-core", 0.63, "plain-vec"),
    (Row { scenario: S3, n: 64 },   "whendone-core", 0.68, "plain-vec"),
    (Row { scenario: S4, n: 64 },   "whendone-core", 0.52, "plain-vec"),
    (Row { scenario: S5, n: 0 },    "whendone-core", 3.2,  "plain-vec"),
    (Row { scenario: S1, n: 1 },    "whendone-task", 1.15, "plain-vec"),
    (Row { scenario: S1, n: 8 },    "whendone-task", 1.08, "plain-vec"),
    (Row { scenario: S1, n: 64 },   "whendone-task", 1.0,  "plain-vec"),
    (Row { scenario: S1, n: 1024 }, "whendone-task", 1.0,  "mutex-vec"),
    (Row { scenario: S1, n: 64 },   "whendone-loop", 1.2,  "plain-vec"),
    (Row { scenario: S2, n: 64 },   "whendone-task", 1.3,  "plain-vec"),
    (Row { scenario: S3, n: 0 },    "whendone-task", 1.15, "plain-vec"),
    (Row { scenario: S3, n: 64 },   "whendone-task", 1.2,  "plain-vec"),
    (Row { scenario: S4, n: 64 },   "whendone-task", 1.27, "plain-vec"),
    (Row { scenario: S5, n: 0 },    "whendone-task", 3.3,  "plain-vec"),
];

const HEAD: &str = "\
# What it costs

Written by `cargo bench --bench instructions -- --costs`; instructions by callgrind, so in user mode, on one
thread, with nobody else at the lock. A lock section is an atomic read-modify-write at each end.

## Operations

| operation | lock sections | core: allocations | instructions | task, inline: allocations | instructions |
|---|---|---|---|---|---|
";

const GOALS_HEAD: &str = "
## Goals

Instructions as a ratio to a peer's in the same run: `cargo bench --bench instructions`.

| row | who | against | goal | measured | |
|---|---|---|---|---|---|
";

/// The page's text, if all its rows were measured.
pub fn page(lines: &[Line]) -> Option<String> {
    let line = |row: Row, peer: &str| lines.iter().find(|line| line.row == row && line.peer == peer);
    let figures = |row, peer| line(row, peer).and_then(|line| line.instructions.zip(line.allocations));
    let sections = lock_sections();
    let mut text = HEAD.to_owned();
    for (operation, section, row) in OPERATIONS {
        let (core, task) = figures(row, "whendone-core").zip(figures(row, "whendone-task"))?;
        let sections = sections.get(section)?;
        let (a, b, c, d) = (core.1, core.0, task.1, task.0);
        let _ = writeln!(text, "| {operation} | {sections} | {a:.2} | {b:.0} | {c:.2} | {d:.0} |");
    }
    text += GOALS_HEAD;
    for (row, peer, goal, against) in GOALS {
        let ratio = figures(row, peer)?.0 / figures(row, against)?.0;
        let met = if ratio <= goal { "met" } else { "not met" };
        let _ = writeln!(text, "| {row} | {peer} | {against} | {goal:.2} | {ratio:.2} | {met} |");
    }
    Some(text)
}
