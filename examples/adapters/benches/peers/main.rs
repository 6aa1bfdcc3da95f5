//! `cargo bench -p whendone-adapters --bench peers`: the tables of `docs/ADAPTERS.md`. `-- --check` compares the page with them,
//! `-- --page` writes them into it.

mod alone;
mod channels;
mod operations;
mod shares;
mod sizes;
mod tokens;

use clap::Parser;
use operations::{TABLES, Table};
use std::fmt::Write;
use std::process::{ExitCode, Stdio};
use std::{env, fs, io};
use whendone_bench::callgrind::{self, NO_VALGRIND, has_valgrind};
use whendone_bench::costs::agrees;
use whendone_bench::gate::Toolchain;
use whendone_bench::meter::{Meter, Plan, Sample};
use whendone_bench::table::in_parallel;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/ADAPTERS.md");
const BEGIN: &str = "<!-- The tables are written by a command, see above. -->\n";
const END: &str = "<!-- End of the tables. -->\n";

#[derive(Parser)]
struct Options {
    /// Fails if the page has other figures: they may differ by a tenth.
    #[arg(long)]
    check: bool,
    /// Writes the tables into the page.
    #[arg(long, conflicts_with = "check")]
    page: bool,
    /// Measures one operation in this process: the numbers of table, operation and library.
    #[arg(long, hide = true, num_args = 3)]
    measure: Vec<usize>,
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> io::Result<ExitCode> {
    let options = Options::parse();
    if let [table, operation, library] = options.measure[..] {
        let mut meter = Meter::new(Plan::Batches(2));
        TABLES[table].operations[operation].1[library].expect("it was asked for")(&mut meter);
        println!("{}", serde_json::to_string(&meter.sample())?);
        return Ok(ExitCode::SUCCESS);
    }
    if !has_valgrind() {
        println!("{}\nSKIPPED: {NO_VALGRIND}", sizes::table());
        return Ok(ExitCode::SUCCESS);
    }
    let toolchain = Toolchain::here()?;
    let counted_by = format!("Counted by callgrind, with {} and {}.\n", toolchain.rustc, toolchain.libc);
    let tables = format!("\n{}\n{counted_by}{}\n", sizes::table(), instructions()?);
    print!("{tables}");

    let page = fs::read_to_string(PAGE)?;
    let around = page.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?)));
    let (before, (kept, after)) = around.ok_or_else(|| io::Error::other("the page has no place for the tables"))?;
    if options.page {
        fs::write(PAGE, [before, BEGIN, &tables, END, after].concat())?;
        println!("written: {PAGE}");
    }
    if options.check && !kept.contains(&counted_by) {
        println!("NOT COMPARED: the page's instructions were counted by another toolchain");
    } else if options.check && !agrees(kept, &tables) {
        println!("{PAGE} is out of date; write it with: cargo bench -p whendone-adapters --bench peers -- --page");
        return Ok(ExitCode::FAILURE);
    } else if options.check {
        println!("the page agrees");
    }
    Ok(ExitCode::SUCCESS)
}

/// A measurement by its place in the tables, and its result.
struct Figure {
    at: [usize; 3],
    cells: String,
}

/// The tables of instructions and atomics.
fn instructions() -> io::Result<String> {
    let mut figures = vec![];
    for (table, Table { operations, .. }) in TABLES.iter().enumerate() {
        for (operation, (_, plays)) in operations.iter().enumerate() {
            figures.extend(
                (0..plays.len()).map(|library| Figure { at: [table, operation, library], cells: String::new() }),
            );
        }
    }
    in_parallel(&mut figures, measure)?;
    let mut text = String::new();
    for (number, Table { adapter, peers, operations }) in TABLES.iter().enumerate() {
        let columns = peers.iter().map(|peer| format!("| {peer} | atomics ")).collect::<String>();
        let _ = write!(
            text,
            "\n| `{adapter}` | instructions | atomics {columns}|\n|---|---|---{}|\n",
            "|---|---".repeat(peers.len())
        );
        for (at, (operation, _)) in operations.iter().enumerate() {
            let row = figures.iter().filter(|figure| figure.at[..2] == [number, at]);
            let cells = row.map(|figure| &*figure.cells).collect::<Vec<_>>().join(" | ");
            let _ = writeln!(text, "| {operation} | {cells} |");
        }
    }
    Ok(text)
}

fn measure(figure: &mut Figure) -> io::Result<()> {
    let [table, operation, library] = figure.at;
    if TABLES[table].operations[operation].1[library].is_none() {
        figure.cells = "- | -".to_owned();
        return Ok(());
    }
    let numbers = figure.at.map(|number| number.to_string());
    let program = env::current_exe()?;
    let name = format!("adapters-{}", numbers.join("-"));
    let (sample, counted) = callgrind::count(&name, &program.to_string_lossy(), |mut command| {
        let output = command.arg("--measure").args(&numbers).stderr(Stdio::inherit()).output()?;
        Ok(serde_json::from_slice::<Sample>(&output.stdout)?)
    })?;
    let for_one = |count: u64| count as f64 / sample.operations as f64;
    let atomics = counted.atomics.map_or_else(|| "-".to_owned(), |atomics| format!("{:.1}", for_one(atomics)));
    figure.cells = format!("{:.0} | {atomics}", for_one(counted.instructions));
    Ok(())
}
