//! `cargo verify mutants`: which check notices which seeded bug.

mod hunt;
mod protocol;
mod run;

use clap::Parser;
use hunt::{Check, Hunt, Kill, RACE, control, named};
use run::run;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};
use whendone_model::crew::{be_a_worker, work};
use whendone_model::tree::{Tree, target};
use whendone_mutants::STALE;
use whendone_mutants::table::{Mutant, Table};
use whendone_stacks as _;

/// Plants every seeded bug and says which check notices it. One that none notices fails the run, unless there is an
/// argument that nothing can.
#[derive(Parser)]
#[command(name = "cargo verify mutants", bin_name = "cargo verify mutants")]
struct Arguments {
    /// Every check for every bug, not only the first that notices it
    #[arg(long)]
    all: bool,
    /// Only bugs that scenarios can see, not those that take a copy of the project each
    #[arg(long)]
    played: bool,
    /// Only bugs whose id contains one of these
    only: Vec<String>,
    #[arg(long, hide = true)]
    workers: Option<usize>,
}

/// Seconds until one is given up; ten times as many if checks may have to be played to their end: all of them, or
/// those of a bug of which nobody said where it is expected to show.
const LIMIT: u64 = 180;

type Found = BTreeMap<String, Vec<(String, Result<Option<Kill>, String>)>>;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("worker") {
        return if be_a_worker(|hunt: Hunt| Ok(hunt.hunt())).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
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

fn verdict(arguments: &Arguments) -> Result<bool, String> {
    let start = Instant::now();
    let is_named =
        |mutant: &Mutant| arguments.only.is_empty() || arguments.only.iter().any(|only| mutant.id.contains(only));
    let is_chosen = |mutant: &Mutant| is_named(mutant) && !(arguments.played && mutant.run.is_some());
    let mutants: Vec<Mutant> = Table::read(&Table::path())?.mutants.into_iter().filter(is_chosen).collect();
    let stale: Vec<&str> =
        STALE.iter().copied().filter(|stale| mutants.iter().any(|mutant| stale.starts_with(&mutant.id))).collect();
    if !stale.is_empty() {
        return Err(format!("these edits match no longer; adapt {}\n{}", Table::path().display(), stale.join("\n")));
    }
    let workers = arguments.workers.or_else(|| thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
    let mut found = played(&mutants, arguments.all, workers)?;
    found.extend(copied(&mutants)?);
    let pairs: std::collections::BTreeSet<_> = mutants.iter().map(Mutant::pair).collect();
    let (mut killed, mut argued, mut wrong) = (0, 0, 0);
    println!("{:<34} {:<5} {:<10} {:>7}  shown on", "seeded bug", "", "killed by", "seconds");
    for mutant in &mutants {
        let found = &found[&mutant.id];
        let kills = || found.iter().filter_map(|(_, kill)| kill.as_ref().ok()?.as_ref());
        let lost: Vec<_> = found.iter().filter_map(|(check, kill)| Some((check, kill.as_ref().err()?))).collect();
        let (races, others): (Vec<&Kill>, Vec<&Kill>) = kills().partition(|kill| kill.by == RACE);
        for kill in &others {
            println!("{:<34} {:<5} {:<10} {:>7.1}  {}", mutant.id, mutant.breaks, kill.by, kill.seconds, kill.program);
            println!("{:>60}  {}", "", kill.evidence);
        }
        let is_expected = |error: &str| mutant.run.is_none() && error.contains(&mutant.shown_by);
        let crash = lost.iter().find(|(_, error)| is_expected(error));
        if let (true, Some((check, error))) = (others.is_empty(), crash) {
            println!("{:<34} {:<5} {check:<10}          {error}", mutant.id, mutant.breaks);
        }
        match (&mutant.equivalent, others.is_empty() && races.is_empty() && crash.is_none()) {
            (None, false) => match elsewhere(mutant, &others) {
                None => killed += 1,
                Some(elsewhere) => {
                    wrong += 1;
                    println!("{:>60}  {elsewhere}", "");
                }
            },
            (Some(argument), true) => {
                argued += 1;
                println!("{:<34} {:<5} NOT NOTICED, as is argued: {argument}", mutant.id, mutant.breaks);
            }
            (Some(_), false) => {
                wrong += 1;
                println!("{:>60}  is noticed, so the argument that it cannot be is wrong", "");
            }
            (None, true) => {
                wrong += 1;
                println!("{:<34} {:<5} SURVIVED   {}", mutant.id, mutant.breaks, mutant.why);
                lost.iter().for_each(|(check, error)| println!("{:>40} {check}: {error}", ""));
            }
        }
        if arguments.all && mutant.run.is_none() {
            tell_who_is_needed(&others, &races, &lost);
        }
        for red in kills().filter(|_| mutant.run.is_none()).filter_map(|kill| control(&kill.program)) {
            wrong += 1;
            println!("{:>40} {red}", "");
        }
    }
    let argued = if argued > 0 { format!(", {argued} argued to be equivalent") } else { String::new() };
    println!(
        "{} seeded bugs, {} distinct pairs of property and place, {killed} killed{argued}, {wrong} not, in {:.0} s \
         with {workers} workers",
        mutants.len(),
        pairs.len(),
        start.elapsed().as_secs_f64()
    );
    let unrefused = if is_own_table() { 0 } else { protocol::bugs(is_named, !arguments.only.is_empty())? };
    Ok(wrong + unrefused == 0)
}

/// What to say of a bug that shows, but not where the table expects it.
fn elsewhere(mutant: &Mutant, kills: &[&Kill]) -> Option<String> {
    let (killer, first) = (mutant.killer.as_ref()?, kills.first()?);
    let found = |kill: &Kill| named(&kill.by, &kill.program);
    let is_elsewhere = kills.iter().all(|kill| found(kill) != *killer);
    is_elsewhere.then(|| format!("not where the table expects it: `{killer}`; found on `{}`", found(first)))
}

/// An auditor's, not the project's.
fn is_own_table() -> bool {
    std::env::var_os("WHENDONE_MUTANTS").is_some()
}

/// Which check, and which of the named races, is the only one that notices a bug, as far as each came to an end.
fn tell_who_is_needed(checks: &[&Kill], races: &[&Kill], lost: &[(&String, &String)]) {
    let tell = |told: String| println!("{:>60}  {told}", "");
    let of_those = if lost.is_empty() { "" } else { ", of those that came to an end" };
    if let [only] = checks {
        tell(format!("only {} notices it{of_those}", only.by));
    }
    match races {
        [only] => tell(format!("of the named races only `{}` notices it{of_those}", only.program)),
        races => tell(format!("{} of the named races notice it", races.len())),
    }
    lost.iter().for_each(|(check, error)| tell(format!("{check}: {error}")));
}

/// Those that scenarios can see.
fn played(mutants: &[Mutant], all: bool, workers: usize) -> Result<Found, String> {
    let hunts: Vec<Hunt> = mutants
        .iter()
        .filter(|mutant| mutant.run.is_none())
        .flat_map(|mutant| {
            let on_a_loop = mutant.is_of_the_loop();
            let (checks, hunt) = (Check::all(on_a_loop), |checks| Hunt {
                id: mutant.id.clone(),
                shown_by: mutant.shown_by.clone(),
                checks,
                killer: mutant.killer.clone(),
            });
            match all {
                true => checks.into_iter().chain(Check::races(on_a_loop)).map(|check| hunt(vec![check])).collect(),
                false => vec![hunt(checks)],
            }
        })
        .collect();
    let found = Mutex::new(Found::new());
    let is_long = all || mutants.iter().any(|mutant| mutant.killer.is_none() && is_own_table());
    let limit = Duration::from_secs(if is_long { 10 * LIMIT } else { LIMIT });
    work(&hunts, workers, limit, |at, kill| {
        let checks = hunts[at].checks.iter().map(Check::to_string).collect::<Vec<_>>();
        let checks = if all { checks.join(" ") } else { "all".to_owned() };
        if checks != RACE {
            eprintln!("{}: {checks}: {}", hunts[at].id, outcome(&kill));
        }
        found.lock().expect("never poisoned").entry(hunts[at].id.clone()).or_default().push((checks, kill));
    })
    .map_err(|error| error.to_string())?;
    let mut found = found.into_inner().expect("never poisoned");
    found.values_mut().for_each(|kills| kills.sort_by(|a, b| a.0.cmp(&b.0)));
    Ok(found)
}

/// In a line, while it goes on.
fn outcome(kill: &Result<Option<Kill>, String>) -> String {
    match kill {
        Ok(Some(kill)) => format!("killed by {} in {:.1} s", kill.by, kill.seconds),
        Ok(None) => "not noticed".to_owned(),
        Err(lost) => lost.clone(),
    }
}

/// Those that need a copy of the project.
fn copied(mutants: &[Mutant]) -> Result<Found, String> {
    let mut found = Found::new();
    let copied: Vec<_> = mutants.iter().filter_map(|mutant| Some((mutant, mutant.run.as_deref()?))).collect();
    if copied.is_empty() {
        return Ok(found);
    }
    let tree = Tree::lay(target().join("mutants")).map_err(|error| error.to_string())?;
    for (mutant, arguments) in copied {
        let kill = run(mutant, arguments, &tree);
        eprintln!("{}: {}", mutant.id, outcome(&kill));
        found.insert(mutant.id.clone(), vec![("copy".to_owned(), kill)]);
    }
    Ok(found)
}
