//! `cargo verify mutants`: which check notices which seeded bug.

mod hunt;
mod protocol;
mod run;

use clap::Parser;
use hunt::{Check, Hunt, Kill, RACE, control};
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
    /// A failing interleaving of each that scenarios can see, shrunk, act by act
    #[arg(long)]
    show: bool,
    /// Only bugs whose id contains one of these
    only: Vec<String>,
    #[arg(long, hide = true)]
    workers: Option<usize>,
}

/// Until a hunt is given up; ten times as long if checks may have to be played to their end.
const LIMIT: Duration = Duration::from_secs(180);

/// Of each bug, where it was looked for, and what came of it: what noticed it, or what became of the worker.
type Found = BTreeMap<String, Vec<Hunted>>;
type Hunted = (String, Result<Option<Kill>, String>);

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
    let mut found = played(&mutants, arguments, workers)?;
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
            kill.exhibit.iter().for_each(|exhibit| println!("\n{exhibit}\n"));
        }
        for (ground, error) in lost.iter().filter(|(_, error)| mutant.run.is_none() && is_crash_of(mutant, error)) {
            println!("{:<34} {:<5} crash               {ground}", mutant.id, mutant.breaks);
            println!("{:>60}  {error}", "");
        }
        let shown: Vec<&String> =
            found.iter().filter(|hunted| shows(mutant, hunted)).map(|(ground, _)| ground).collect();
        match (&mutant.equivalent, &shown[..]) {
            (None, [first, ..]) => match mutant.killer.as_ref().filter(|killer| !shown.contains(killer)) {
                None => killed += 1,
                Some(killer) => {
                    wrong += 1;
                    println!("{:>60}  not where the table expects it: `{killer}`; found by {first}", "");
                }
            },
            (Some(argument), []) => {
                argued += 1;
                println!("{:<34} {:<5} NOT NOTICED, as is argued: {argument}", mutant.id, mutant.breaks);
            }
            (Some(_), _) => {
                wrong += 1;
                println!("{:>60}  is noticed, so the argument that it cannot be is wrong", "");
            }
            (None, []) => {
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

/// A bug shows where something notices it, or where the process ends as it is expected to.
fn shows(mutant: &Mutant, (_, kill): &Hunted) -> bool {
    match kill {
        Ok(kill) => kill.is_some(),
        Err(error) => mutant.run.is_none() && is_crash_of(mutant, error),
    }
}

fn is_crash_of(mutant: &Mutant, error: &str) -> bool {
    error.contains(&mutant.shown_by)
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

/// Those that scenarios can see: each is played where the table expects it to show, then everywhere if it did not, or
/// on every check by itself if all are asked for.
fn played(mutants: &[Mutant], &Arguments { all, show, .. }: &Arguments, workers: usize) -> Result<Found, String> {
    let hunt = |mutant: &Mutant, checks: Vec<Check>, only: Option<String>| Hunt {
        id: mutant.id.clone(),
        shown_by: mutant.shown_by.clone(),
        checks,
        only,
        show,
    };
    let mutants: Vec<&Mutant> = mutants.iter().filter(|mutant| mutant.run.is_none()).collect();
    let expected =
        |mutant: &&Mutant| Some(hunt(mutant, Check::all(mutant.is_of_the_loop()), mutant.killer.clone()?.into()));
    let mut found = Found::new();
    play(&mutants.iter().filter_map(expected).collect::<Vec<_>>(), LIMIT, workers, &mut found)?;
    let rest = mutants.iter().flat_map(|mutant| {
        let noticed = found.get(&mutant.id).and_then(|kills| Some(&kills.iter().find(|kill| shows(mutant, kill))?.0));
        let checks = Check::all(mutant.is_of_the_loop());
        match (all, noticed) {
            (true, noticed) => {
                let is_known = |check: &Check| noticed.is_some_and(|named| named.starts_with(&format!("{check}: ")));
                let checks = checks.into_iter().filter(|check| !is_known(check));
                checks
                    .chain(Check::races(mutant.is_of_the_loop()))
                    .map(|check| hunt(mutant, vec![check], None))
                    .collect()
            }
            (false, None) => vec![hunt(mutant, checks, None)],
            (false, Some(_)) => Vec::new(),
        }
    });
    let rest: Vec<Hunt> = rest.collect();
    play(&rest, 10 * LIMIT, workers, &mut found)?;
    found.values_mut().for_each(|kills| kills.sort_by(|a, b| a.0.cmp(&b.0)));
    Ok(found)
}

/// Adds what becomes of each hunt.
fn play(hunts: &[Hunt], limit: Duration, workers: usize, found: &mut Found) -> Result<(), String> {
    let found = Mutex::new(found);
    work(hunts, workers, limit, |at, kill| {
        let (id, ground) = (&hunts[at].id, hunts[at].ground());
        if ground != RACE {
            eprintln!("{id}: {ground}: {}", outcome(&kill));
        }
        found.lock().expect("never poisoned").entry(id.clone()).or_default().push((ground, kill));
    })
    .map_err(|error| error.to_string())
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
