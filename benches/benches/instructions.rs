//! `cargo bench --bench instructions`: what whendone costs in instructions and allocations, beside
//! the yardsticks; and the gate: `-- --check`, `-- --accept`.

use clap::Parser;
use std::process::ExitCode;
use std::{fs, io};
use whendone_bench::callgrind::{NO_VALGRIND, has_valgrind};
use whendone_bench::costs;
use whendone_bench::gate::{Budget, Toolchain, Verdict, render};
use whendone_bench::probe::{self, Probes};
use whendone_bench::table::{self, Line};

const PROBES: Probes = Probes { plain: env!("CARGO_BIN_EXE_probe"), counting: env!("CARGO_BIN_EXE_probe-counting") };
const PEERS: [&str; 3] = ["whendone", "plain", "mutex"];
const COSTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/COSTS.md");
const BUDGET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/budget.toml");

#[derive(Parser)]
struct Options {
    /// Only these rows, such as `S1` or "S4 n=64".
    rows: Vec<String>,
    /// Only peers whose name contains this; may be repeated. If not given: whendone, plain, mutex.
    #[arg(long)]
    peer: Vec<String>,
    /// Fails if whendone has become more expensive than its budget.
    #[arg(long)]
    check: bool,
    /// Rewrites the budget.
    #[arg(long, conflicts_with_all = ["rows", "peer"])]
    accept: bool,
    /// Rewrites the cost page.
    #[arg(long, conflicts_with_all = ["rows", "peer"])]
    costs: bool,
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> io::Result<ExitCode> {
    let options = Options::parse();
    if !has_valgrind() {
        println!("SKIPPED: {NO_VALGRIND}");
        return Ok(ExitCode::SUCCESS);
    }
    let all = options.rows.is_empty() && options.peer.is_empty();
    let peers = if options.peer.is_empty() { PEERS.map(str::to_owned).to_vec() } else { options.peer };
    let rows: Vec<_> = probe::rows(&options.rows).into_iter().filter(|row| row.repeats()).collect();
    let mut lines = vec![];
    for &row in &rows {
        let able = probe::peers(&peers).into_iter().filter(|peer| row.of(peer).is_some());
        lines.extend(able.map(|peer| (Line::new(row, peer), peer)));
    }
    table::in_parallel(&mut lines, |(line, peer)| PROBES.count(line, peer))?;
    let mut lines: Vec<_> = lines.into_iter().map(|(line, _)| line).collect();
    table::relate(&mut lines);
    rows.iter().for_each(|&row| table::print(row, &lines));
    table::write(&probe::results(PROBES), "instructions.json", &lines)?;

    let toolchain = Toolchain::here()?;
    if options.accept {
        fs::write(BUDGET, render(&toolchain, &lines))?;
        println!("accepted: {BUDGET}");
    }
    if options.costs {
        fs::write(COSTS, costs::page(&lines).expect("every row was measured"))?;
        println!("written: {COSTS}");
    }
    if options.check {
        return Ok(check(&toolchain, &lines, all));
    }
    Ok(ExitCode::SUCCESS)
}

fn check(toolchain: &Toolchain, lines: &[Line], all: bool) -> ExitCode {
    let budget = fs::read_to_string(BUDGET).expect("the budget is readable");
    let budget = Budget::parse(&budget).expect("the budget can be parsed");
    let tell = |found: &[String]| found.iter().for_each(|line| println!("{line}"));
    println!();
    match budget.check(toolchain, lines, all) {
        Verdict::Holds => {
            println!("the budget holds");
            let written = fs::read_to_string(COSTS).unwrap_or_default();
            if all && !costs::page(lines).is_some_and(|page| costs::agrees(&page, &written)) {
                println!("{COSTS} is out of date; write it with: cargo bench --bench instructions -- --costs");
                return ExitCode::FAILURE;
            }
        }
        Verdict::Exceeded(found) => {
            tell(&found);
            println!("the budget is exceeded; accept with: cargo bench --bench instructions -- --accept");
            return ExitCode::FAILURE;
        }
        Verdict::Incomparable(found) => {
            tell(&found);
            println!("NOT GATED: the budget is for {:?}, this is {toolchain:?}", budget.toolchain);
        }
    }
    ExitCode::SUCCESS
}
