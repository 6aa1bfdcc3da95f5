//! `cargo verify mutants`: mutation testing. Which check notices which seeded bug.

mod copy;
mod play;
mod protocol;
mod queue;
mod report;
mod search;

use clap::Parser;
use play::Search;
use report::{End, Told};
use search::{Found, Searched, copied, drawn, played, shows};
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;
use whendone_model::project::copy::project;
use whendone_model::project::files::write_atomically;
use whendone_model::proof::solver::Solver;
use whendone_model::proof::why3::Why3;
use whendone_model::runner::interrupt::on_end_of_input;
use whendone_model::runner::mutants::Wanted;
use whendone_model::runner::part::{self, FIGURES, Recording};
use whendone_model::runner::workers::serve;
use whendone_mutants::FINGERPRINT;
use whendone_mutants::guard::{GUARD, guard};
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
    match run(&Arguments::parse()) {
        Ok(exit) => ExitCode::from(exit),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Plants the bugs, and leaves the figures: in the file that `cargo verify` names, or else as a part of the evidence.
fn run(arguments: &Arguments) -> Result<u8, String> {
    let named = std::env::var_os(FIGURES);
    let words = ["mutants".to_owned()].into_iter().chain(std::env::args().skip(1)).collect();
    let recording =
        (named.is_none() && !is_own_table()).then(|| Recording::begin("mutants", false, words)).transpose()?;
    let found = verdict(arguments)?;
    let exit = found.exit;
    if let Some(path) = named {
        write_atomically(Path::new(&path), found.figures.to_string()).map_err(|error| error.to_string())?;
    } else if let Some(recording) = recording {
        recording.end(found)?;
    }
    Ok(exit)
}

fn verdict(Arguments { wanted, workers, watched }: &Arguments) -> Result<part::Found, String> {
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
        ends.push(Told::new(mutant, found, wanted.all));
    };
    // An auditor's bug that no scenario shows goes to the suites for its files.
    let unseen = Mutex::new(Found::new());
    let goes_on = |mutant: &Mutant, found: &[Searched]| {
        is_own_table() && mutant.is_shown_by_anything() && !found.iter().any(|searched| shows(mutant, searched))
    };
    let tell_or_go_on = |mutant: &Mutant, found: &[Searched]| match goes_on(mutant, found) {
        true => {
            drop(unseen.lock().unwrap_or_else(PoisonError::into_inner).insert(mutant.id.to_string(), found.to_vec()))
        }
        false => tell(mutant, found),
    };
    played(&mutants, wanted, workers, &tell_or_go_on)?;
    draw(&mutants, &mut ends.lock().unwrap_or_else(PoisonError::into_inner), wanted, workers)?;
    copied(&mutants, &unseen.into_inner().unwrap_or_else(PoisonError::into_inner), workers, &tell)?;
    let ends = ends.into_inner().unwrap_or_else(PoisonError::into_inner);
    let count = |wanted: End| ends.iter().filter(|told| told.end == wanted).count();
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
    let skipped = if is_own_table() { Vec::new() } else { skipped(wanted) };
    let figures = json!({ "bugs": ends, "unrefused": unrefused, "skipped": skipped });
    Ok(part::Found { exit: u8::from(wrong + unrefused > 0), skipped, figures, error: None })
}

/// Draws a failing execution of each bug: for the figures, for the reader of `--show`, and as pages.
fn draw(mutants: &[Mutant], told: &mut [Told], wanted: &Wanted, workers: usize) -> Result<(), String> {
    wanted.html.iter().try_for_each(fs::create_dir_all).map_err(|error| error.to_string())?;
    drawn(mutants, told, workers)?;
    for Told { id, kills, .. } in told {
        for kill in kills.iter_mut().filter(|kill| kill.page.is_some()) {
            let text = kill.counterexample.iter().filter(|_| wanted.show);
            text.for_each(|text| println!("\n{id}: {text}\n"));
            if let Some((folder, page)) = wanted.html.as_ref().zip(kill.page.take()) {
                let path = folder.join(format!("{id}.html"));
                write_atomically(&path, page).map_err(|error| error.to_string())?;
            }
            kill.page = None;
        }
    }
    Ok(())
}

/// The bugs that this run leaves out, in words.
fn skipped(wanted: &Wanted) -> Vec<String> {
    let solver = Solver::ALL.iter().find_map(|solver| solver.version().err());
    let solver = solver.map(|missing| format!("the proof's answers about bugs of the protocol: {missing}"));
    let why3 = Why3::version().err().map(|missing| format!("the bugs of the queue: {missing}"));
    let played = wanted.played.then(|| "the bugs that need a copy of the project, by --played".to_owned());
    let only = (!wanted.only.is_empty()).then(|| format!("all bugs but those named {}", wanted.only.join(", ")));
    [solver, why3, played, only].into_iter().flatten().collect()
}

/// True for the table of an auditor, false for the tables of the project.
fn is_own_table() -> bool {
    std::env::var_os(OWN_TABLE).is_some()
}
