//! `cargo bench -p whendone-bench --bench peers`: every scenario, every peer, each measurement in its own process and
//! the peers taking turns; a table for each row and `target/bench/peers.json`.

use clap::Parser;
use std::{fs, io};
use whendone_bench::callgrind::{NO_VALGRIND, has_valgrind};
use whendone_bench::meter::{least, median};
use whendone_bench::probe::{self, Probes};
use whendone_bench::rows::Scenario;
use whendone_bench::table::{self, Line};
use whendone_bench::times;

const PROBES: Probes = Probes {
    plain: env!("CARGO_BIN_EXE_probe"),
    counting: env!("CARGO_BIN_EXE_probe-counting"),
    free_list: env!("CARGO_BIN_EXE_probe-freelist"),
};

const TIMES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/TIMES.md");

#[derive(Parser)]
struct Options {
    /// Only these rows, such as `S1` or "S4 n=64".
    rows: Vec<String>,
    /// Only peers whose name contains this; may be repeated.
    #[arg(long)]
    peer: Vec<String>,
    /// Measures a short time and no instructions, only to show that everything runs.
    #[arg(long)]
    quick: bool,
    /// Writes the page of times from the figures of the last run; measures nothing.
    #[arg(long, conflicts_with_all = ["rows", "peer", "quick"])]
    times: bool,
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> io::Result<()> {
    let options = Options::parse();
    let results = probe::results(PROBES);
    if options.times {
        let page =
            times::page(&table::read(&results, "peers.json")?).ok_or_else(|| io::Error::other(times::INCOMPLETE))?;
        fs::write(TIMES, page)?;
        println!("written: {TIMES}");
        return Ok(());
    }
    let count = !options.quick && has_valgrind();
    if !count {
        println!("no instructions: {}", if options.quick { "--quick" } else { NO_VALGRIND });
    }
    let mut lines: Vec<Line> = vec![];
    let rows = probe::rows(&options.rows);
    for &row in &rows {
        let able = probe::peers(&options.peer).into_iter().filter(|peer| row.of(peer).is_some());
        let mut measured: Vec<_> = able.map(|peer| (Line::new(row, peer), peer, vec![])).collect();
        // Other load only adds time, so one thread is measured by its best round. Two racing threads differ from round to round.
        let (rounds, milliseconds, of_rounds): (_, _, fn(Vec<f64>) -> f64) = match (options.quick, row.scenario) {
            (true, _) => (3, 2, least),
            (_, Scenario::S6 | Scenario::S7) => (15, 100, median),
            _ => (9, 30, least),
        };
        for _ in 0..rounds {
            for (_, peer, times) in &mut measured {
                times.push(PROBES.time(row, peer, milliseconds)?.ns);
            }
        }
        if row.repeats() {
            table::in_parallel(&mut measured, |(line, peer, _)| {
                if count { PROBES.count(line, peer) } else { PROBES.count_allocations(line, peer) }
            })?;
        }
        lines.extend(measured.into_iter().map(|(line, _, times)| Line { ns: Some(of_rounds(times)), ..line }));
        table::relate(&mut lines);
        table::print(row, &lines);
    }
    table::write(&results, "peers.json", &lines)
}
