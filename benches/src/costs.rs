//! The cost page: what each operation costs, and how far the goals are.

use super::lock_sections::lock_sections;
use super::scenarios::{Row, Scenario, Scenario::*};
use super::table::Line;
use std::fmt::Write;

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
thread, with nobody else at the lock. Atomics are read-modify-writes, of everything that an operation executes: by
their machine code, locked instructions and exchanges with memory. A lock section has one at each end. In a
completion two more are std's write-once cell, which publishes, and in a task one is the completer's handle; what is
over is the allocator's. Of atomic loads a read has one, of the outcome.

## Operations

| operation | lock sections | core: atomics | allocations | instructions | task, inline: atomics | allocations | instructions |
|---|---|---|---|---|---|---|---|
";

const GOALS_HEAD: &str = "
## Goals

Instructions as a ratio to a peer's in the same run: `cargo bench --bench instructions`.

| row | who | against | goal | measured | |
|---|---|---|---|---|---|
";

/// What was measured.
#[derive(Clone, Copy)]
struct Lines<'a>(&'a [Line]);

impl Lines<'_> {
    fn of(&self, who: &str, row: Row) -> Option<&Line> {
        self.0.iter().find(|line| line.row == row && line.peer == who)
    }

    fn instructions(&self, who: &str, scenario: Scenario, n: u64) -> Option<f64> {
        self.of(who, Row { scenario, n })?.instructions
    }

    fn allocations(&self, who: &str, scenario: Scenario, n: u64) -> Option<f64> {
        self.of(who, Row { scenario, n })?.allocations
    }

    fn bytes(&self, who: &str, scenario: Scenario, n: u64) -> Option<f64> {
        Some(self.of(who, Row { scenario, n })?.bytes? as f64)
    }

    fn further(&self, who: &str, n: u64) -> Option<f64> {
        Some((self.bytes(who, S1, n)? - self.bytes(who, S1, 1)?) / (n - 1) as f64)
    }

    fn growth(&self, who: &str) -> Option<f64> {
        Some(self.instructions(who, S4, 8192)? - self.instructions(who, S4, 64)?)
    }
}

/// How a figure is found.
type Find = fn(Lines, &str) -> Option<f64>;

/// What is counted, whose, the most that it should be if that is a goal, and where it is.
#[rustfmt::skip]
const COUNTS: [(&str, &str, Option<f64>, Find); 15] = [
    (GROWTH,          "whendone-core", Some(1.03), |all, who| Some(1.0 + all.growth(who)? / all.instructions(who, S4, 64)?)),
    (OWN_GROWTH,      "whendone-task", Some(1.03), |all, who| {
        Some(1.0 + (all.growth(who)? - all.growth("plain-vec")?) / all.instructions(who, S4, 64)?)
    }),
    ("S1 n=1, allocations",  "whendone-core", Some(1.0), |all, who| all.allocations(who, S1, 1)),
    ("S1 n=1, allocations",  "whendone-task", Some(2.0), |all, who| all.allocations(who, S1, 1)),
    ("S2 n=64, allocations", "whendone-core", Some(0.0), |all, who| all.allocations(who, S2, 64)),
    ("S3 n=0, allocations",  "whendone-core", Some(0.0), |all, who| all.allocations(who, S3, 0)),
    ("S5 n=0, allocations",  "whendone-core", Some(1.0), |all, who| all.allocations(who, S5, 0)),
    (LEFT,            "whendone-core", Some(0.0),   |all, who| all.bytes(who, S3, 0)),
    (LEFT,            "whendone-task", Some(0.0),   |all, who| all.bytes(who, S3, 0)),
    (FIRST,           "whendone-core", Some(104.0), |all, who| all.bytes(who, S1, 1)),
    (FULL,            "whendone-core", Some(41.0),  |all, who| all.further(who, 64)),
    (DOUBLED,         "whendone-core", None,        |all, who| all.further(who, 65)),
    (FIRST,           "whendone-task", Some(120.0), |all, who| all.bytes(who, S1, 1)),
    (FULL,            "whendone-task", Some(41.0),  |all, who| all.further(who, 64)),
    (DOUBLED,         "whendone-task", None,        |all, who| all.further(who, 65)),
];

const GROWTH: &str = "S4, instructions at n=8192 over n=64";
const OWN_GROWTH: &str = "the same, what plain-vec grows by taken off";
const LEFT: &str = "S3 n=0, bytes left after a million pairs";
const FIRST: &str = "bytes of a task with one callback, handles included";
const FULL: &str = "bytes of a further one, among 64";
const DOUBLED: &str = "bytes of a further one, among 65";

const COUNTS_HEAD: &str = "
A further callback is counted among 64, where the buffer is full. Among 65 it has just doubled. Of the core's goal
of 41 bytes for it, 8 are for tags.

