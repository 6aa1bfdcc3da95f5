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

/// The bytes of a task with one callback, handles included, and of a further one, tag included.
const BYTES: [(&str, u32, u32); 2] = [("whendone-core", 104, 41), ("whendone-task", 120, 49)];

const BYTES_HEAD: &str = "
| who | bytes of a task with one callback: goal | measured | of a further one, among 64: goal | measured |
|---|---|---|---|---|
";

const WHY: &str = "
## Why some are not met

* Late add, core: two lock sections, the call, and the frame of a function that may have to go on draining. Tried:
  the batch kept in the guard from the start (19 instructions more), the drain out of line (33 more), the look out of
  line (for a task, 14 more). What is left is std's mutex, whose lock and unlock each look at the poison flag.
* Removal in random order, core: a line that shrinks closes its gaps, so that its buffer is never more than
  twice what is alive and a constant (P20). Behind that, ids are found by binary search. The goal's prototype
  kept the buffer until the next add found it full: removals would stay flat, and the memory of a line that once
  was long would stay too.
* Rows with a box: most of their instructions are the allocator's, and hang on which of its paths a size meets; see
  mutex-vec beside plain-vec in the same run. Where a line's buffer passes 1024 bytes, glibc puts its small free
  chunks together before it looks for a large one: plain-vec pays for that at n=64, and so do we; mutex-vec does not.
  Beyond the captures a box holds the place where the callback was added, for reports (D5), and room for the task,
  without which a scheduler's queue would need a second allocation. Tried and kept: a drain that borrows its
  task (four atomic read-modify-writes fewer for a completion and for a late add), the scheduler asked once a
  drain, one trait object for callbacks and awaits, a buffer that doubles.
* Bytes. The core's cell lies in two cache lines with its counts: a serial (P10), the write-once outcome, and a lock
  with the phase, the last sequence, and the first callback, which needs no buffer. The 8 bytes over are that
  one's tag (R19). A task has its scheduler behind a fat pointer, and an outcome that says how it ended; a further
  callback of it has the box's 16 bytes for place and task (see above).
* The loop: a callback passes through a channel that any thread may push to, by value, which is about a third of
  its instructions. Its own queue under the loop's lock would cost less and be one more thing to verify.
";

/// True if a page says what another one says, but for figures that differ by less than a tenth.
pub fn agrees(page: &str, other: &str) -> bool {
    let (mut one, mut two) = (page.split_whitespace(), other.split_whitespace());
    loop {
        match (one.next(), two.next()) {
            (None, None) => return true,
            (Some(one), Some(two)) if one == two => {}
            (Some(one), Some(two)) => match (one.parse::<f64>(), two.parse::<f64>()) {
                (Ok(one), Ok(two)) if (one - two).abs() <= 0.1 * one.max(two) => {}
                _ => return false,
            },
            _ => return false,
        }
    }
}

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
    text += BYTES_HEAD;
    for (peer, first_goal, further_goal) in BYTES {
        let bytes = |n| line(Row { scenario: S1, n }, peer).and_then(|line| line.bytes).map(|bytes| bytes as f64);
        let (first, many) = bytes(1).zip(bytes(64))?;
        let further = (many - first) / 63.0;
        let _ = writeln!(text, "| {peer} | {first_goal} | {first} | {further_goal} | {further:.1} |");
    }
    Some(text + WHY)
}
