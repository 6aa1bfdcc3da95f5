//! `cargo bench --bench instructions`: the instructions, atomics and allocations of whendone, beside the yardsticks; and the
//! gate: `-- --check`, `-- --accept`.

use clap::Parser;
use std::process::ExitCode;
use std::{env, fs, io};
use whendone_bench::callgrind::{NO_VALGRIND, has_valgrind};
use whendone_bench::costs;
use whendone_bench::gate::{self, Budget, Toolchain, Verdict, render};
use whendone_bench::goals::distances;
use whendone_bench::probe::{self, Probes};
use whendone_bench::table::{self, Line};

const PROBES: Probes = Probes {
    plain: env!("CARGO_BIN_EXE_probe"),
    counting: env!("CARGO_BIN_EXE_probe-counting"),
    free_list: env!("CARGO_BIN_EXE_probe-freelist"),
};
const PEERS: [&str; 4] = ["whendone", "plain", "mutex", "floor"];
const COSTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/COSTS.md");
const BUDGET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/budget.toml");

#[derive(Parser)]
struct Options {
    /// Only these rows, such as `S1` or "S4 n=64".
    rows: Vec<String>,
    /// Only peers whose name contains this; may be repeated. If not given: whendone and the yardsticks of a row.
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
    let rows: Vec<_> = probe::rows(&options.rows).into_iter().filter(|row| row.repeats()).collect();
    let mut lines = vec![];
    for &row in &rows {
        let peers = match &options.peer[..] {
            [] if row.concerns_futures() => probe::peers(&[]),
            [] => probe::peers(&PEERS.map(str::to_owned)),
            named => probe::peers(named),
        };
        let able = peers.into_iter().filter(|peer| row.of(peer).is_some());
        lines.extend(able.map(|peer| (Line::new(row, peer), peer)));
    }
    table::in_parallel(&mut lines, |(line, peer)| PROBES.count(line, peer))?;
    let mut lines: Vec<_> = lines.into_iter().map(|(line, _)| line).collect();
    table::relate(&mut lines);
    rows.iter().for_each(|&row| table::print(row, &lines));
    table::write(&probe::results(PROBES), "instructions.json", &lines)?;

    let toolchain = Toolchain::here()?;
    let mut budget = read_budget()?;
    if options.accept {
        let landed = if budget.landed.is_empty() { gate::landed(&lines) } else { budget.landed };
        fs::write(BUDGET, render(&toolchain, &lines, &landed))?;
        println!("accepted: {BUDGET}");
        budget = read_budget()?;
    }
    if options.costs {
        fs::write(COSTS, costs::page(&lines, &budget).expect("every row was measured"))?;
        println!("written: {COSTS}");
    }
    // A command that records this run names a file for the figures.
    if let Some((path, goals)) = env::var_os("WHENDONE_FIGURES").zip(distances(&lines, &budget)) {
        fs::write(path, serde_json::json!({ "goals": goals }).to_string())?;
    }
    if options.check {
        return Ok(check(&budget, &toolchain, &lines, all));
    }
    Ok(ExitCode::SUCCESS)
}

fn read_budget() -> io::Result<Budget> {
    Budget::parse(&fs::read_to_string(BUDGET)?).map_err(io::Error::other)
}

fn check(budget: &Budget, toolchain: &Toolchain, lines: &[Line], all: bool) -> ExitCode {
    let tell = |found: &[String]| found.iter().for_each(|line| println!("{line}"));
    println!();
    match budget.check(toolchain, lines, all) {
        Verdict::Holds => {
            println!("the budget holds");
            let written = fs::read_to_string(COSTS).unwrap_or_default();
            if all && !costs::page(lines, budget).is_some_and(|page| costs::agrees(&page, &written)) {
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