| what | whose | goal | measured | |
|---|---|---|---|---|
";

const WHY: &str = "
## Why some are not met

Instructions of one operation, by callgrind_annotate. A lock section takes about 24 of them, with what std does for
its poison flag.

* S1 n=8, core: of 187 the add takes 77, the allocator 35, the write-once cell 10; 179 would meet the goal. Given up
  would be that cell, and a read of the outcome would take the lock.
* S2, core: 106 of 122 are the add's: two lock sections 48, the frame 15, the guard on the stack for a hand-over that
  unwinds 12, the rest the phase, the id and the look. 16 are the harness's. The goal of 73 leaves less than two frames
  beside the two lock sections, and was not reached. Tried: the batch kept in the guard from the start (19
  more), the drain out of line (33 more), the look out of line (for a task, 14 more). Given up would be the guard (P14),
  which is a quarter of what is over.
* S3 n=64, core: of 178 the removal takes 90, the add 76, the harness 12; 159 would meet the goal. Each of the two is a
  lock section, a frame, and a place of 40 bytes that is written or read. With nobody else in line they take 41 less:
  no buffer, no search, no trim. An id that is a position needs no search, and might name a later callback (P10).
* S4 n=64, core: the same two, and a search by halves: of 247 the removal takes 115, the add 76, the harness 32,
  closing gaps 12 and the allocator for it 11. So the goal of 143 would be missed without closing gaps (P20) too.
* S4 as it grows, core: once gaps are closed ids are found by binary search, so at n=8192 the removal takes 54 more, and
  closing gaps 10. The goal's prototype kept the buffer until the next add found it full: removals would stay
  flat, and the memory of a line that once was long would stay too. The task meets its goal because
  the allocator takes about 70 less at n=8192 than at n=64; its removal grows as the core's does.
* Rows with a box: the allocator takes 31 % of the instructions of S1 n=1, 37 % of a late add, and 68 % of S1 n=64, and
  hangs on which of its paths a size meets; see mutex-vec beside plain-vec in the same run. Where a line's buffer
  passes 1024 bytes, glibc puts its small free chunks together before it looks for a large one: plain-vec pays for that
  at n=64, and so do we; mutex-vec does not. The call, with its guard for panics, takes 43.
  Beyond the captures a box holds the place where the callback was added, for reports (D5), and room for the task,
  without which a scheduler's queue would need a second allocation. Tried and kept: a drain that borrows its
  task (four atomic read-modify-writes fewer for a completion and for a late add), the scheduler asked once a
  drain, one trait object for callbacks and awaits, a buffer that doubles.
* Bytes. The core's cell lies in two cache lines with its counts: a serial (P10), the write-once outcome, and a lock
  with the phase, the last sequence, and the first callback, which needs no buffer. Of the 16 bytes over, 8 are that
  one's tag (R19), and 8 say whether there is one, or a buffer. A task has its scheduler behind a fat pointer, an
  outcome that says how it ended, and two handles; a further callback of it has a tag of 8 bytes, and the box's 16 for
  place and task (see above).
* The loop: a callback passes through a channel that any thread may push to, by value, which is about a quarter of
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
    let lines = Lines(lines);
    let sections = lock_sections();
    let mut text = HEAD.to_owned();
    for (operation, section, Row { scenario, n }) in OPERATIONS {
        let figures = |who| {
            let Line { atomics, allocations, instructions, .. } = lines.of(who, Row { scenario, n })?;
            Some(format!("{:.2} | {:.2} | {:.0}", (*atomics)?, (*allocations)?, (*instructions)?))
        };
        let (core, task) = figures("whendone-core").zip(figures("whendone-task"))?;
        let sections = sections.get(section)?;
        let _ = writeln!(text, "| {operation} | {sections} | {core} | {task} |");
    }
    text += GOALS_HEAD;
    for (row, peer, goal, against) in GOALS {
        let instructions = |who| lines.instructions(who, row.scenario, row.n);
        let ratio = instructions(peer)? / instructions(against)?;
        let met = met(ratio, goal);
        let _ = writeln!(text, "| {row} | {peer} | {against} | {goal:.2} | {ratio:.2} | {met} |");
    }
    text += COUNTS_HEAD;
    for (what, whose, goal, find) in COUNTS {
        let figure = (100.0 * find(lines, whose)?).round() / 100.0;
        let (limit, met) = goal.map_or_else(Default::default, |goal| (goal.to_string(), met(figure, goal)));
        let _ = writeln!(text, "| {what} | {whose} | {limit} | {figure} | {met} |");
    }
    Some(text + WHY)
}

fn met(figure: f64, goal: f64) -> &'static str {
    if figure <= goal { "met" } else { "not met" }
}
