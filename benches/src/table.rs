//! The output of the harnesses: one line for each peer in each row.

use super::registry::{Entry, FLOOR, YARDSTICK};
use super::rows::{Row, Scenario};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Mutex;
use std::{fs, io, thread};

/// The cost of one operation of one peer in one row; the ratios are to the yardstick.
#[derive(Clone, Serialize, Deserialize)]
pub struct Line {
    #[serde(flatten)]
    pub row: Row,
    pub peer: String,
    pub ns: Option<f64>,
    pub ns_ratio: Option<f64>,
    pub instructions: Option<f64>,
    pub instruction_ratio: Option<f64>,
    /// Instructions with an allocator that costs next to nothing.
    pub own: Option<f64>,
    /// Atomic read-modify-writes.
    pub atomics: Option<f64>,
    pub allocations: Option<f64>,
    /// S1, S5: those of one task with n callbacks, handles included. Spawn: those of one future. S3: those that a million
    /// pairs leave behind.
    pub bytes: Option<i64>,
}

impl Line {
    pub fn new(row: Row, peer: &Entry) -> Self {
        let (ns, ns_ratio, instructions, instruction_ratio) = (None, None, None, None);
        let (own, atomics, allocations, bytes) = (None, None, None, None);
        let peer = peer.name.to_owned();
        Line { row, peer, ns, ns_ratio, instructions, instruction_ratio, own, atomics, allocations, bytes }
    }
}

/// The peer to which the others in a row are related.
fn yardstick(row: Row) -> &'static str {
    match row.scenario {
        scenario if scenario < Scenario::AwaitFirst => YARDSTICK,
        Scenario::Run | Scenario::Spawn => "tokio-runtime",
        _ if row.concerns_futures() => "futures-shared",
        Scenario::S6 | Scenario::S7 => YARDSTICK,
        _ => FLOOR,
    }
}

/// Fills in the ratios.
pub fn relate(lines: &mut [Line]) {
    let all = lines.to_vec();
    for line in lines {
        let peer = yardstick(line.row);
        let Some(yardstick) = all.iter().find(|other| other.row == line.row && other.peer == peer) else { continue };
        line.ns_ratio = line.ns.zip(yardstick.ns).map(|(mine, one)| mine / one);
        line.instruction_ratio = line.instructions.zip(yardstick.instructions).map(|(mine, one)| mine / one);
    }
}

/// Prints the lines of one row.
pub fn print(row: Row, lines: &[Line]) {
    print!("\n{:<20}{:>10}{:>8}{:>14}{:>8}", row.to_string(), "ns", "ratio", "instructions", "ratio");
    println!("{:>10}{:>9}{:>13}{:>9}    ratios to {}", "own", "atomics", "allocations", "bytes", yardstick(row));
    for line in lines.iter().filter(|line| line.row == row) {
        print!("{:<20}", line.peer);
        print!("{:>10}{:>8}", figure(line.ns, 1), figure(line.ns_ratio, 2));
        print!("{:>14}{:>8}", figure(line.instructions, 1), figure(line.instruction_ratio, 2));
        print!("{:>10}{:>9}{:>13}", figure(line.own, 1), figure(line.atomics, 2), figure(line.allocations, 3));
        println!("{:>9}", line.bytes.map_or_else(String::new, |bytes| bytes.to_string()));
    }
}

fn figure(figure: Option<f64>, digits: usize) -> String {
    figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.digits$}"))
}

/// Writes the lines as JSON.
pub fn write(folder: &Path, name: &str, lines: &[Line]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let path = folder.join(name);
    fs::write(&path, serde_json::to_string_pretty(lines)?)?;
    println!("\nwritten to {}", path.display());
    Ok(())
}

/// Reads lines that were written.
pub fn read(folder: &Path, name: &str) -> io::Result<Vec<Line>> {
    Ok(serde_json::from_str(&fs::read_to_string(folder.join(name))?)?)
}

/// Works on several items at a time; not for measurements of time.
pub fn in_parallel<T: Send>(items: &mut [T], work: impl Fn(&mut T) -> io::Result<()> + Sync) -> io::Result<()> {
    let items = Mutex::new(items.iter_mut());
    let worker = || {
        let next = || items.lock().unwrap().next();
        while let Some(item) = next() {
            work(item)?;
        }
        Ok(())
    };
    let workers = thread::available_parallelism()?.get();
    thread::scope(|scope| {
        let started: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        started.into_iter().try_for_each(|worker| worker.join().expect("it does not panic"))
    })
}
