//! One process for one measurement: its question, its start, its answer.

use super::callgrind::{self, Counted};
use super::meter::{Meter, Plan, Sample};
use super::registry::{Entry, PEERS, YARDSTICK, find};
use super::rows::{ROWS, Row, Scenario};
use super::table::Line;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, io};

/// The programs that answer. Cargo gives their paths, but only to a bench or a test.
#[derive(Clone, Copy)]
pub struct Probes {
    pub plain: &'static str,
    pub counting: &'static str,
    pub free_list: &'static str,
}

/// A question to a probe.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Question {
    pub row: Row,
    /// The number of batches. If not given, the probe measures for this number of milliseconds.
    pub batches: Option<u32>,
    pub milliseconds: u64,
}

/// The main of all probes: measures and prints the sample.
pub fn answer() {
    let [_, question, peer] = &env::args().collect::<Vec<_>>()[..] else {
        return eprintln!(
            "started by the benches: cargo bench -p whendone-bench --bench peers, cargo bench --bench instructions"
        );
    };
    let question: Question = serde_json::from_str(question).expect("a question");
    let sample = measure(question, find(peer).expect("a peer"));
    println!("{}", serde_json::to_string(&sample).expect("plain figures"));
}

fn measure(question: Question, peer: &Entry) -> Sample {
    let time = Plan::For(Duration::from_millis(question.milliseconds));
    let mut meter = Meter::new(question.batches.map_or(time, Plan::Batches));
    let run = question.row.of(peer).expect("the peer can do it");
    run(&mut meter, question.row.n);
    meter.sample()
}

impl Probes {
    /// Measures the time in a process of its own.
    pub fn time(self, row: Row, peer: &Entry, milliseconds: u64) -> io::Result<Sample> {
        ask(Command::new(self.plain), Question { row, batches: None, milliseconds }, peer)
    }

    /// Fills in the figures that repeat: instructions, atomics, allocations and bytes.
    pub fn count(self, line: &mut Line, peer: &Entry) -> io::Result<()> {
        if !line.row.takes_too_long(peer) {
            let Counts { instructions, atomics } = count_instructions(self.plain, line.row, peer)?;
            (line.instructions, line.atomics) = (Some(instructions), atomics);
            // Only there to explain a row, and this row takes long.
            if line.row.n < 100_000 {
                line.own = Some(count_instructions(self.free_list, line.row, peer)?.instructions);
            }
        }
        self.count_allocations(line, peer)
    }

    /// Fills in allocations and bytes. S3 goes on for a million pairs.
    pub fn count_allocations(self, line: &mut Line, peer: &Entry) -> io::Result<()> {
        let batches = if line.row.scenario == Scenario::S3 && peer.is_ours() { 1000 } else { 2 };
        let question = Question { row: line.row, batches: Some(batches), milliseconds: 0 };
        let sample = ask(Command::new(self.counting), question, peer)?;
        line.allocations = Some(sample.allocations);
        line.bytes = line.row.is_weighed().then_some(sample.bytes);
        Ok(())
    }
}

/// The counts of callgrind, for one operation.
struct Counts {
    instructions: f64,
    atomics: Option<f64>,
}

fn count_instructions(probe: &'static str, row: Row, peer: &Entry) -> io::Result<Counts> {
    let program = Path::new(probe).file_name().expect("a program").display();
    let question = Question { row, batches: Some(2), milliseconds: 0 };
    let (sample, counted) =
        callgrind::count(&format!("{program}-{}-{row}", peer.name), probe, |command| ask(command, question, peer))?;
    let Counted { instructions, atomics } = counted;
    let for_one = |count: u64| count as f64 / sample.operations as f64;
    Ok(Counts { instructions: for_one(instructions), atomics: atomics.map(for_one) })
}

fn ask(mut command: Command, question: Question, peer: &Entry) -> io::Result<Sample> {
    let question_text = serde_json::to_string(&question)?;
    let output = command.arg(question_text).arg(peer.name).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("{} of {}: {}", question.row, peer.name, output.status)));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Returns the named rows, such as `S1` or `S1 n=64`; all rows without a name.
pub fn rows(names: &[String]) -> Vec<Row> {
    let named = |row: &Row| [row.to_string(), format!("{:?}", row.scenario)].iter().any(|name| names.contains(name));
    ROWS.into_iter().filter(|row| names.is_empty() || named(row)).collect()
}

/// Returns the peers whose name contains one of the filters, or all without a filter. The yardstick is always among them.
pub fn peers(filters: &[String]) -> Vec<&'static Entry> {
    let chosen = |peer: &&Entry| filters.is_empty() || filters.iter().any(|filter| peer.name.contains(filter));
    PEERS.iter().filter(|peer| peer.name == YARDSTICK || chosen(peer)).collect()
}

/// Returns the folder for results: `target/bench`, beside the probes' own folder.
pub fn results(probes: Probes) -> PathBuf {
    let target = Path::new(probes.plain).ancestors().nth(2).expect("cargo put it into target/release");
    target.join("bench")
}
