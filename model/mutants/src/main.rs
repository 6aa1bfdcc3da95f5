//! `cargo verify mutants`: mutation testing. Which check notices which seeded bug.

mod copy;
mod play;
mod protocol;
mod report;
mod search;

use clap::Parser;
use play::Search;
use report::{End, tell};
use search::{copied, played};
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;
use whendone_model::project::mutants::Wanted;
use whendone_model::runner::workers::serve;
use whendone_mutants::table::{Mutant, Table};
use whendone_stacks as _;

/// Plants every seeded bug and says which check notices it. One that none notices fails the run, unless there is an
/// argument that nothing can.
#[derive(Parser)]
#[command(name = "cargo verify mutants", bin_name = "cargo verify mutants")]
struct Arguments {
    #[command(flatten)]
    wanted: Wanted,
    #[arg(long, hide = true)]
    workers: Option<usize>,
}

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("worker") {
        return if serve(|search: Search| Ok(search.play())).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    match verdict(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn verdict(Arguments { wanted, workers }: &Arguments) -> Result<bool, String> {
    let start = Instant::now();
    let is_named = |mutant: &Mutant| wanted.only.is_empty() || wanted.only.iter().any(|only| mutant.id.contains(only));
    let is_chosen = |mutant: &Mutant| is_named(mutant) && !(wanted.played && mutant.run.is_some());
    let mutants: Vec<Mutant> = Table::read(&Table::path())?.mutants.into_iter().filter(is_chosen).collect();
    let workers = workers.or_else(|| thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
    let mut found = played(&mutants, wanted, workers)?;
    found.extend(copied(&mutants, workers)?);
    println!("{:<34} {:<5} {:<10} {:>7}  shown on", "seeded bug", "", "killed by", "seconds");
    let ends: Vec<End> = mutants.iter().map(|mutant| tell(mutant, &found[&mutant.id], wanted.all)).collect();
    let count = |wanted: End| ends.iter().filter(|&&end| end == wanted).count();
    let (killed, argued, wrong) = (count(End::Killed), count(End::Argued), count(End::Wrong));
    let argued = if argued > 0 { format!(", {argued} argued to be equivalent") } else { String::new() };
    println!(
        "{} seeded bugs, {} distinct pairs of property and place, {killed} killed{argued}, {wrong} not, in {:.0} s \
         with {workers} workers",
        mutants.len(),
        mutants.iter().map(Mutant::pair).collect::<BTreeSet<_>>().len(),
        start.elapsed().as_secs_f64()
    );
    let unrefused = if is_own_table() { 0 } else { protocol::bugs(is_named, !wanted.only.is_empty())? };
    Ok(wrong + unrefused == 0)
}

/// True for the table of an auditor, false for the tables of the project.
fn is_own_table() -> bool {
    std::env::var_os("WHENDONE_MUTANTS").is_some()
}
