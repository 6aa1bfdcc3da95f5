//! Decides where each seeded bug is looked for, and collects the results.

use super::copy::{PlantedCopy, run};
use super::play::{Check, Kill, RACE, Search};
use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use whendone_model::project::mutants::Wanted;
use whendone_model::runner::workers::work;
use whendone_mutants::table::Mutant;

/// How long a search may take; ten times as long if checks may have to be played to their end.
const LIMIT: Duration = Duration::from_secs(180);

/// For each bug, the places where it was looked for, each with its result: a kill, or the fate of the worker.
pub type Found = BTreeMap<String, Vec<Searched>>;
pub type Searched = (String, Result<Option<Kill>, String>);

/// True if something notices the bug there, or if the process ends as the table expects.
pub fn shows(mutant: &Mutant, (_, kill): &Searched) -> bool {
    match kill {
        Ok(kill) => kill.is_some(),
        Err(error) => is_crash_of(mutant, error),
    }
}

pub fn is_crash_of(mutant: &Mutant, error: &str) -> bool {
    mutant.run.is_none() && mutant.is_of_last_words() && error.contains(&mutant.shown_by)
}

/// Plays the bugs that scenarios can see: each first where the table expects it to show, then everywhere if it did not,
/// or on every check by itself if all are asked for.
pub fn played(mutants: &[Mutant], &Wanted { all, show, .. }: &Wanted, workers: usize) -> Result<Found, String> {
    let search = |mutant: &Mutant, checks: Vec<Check>, only: Option<String>| Search {
        id: mutant.id.clone(),
        shown_by: mutant.shown_by.clone(),
        checks,
        only,
        show,
    };
    let mutants: Vec<&Mutant> = mutants.iter().filter(|mutant| mutant.run.is_none()).collect();
    let mut found = Found::new();
    let expected = |mutant: &&Mutant| {
        let killer = mutant.killer.clone()?;
        Some(search(mutant, Check::all(mutant.is_of_the_loop()), Some(killer)))
    };
    play(&mutants.iter().filter_map(expected).collect::<Vec<_>>(), LIMIT, workers, &mut found)?;
    let elsewhere = |mutant: &&Mutant| {
        let shown = found.get(&mutant.id).into_iter().flatten().find(|searched| shows(mutant, searched));
        let (mut checks, races) = (Check::all(mutant.is_of_the_loop()), Check::races(mutant.is_of_the_loop()));
        let grounds: Vec<Vec<Check>> = if all {
            // The killer's check has noticed it already.
            checks.retain(|check| shown.is_none_or(|(killer, _)| !killer.starts_with(&format!("{check}: "))));
            checks.into_iter().chain(races).map(|check| vec![check]).collect()
        } else {
            shown.is_none().then_some(checks).into_iter().collect()
        };
        grounds.into_iter().map(|checks| search(mutant, checks, None)).collect::<Vec<_>>()
    };
    let elsewhere: Vec<Search> = mutants.iter().flat_map(elsewhere).collect();
    play(&elsewhere, 10 * LIMIT, workers, &mut found)?;
    found.values_mut().for_each(|kills| kills.sort_by(|a, b| a.0.cmp(&b.0)));
    Ok(found)
}

/// Runs the searches, and adds the result of each.
fn play(searches: &[Search], limit: Duration, workers: usize, found: &mut Found) -> Result<(), String> {
    let found = Mutex::new(found);
    work(searches, workers, limit, |at, kill| {
        let (id, ground) = (&searches[at].id, searches[at].ground());
        if ground != RACE {
            eprintln!("{id}: {ground}: {}", outcome(&kill));
        }
        found.lock().expect("never poisoned").entry(id.clone()).or_default().push((ground, kill));
    })
    .map_err(|error| error.to_string())
}

/// The result in a line, for the progress shown while the run goes on.
fn outcome(kill: &Result<Option<Kill>, String>) -> String {
    match kill {
        Ok(Some(kill)) => format!("killed by {} in {:.1} s", kill.by, kill.seconds),
        Ok(None) => "not noticed".to_owned(),
        Err(lost) => lost.clone(),
    }
}

/// The number of copies. Each further one would first have to build the dependencies again.
const COPIES: usize = 2;

/// Runs the bugs that need a copy of the project, on some copies at once: each keeps one processor busy.
pub fn copied(mutants: &[Mutant], workers: usize) -> Result<Found, String> {
    let copied: Vec<_> = mutants.iter().filter_map(|mutant| Some((mutant, mutant.run.as_deref()?))).collect();
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Found::new()));
    let serve = &|number| -> io::Result<()> {
        let copy = PlantedCopy::new(number)?;
        while let Some((mutant, arguments)) = copied.get(next.fetch_add(1, Ordering::Relaxed)) {
            let kill = run(mutant, arguments, &copy);
            eprintln!("{}: {}", mutant.id, outcome(&kill));
            found.lock().expect("never poisoned").insert(mutant.id.clone(), vec![("copy".to_owned(), kill)]);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers = (0..workers.min(copied.len()).min(COPIES)).map(|number| scope.spawn(move || serve(number)));
        let workers: Vec<_> = workers.collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("it does not panic"))
    })
    .map_err(|error| error.to_string())?;
    Ok(found.into_inner().expect("never poisoned"))
}
