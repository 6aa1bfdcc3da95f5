//! `cargo verify mutants`: mutation testing. Which check notices which seeded bug.

mod copy;
mod play;
mod protocol;
mod queue;
mod report;
mod search;

use clap::Parser;
use play::Search;
use report::{End, tell};
use search::{Searched, copied, played};
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;
use whendone_model::project::copy::project;
use whendone_model::runner::mutants::Wanted;
use whendone_model::runner::workers::serve;
use whendone_mutants::FINGERPRINT;
use whendone_mutants::guard::{GUARD, guard, on_end_of_input};
use whendone_mutants::table::{Mutant, OWN_TABLE, Table};
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
    /// Ends when standard input does, because the process at its other end has ended
    #[arg(long, hide = true)]
    watched: bool,
}

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("worker") if serve(|search: Search| Ok(search.play())).is_ok() => return ExitCode::SUCCESS,
        Some("worker") => return ExitCode::FAILURE,
        Some(GUARD) => return guard(std::env::args().skip(2)),
        _ => {}
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

fn verdict(Arguments { wanted, workers, watched }: &Arguments) -> Result<bool, String> {
    let start = Instant::now();
    if *watched {
        on_end_of_input(|| std::process::exit(1));
    }
    let is_named = |mutant: &Mutant| wanted.only.is_empty() || wanted.only.iter().any(|only| mutant.id.contains(only));
    let is_chosen = |mutant: &Mutant| is_named(mutant) && (mutant.is_played() || !wanted.played);
    let table = Table::read(&Table::path(&project()))?;
    if table.fingerprint() != FINGERPRINT {
        return Err("the table has changed since its bugs were planted: run `cargo verify mutants` again".to_owned());
    }
    let mutants: Vec<Mutant> = table.without_those_left_out().mutants.into_iter().filter(is_chosen).collect();
    let workers = workers.or_else(|| thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
    println!("{:<34} {:<5} {:<10} {:>7}  shown on", "seeded bug", "", "killed by", "seconds");
    let ends = Mutex::new(Vec::new());
    let tell = |mutant: &Mutant, found: &[Searched]| {
        // The lock keeps the lines of a bug together.
        let mut ends = ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.push(tell(mutant, found, wanted.all));
    };
    played(&mutants, wanted, workers, &tell)?;
    copied(&mutants, workers, &tell)?;
    let ends = ends.into_inner().unwrap_or_else(PoisonError::into_inner);
    let count = |wanted: End| ends.iter().filter(|&&end| end == wanted).count();
    let (killed, argued, wrong) =
        (count(End::Killed), count(End::Argued), mutants.len() - count(End::Killed) - count(End::Argued));
    let argued = if argued > 0 { format!(", {argued} argued to be equivalent") } else { String::new() };
    println!(
        "{} seeded bugs, {} distinct pairs of property and place, {killed} killed{argued}, {wrong} not, in {:.0} s \
         with {workers} workers",
        mutants.len(),
        mutants.iter().map(Mutant::pair).collect::<BTreeSet<_>>().len(),
        start.elapsed().as_secs_f64()
    );
    let unrefused = match is_own_table() {
        true => 0,
        false => protocol::bugs(is_named, !wanted.only.is_empty())? + queue::bugs(is_named)?,
    };
    Ok(wrong + unrefused == 0)
}

/// True for the table of an auditor, false for the tables of the project.
fn is_own_table() -> bool {
    std::env::var_os(OWN_TABLE).is_some()
}
