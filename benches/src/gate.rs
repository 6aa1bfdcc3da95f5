//! The cost that a change may add: figures kept in `budget.toml`, compared with those of today.

use super::callgrind::TUNABLES;
use super::rows::{Row, Scenario};
use super::table::Line;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::process::Command;

/// The kept figures, and the toolchain under which they were counted.
#[derive(Debug, Deserialize)]
pub struct Budget {
    pub toolchain: Toolchain,
    peers: BTreeMap<String, BTreeMap<String, Cost>>,
    /// Never rewritten.
    #[serde(default)]
    pub landed: Landed,
}

/// The instructions of the core's rows before the everyday path was redesigned: peer, row, instructions. The redesign of the
/// tasks may not slow the core down.
pub type Landed = BTreeMap<String, BTreeMap<String, f64>>;

/// The causes of instruction counts besides the source.
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

/// The result of a comparison.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    Holds,
    /// The figures that grew, a line each.
    Exceeded(Vec<String>),
    /// Counted under another toolchain: differences are listed and do not fail.
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
        Ok(Toolchain { rustc, libc, allocator: format!("the system's, {}={}", TUNABLES[0], TUNABLES[1]) })
    }
}

impl Budget {
    /// Reads the text of [`render`].
    ///
    /// # Errors
    ///
    /// If it is not a budget.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Compares. Only whendone's own rows are kept; a new one must be accepted. If these are `all` the
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
        if let Some((today, kept)) = line.atomics.zip(kept.atomics).filter(|(today, kept)| *today > kept + ROUNDING) {
            return Some(format!("{name}: {today:.2} atomics, not {kept:.2}"));
        }
        let slower = |before, what, slack| {
            let percent = 100.0 * (instructions / before - 1.0);
            let grown = format!("{name}: {instructions:.1} instructions, {what} {before:.1}: {percent:.1} % more");
            (percent > slack).then_some(grown)
        };
        let landed = self.landed.get(&line.peer).and_then(|rows| rows.get(&line.row.to_string()));
        let landed = landed.filter(|_| name != DEARER_FOR_A_REASON);
        slower(kept.instructions, "not", SLACK).or_else(|| slower(*landed?, "landed with", LANDED_SLACK))
    }

    /// Returns the worst row of the core and its ratio to the landed one.
    pub fn worst_of_core<'a>(&self, lines: &'a [Line]) -> Option<(&'a Line, f64)> {
        let ratio = |line: &'a Line| {
            let landed = self.landed.get(&line.peer)?.get(&line.row.to_string())?;
            Some((line, line.instructions? / landed))
        };
        lines.iter().filter_map(ratio).max_by(|(_, one), (_, two)| one.total_cmp(two))
    }
}

/// The most by which instructions may grow, in percent.
const SLACK: f64 = 3.0;

/// The most by which instructions of the core may grow over the landed ones, in percent, whatever was accepted since.
const LANDED_SLACK: f64 = 2.0;

/// The row that may be dearer than the landed one: a callback without a drop. Its place is told from a gap by its tag, and
/// no longer by itself. That takes almost three instructions for each callback; a removal takes some ten less.
const DEARER_FOR_A_REASON: &str = "whendone-core Complete n=64";

/// Atomics are kept with four digits, and may not grow.
const ROUNDING: f64 = 0.001;

/// The rows of the core among these lines, for a budget that has none yet.
pub fn landed(lines: &[Line]) -> Landed {
    let mut landed = Landed::new();
    for line in lines.iter().filter(|line| line.peer.starts_with("whendone-core")) {
        let Some(instructions) = line.instructions else { continue };
        let rows = landed.entry(line.peer.clone()).or_default();
        rows.insert(line.row.to_string(), (10.0 * instructions).round() / 10.0);
    }
    landed
}

/// Finds removals that cost more at n=8192 than at n=64 than they may: nothing while no gap was closed, and one probe for
/// each doubling afterwards. If these should be `all` the lines, rows that were not measured are found, too.
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

fn rounded(count: f64) -> f64 {
    (count * 1e4).round() / 1e4
}

/// The text of the budget that these lines keep: those of whendone.
pub fn render(toolchain: &Toolchain, lines: &[Line], landed: &Landed) -> String {
    let mut text = "# The cost of one operation of whendone; see benches/src/gate.rs.\n\
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
    text += "\n# The core before the everyday path was redesigned, in instructions. Never rewritten.\n";
    for (name, rows) in landed {
        let _ = writeln!(text, "[landed.{name}]");
        rows.iter().for_each(|(row, instructions)| _ = writeln!(text, "{row:?} = {instructions:?}"));
    }
    text
}
