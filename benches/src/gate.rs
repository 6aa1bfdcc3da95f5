//! What a change may cost: figures kept in `budget.toml`, compared with those of today.

use super::scenarios::{Row, Scenario};
use super::table::Line;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::process::Command;

/// The kept figures, and under what they were counted.
#[derive(Debug, Deserialize)]
pub struct Budget {
    pub toolchain: Toolchain,
    peers: BTreeMap<String, BTreeMap<String, Cost>>,
}

/// On what instruction counts hang, besides the source.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Toolchain {
    pub rustc: String,
    pub libc: String,
    pub allocator: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Cost {
    instructions: f64,
    atomics: Option<f64>,
    allocations: f64,
}

/// What the comparison found.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    Holds,
    /// What grew, a line each.
    Exceeded(Vec<String>),
    /// Counted under another toolchain: what differs is told and does not fail.
    Incomparable(Vec<String>),
}

impl Toolchain {
    /// The one at hand.
    pub fn here() -> io::Result<Self> {
        let first_line = |program: &str, argument: &str| {
            let output = Command::new(program).arg(argument).output()?.stdout;
            Ok::<_, io::Error>(String::from_utf8_lossy(&output).lines().next().unwrap_or_default().to_owned())
        };
        let libc = first_line("ldd", "--version").unwrap_or_else(|_| "unknown".to_owned());
        let rustc = format!("{} for {}", first_line("rustc", "--version")?, std::env::consts::ARCH);
        Ok(Toolchain { rustc, libc, allocator: "the system's".to_owned() })
    }
}

impl Budget {
    /// Reads what [`render`] wrote.
    ///
    /// # Errors
    ///
    /// If it is not a budget.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Compares. Only what is whendone's is kept; a new row of it must be accepted. If these are `all` the
    /// lines, none may be missing whose growth is watched.
    pub fn check(&self, toolchain: &Toolchain, lines: &[Line], all: bool) -> Verdict {
        let grown = growth(lines, all);
        let found: Vec<_> = lines.iter().filter_map(|line| self.excess(line)).chain(grown).collect();
        match (*toolchain == self.toolchain, found.is_empty()) {
            (false, _) => Verdict::Incomparable(found),
            (true, true) => Verdict::Holds,
            (true, false) => Verdict::Exceeded(found),
        }
    }

    fn excess(&self, line: &Line) -> Option<String> {
        let name = format!("{} {}", line.peer, line.row);
        let (instructions, allocations) = line.instructions.zip(line.allocations)?;
        let kept = self.peers.get(&line.peer).and_then(|rows| rows.get(&line.row.to_string()));
        let Some(kept) = kept else { return ours(&line.peer).then(|| format!("{name}: not in the budget")) };
        if rounded(allocations) != kept.allocations {
            return Some(format!("{name}: {} allocations, not {}", rounded(allocations), kept.allocations));
        }
        let counts =
            [("instructions", Some(instructions), Some(kept.instructions)), ("atomics", line.atomics, kept.atomics)];
        counts.into_iter().find_map(|(what, today, kept)| {
            let (today, kept) = today.zip(kept)?;
            let percent = 100.0 * (today / kept - 1.0);
            (percent > slack(&line.peer))
                .then(|| format!("{name}: {today:.1} {what}, not {kept:.1}: {percent:.1} % more"))
        })
    }
}

/// What removal may cost as the line grows from 64 to 8192: nothing more while no gap was closed, and
/// one probe for each doubling afterwards. Says what costs more, and if these should be `all` the lines, also
/// what was not measured.
pub fn growth(lines: &[Line], all: bool) -> Vec<String> {
    const PROBE: f64 = 12.5;
    const DOUBLINGS: f64 = 7.0;
    let core = |scenario, n| {
        let found = lines.iter().find(|line| line.peer == "whendone-core" && line.row == Row { scenario, n });
        found.and_then(|line| line.instructions)
    };
    let at_most = |scenario: Scenario, limit: fn(f64) -> f64| match core(scenario, 64).zip(core(scenario, 8192)) {
        Some((few, many)) if many > limit(few) => Some(format!(
            "{scenario:?}: removal becomes dearer with the line: {many:.1} instructions at n=8192, {few:.1} at n=64"
        )),
        None if all => Some(format!("{scenario:?}: not measured at n=64 and n=8192")),
        _ => None,
    };
    let flat = at_most(Scenario::S4First, |few| 1.03 * few);
    flat.into_iter().chain(at_most(Scenario::S4Compact, |few| few + DOUBLINGS * PROBE)).collect()
}

fn ours(peer: &str) -> bool {
    peer.starts_with("whendone")
}

/// Percent. Boxes hang on the path that the allocator takes.
fn slack(peer: &str) -> f64 {
    if peer == "whendone-core" { 3.0 } else { 10.0 }
}

fn rounded(count: f64) -> f64 {
    (count * 1e4).round() / 1e4
}

/// The text of the budget that these lines keep: those of whendone.
pub fn render(toolchain: &Toolchain, lines: &[Line]) -> String {
    let mut text = "# What one operation of whendone costs; see benches/src/gate.rs.\n\
        # Compared by: cargo bench --bench instructions -- --check\n\
        # Rewritten by: cargo bench --bench instructions -- --accept\n\n[toolchain]\n"
        .to_owned();
    let Toolchain { rustc, libc, allocator } = toolchain;
    let _ = writeln!(text, "rustc = {rustc:?}\nlibc = {libc:?}\nallocator = {allocator:?}");
    let mut names: Vec<_> = lines.iter().map(|line| &*line.peer).filter(|name| ours(name)).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let _ = writeln!(text, "\n[peers.{name}]");
        for line in lines.iter().filter(|line| line.peer == name) {
            let Some((instructions, allocations)) = line.instructions.zip(line.allocations) else { continue };
            let (row, allocations) = (line.row.to_string(), rounded(allocations));
            let atomics =
                line.atomics.map_or_else(String::new, |atomics| format!("atomics = {:?}, ", rounded(atomics)));
            let _ = writeln!(
                text,
                "{row:?} = {{ instructions = {instructions:.1}, {atomics}allocations = {allocations:?} }}"
            );
        }
    }
    text
}
