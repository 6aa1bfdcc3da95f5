//! The cost page: operations, their parts, awaits and spawned futures, and the goals.

use super::gate::Budget;
use super::goals::{self, Lines};
use super::lock_sections::lock_sections;
use super::registry::FLOOR;
use super::rows::{Row, Scenario::*, row};
use super::table::Line;
use std::fmt::Write;

const HEAD: &str = "\
# What it costs

Written by `cargo bench --bench instructions -- --costs`. callgrind counts the instructions, in user mode, on one thread,
so no lock is contended.

* Allocator: glibc's, with `GLIBC_TUNABLES=glibc.malloc.tcache_count=2000`, so that it keeps all freed blocks of a batch at
  hand. By default it keeps seven of each size, and a row jumps with the number of its callbacks. The own share of a
  row is the same run over an allocator of a few instructions.
* Atomics: executed read-modify-writes, found in the machine code (locked instructions and exchanges with memory). Atomic
  loads and stores are not among them. The gate admits no further one: an atomic is one instruction, and takes the
  time of many ([TIMES.md](TIMES.md)).
";

/// An operation, its name among the lock sections, and the row that measures it.
const OPERATIONS: [(&str, &str, Row); 7] = [
    ("add, to 64 in line", "add", row(Add, 64)),
    ("remove, of 64", "remove", row(S4First, 64)),
    ("remove, of 8192", "remove", row(S4First, 8192)),
    ("complete, nobody waits", "complete", row(Complete, 0)),
    ("complete and run 64", "complete", row(Complete, 64)),
    ("late add and run", "late add", row(S2, 64)),
    ("read, done", "read", row(Read, 0)),
];

const OPERATIONS_HEAD: &str = "
## Operations

whendone-core stores a function and its captures, whendone-core-drop the same in a type with a drop.

| operation | lock sections | core: atomics | allocations | instructions | with a drop | task, inline: atomics | allocations | instructions | own share |
|---|---|---|---|---|---|---|---|---|---|
";

const PARTS: [(&str, Row); 4] = [
    ("an atomic read-modify-write", row(Atomic, 0)),
    ("a lock section", row(Lock, 0)),
    ("std's write-once cell: make, set, read", row(Once, 0)),
    ("a box of 16 bytes: make and free", row(Box, 0)),
];

const PARTS_HEAD: &str = "
## Parts

Each by itself, with the four or so instructions of the loop around it.

| part | atomics | instructions | own share |
|---|---|---|---|
";

const AWAITS: [(&str, Row); 4] = [
    ("first poll", row(AwaitFirst, 0)),
    ("further poll, same waker", row(AwaitAgain, 0)),
    ("complete and wake", row(AwaitWake, 0)),
    ("drop before the end", row(AwaitDrop, 0)),
];

const AWAITERS: [&str; 3] = ["whendone-task", "futures-shared", "tokio-notify"];

const SPAWNS: [(&str, Row); 5] = [
    ("a run of a future that is ready", row(Run, 0)),
    ("a future of 16 bytes", row(Spawn, 0)),
    ("a future of 1 KiB", row(Spawn, 1)),
    ("a future of 16 KiB", row(Spawn, 16)),
    ("a future of 64 KiB", row(Spawn, 64)),
];

const EXECUTORS: [&str; 3] = ["whendone-loop", "tokio-runtime", "futures-local-pool"];

/// The page's text, if all its rows were measured.
pub fn page(lines: &[Line], budget: &Budget) -> Option<String> {
    let lines = Lines(lines);
    let text = HEAD.to_owned() + &operations(lines)? + &parts(lines)? + &awaits(lines)? + &spawns(lines)?;
    Some(text + &goals::tables(lines, budget)? + include_str!("../text/costs.md"))
}

fn operations(lines: Lines) -> Option<String> {
    let (mut text, sections) = (OPERATIONS_HEAD.to_owned(), lock_sections());
    for (operation, section, row) in OPERATIONS {
        let sections = sections.get(section)?;
        let of = |who| lines.of(who, row);
        // Only the other one is read by anybody.
        let dropped = of("whendone-core-drop").and_then(|line| line.instructions);
        let dropped = dropped.map_or_else(|| "-".to_owned(), |instructions| format!("{instructions:.0}"));
        let (core, task) = (figures(of("whendone-core")?)?, figures(of("whendone-task")?)?);
        let own = of("whendone-task")?.own?;
        let _ = writeln!(text, "| {operation} | {sections} | {core} | {dropped} | {task} | {own:.0} |");
    }
    let printed = lines.of("whendone-task", row(Debug, 64))?;
    let (instructions, allocations) = (printed.instructions?, printed.allocations?);
    let _ = write!(
        text,
        "\n`Debug` of a task with 64 callbacks takes {instructions:.0} instructions and {allocations:.0} allocations; \
        with more callbacks it takes no more ([SCALE.md](SCALE.md)).\n"
    );
    Some(text)
}

fn figures(line: &Line) -> Option<String> {
    Some(format!("{:.2} | {:.2} | {:.0}", line.atomics?, line.allocations?, line.instructions?))
}

fn parts(lines: Lines) -> Option<String> {
    let mut text = PARTS_HEAD.to_owned();
    for (part, row) in PARTS {
        let line = lines.of(FLOOR, row)?;
        let (atomics, instructions, own) = (line.atomics?, line.instructions?, line.own?);
        let _ = writeln!(text, "| {part} | {atomics:.0} | {instructions:.0} | {own:.0} |");
    }
    Some(text)
}

fn awaits(lines: Lines) -> Option<String> {
    let mut text =
        "\n## Awaits\n\nThe waker is an `Arc`: its clone is one of the atomics, and its drop another. Without a lock \
        section no other ones are left.\n\n| operation "
            .to_owned();
    AWAITERS.iter().for_each(|who| _ = write!(text, "| {who}: atomics | allocations | instructions "));
    text += &format!("|\n|---{}|\n", "|---|---|---".repeat(AWAITERS.len()));
    for (operation, row) in AWAITS {
        let _ = write!(text, "| {operation} ");
        for who in AWAITERS {
            let _ = write!(text, "| {} ", figures(lines.of(who, row)?)?);
        }
        text += "|\n";
    }
    Some(text)
}

fn spawns(lines: Lines) -> Option<String> {
    let mut text = "\n## Runs and spawned futures\n\nFrom the spawn to the end of the future, within one run; it is polled once. The \
        bytes are those of a future that waits for its first poll, its handle included.\n\n| what runs "
        .to_owned();
    EXECUTORS.iter().for_each(|who| _ = write!(text, "| {who}: atomics | allocations | instructions | bytes "));
    text += &format!("|\n|---{}|\n", "|---|---|---|---".repeat(EXECUTORS.len()));
    for (operation, row) in SPAWNS {
        let _ = write!(text, "| {operation} ");
        for who in EXECUTORS {
            let line = lines.of(who, row)?;
            let bytes = line.bytes.map_or_else(String::new, |bytes| bytes.to_string());
            let _ = write!(text, "| {} | {bytes} ", figures(line)?);
        }
        text += "|\n";
    }
    Some(text)
}

/// True if both pages say the same, except for figures that differ by less than a tenth.
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
