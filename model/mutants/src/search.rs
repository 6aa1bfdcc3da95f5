//! Decides where each seeded bug is looked for, and passes its results on once all are there.

use super::copy::{COPY, PlantedCopy, run};
use super::play::{Check, Search, Searching};
use super::report::Told;
use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use whendone_model::runner::mutants::Wanted;
use whendone_model::runner::workers::work;
use whendone_mutants::table::Mutant;

/// How long a search may take; ten times as long if checks may have to be played to their end.
const LIMIT: Duration = Duration::from_secs(180);

/// A place where a bug was looked for, and the result: a kill, a difference that no check takes for an error, or the fate
/// of the worker.
pub type Searched = (String, Result<Searching, String>);

/// For each bug, the places where it was looked for so far.
pub type Found = BTreeMap<String, Vec<Searched>>;

/// Prints the result for a bug.
pub type Tell<'a> = &'a (dyn Fn(&Mutant, &[Searched]) + Sync);

/// True if something notices the bug there, or if the process ends as the table expects.
pub fn shows(mutant: &Mutant, (ground, searched): &Searched) -> bool {
    match searched {
        Ok(searched) => searched.kill.is_some(),
        Err(error) => is_crash_of(mutant, ground, error),
    }
}

/// True if the process ended as the table expects. A search that is not over after its time is no hang; one program is.
pub fn is_crash_of(mutant: &Mutant, ground: &str, error: &str) -> bool {
    let ended = error.starts_with("crash") || error.starts_with("hang") && ground.contains(": ");
    let is_any = mutant.is_shown_by_anything() && ended;
    mutant.is_played() && (is_any || mutant.is_of_last_words() && error.contains(&*mutant.shown_by))
}

/// Plays the bugs that scenarios can see: each first where the table expects it to show, then everywhere if it did not,
/// or on every check by itself if all are asked for.
pub fn played(mutants: &[Mutant], wanted: &Wanted, workers: usize, tell: Tell<'_>) -> Result<(), String> {
    let search = |mutant: &Mutant, checks: Vec<Check>, only: Option<String>| Search {
        id: mutant.id.to_string(),
        shown_by: mutant.shown_by.to_string(),
        checks,
        only,
        draw: false,
    };
    let mutants: Vec<&Mutant> = mutants.iter().filter(|mutant| mutant.is_played()).collect();
    let mut found = Found::new();
    let mut expected = Vec::new();
    for mutant in &mutants {
        let killer = mutant.killer.as_ref().map(ToString::to_string);
        let checks = || Check::all(mutant.is_of_the_loop());
        expected.extend(killer.map(|killer| (*mutant, search(mutant, checks(), Some(killer)))));
    }
    play(&expected, LIMIT, workers, &mut found, |mutant, found| {
        if !wanted.all && found.iter().any(|searched| shows(mutant, searched)) {
            tell(mutant, found);
        }
    })?;
    let mut elsewhere = Vec::new();
    for mutant in &mutants {
        let shown = found.get(&*mutant.id).into_iter().flatten().find(|searched| shows(mutant, searched));
        let (mut checks, races) = (Check::all(mutant.is_of_the_loop()), Check::races(mutant.is_of_the_loop()));
        let grounds: Vec<Vec<Check>> = if wanted.all {
            // The killer's check has noticed it already.
            checks.retain(|check| shown.is_none_or(|(killer, _)| !killer.starts_with(&format!("{check}: "))));
            checks.into_iter().chain(races).map(|check| vec![check]).collect()
        } else {
            shown.is_none().then_some(checks).into_iter().collect()
        };
        elsewhere.extend(grounds.into_iter().map(|checks| (*mutant, search(mutant, checks, None))));
    }
    let expected = |mutant: &Mutant| {
        let elsewhere = elsewhere.iter().filter(|(other, _)| *other.id == *mutant.id).count();
        elsewhere + usize::from(mutant.killer.is_some())
    };
    play(&elsewhere, 10 * LIMIT, workers, &mut found, |mutant, found| {
        if found.len() == expected(mutant) {
            tell(mutant, found);
        }
    })
}

/// The time that a drawing may take: shrinking, and the search for the execution with few switches, end by themselves before.
const DRAWING: Duration = Duration::from_secs(60);

/// Draws a failing execution of each bug that a program has shown, in searches of their own: a drawing that is lost changes
/// no result.
pub fn drawn(mutants: &[Mutant], told: &mut [Told], workers: usize) -> Result<(), String> {
    let search = |mutant: &Mutant, told: &Told| {
        let kill = told.kills.first().filter(|_| mutant.is_played())?;
        let (checks, races) = (Check::all(mutant.is_of_the_loop()), Check::races(mutant.is_of_the_loop()));
        Some(Search {
            id: told.id.clone(),
            shown_by: mutant.shown_by.to_string(),
            checks: checks.into_iter().chain(races).collect(),
            only: Some(format!("{}: {}", kill.by, kill.program)),
            draw: true,
        })
    };
    let of = |told: &Told| mutants.iter().find(|mutant| *mutant.id == *told.id);
    let (places, searches): (Vec<usize>, Vec<Search>) =
        told.iter().enumerate().filter_map(|(at, told)| Some((at, search(of(told)?, told)?))).unzip();
    let told = Mutex::new(told);
    work(&searches, workers, DRAWING, |at, searched: Result<Searching, String>| {
        let mut told = told.lock().expect("never poisoned");
        if let Some(kill) = searched.ok().and_then(|searching| searching.kill) {
            let drawn = &mut told[places[at]].kills[0];
            (drawn.counterexample, drawn.page) = (kill.counterexample, kill.page);
        }
    })
    .map_err(|error| error.to_string())
}

/// Runs the searches, adds the result of each, and passes those of its bug on.
fn play(
    searches: &[(&Mutant, Search)],
    limit: Duration,
    workers: usize,
    found: &mut Found,
    then: impl Fn(&Mutant, &[Searched]) + Sync,
) -> Result<(), String> {
    let found = Mutex::new(found);
    let jobs: Vec<&Search> = searches.iter().map(|(_, search)| search).collect();
    work(&jobs, workers, limit, |at, searched| {
        let (mutant, search) = &searches[at];
        let mut found = found.lock().expect("never poisoned");
        let of_it = found.entry(search.id.clone()).or_default();
        of_it.push((search.ground(), searched));
        of_it.sort_by(|a, b| a.0.cmp(&b.0));
        then(mutant, of_it);
    })
    .map_err(|error| error.to_string())
}

/// The number of copies. Each further one would first have to build the dependencies again.
const COPIES: usize = 2;

/// Runs the bugs that need a copy of the project, and those that no scenario has shown, on some copies at once: each keeps
/// one processor busy.
pub fn copied(mutants: &[Mutant], unseen: &Found, workers: usize, tell: Tell<'_>) -> Result<(), String> {
    let is_copied = |mutant: &&Mutant| !mutant.is_played() || unseen.contains_key(&*mutant.id);
    let copied: Vec<_> = mutants.iter().filter(is_copied).collect();
    let next = AtomicUsize::new(0);
    let serve = || -> io::Result<()> {
        let mut copy = PlantedCopy::take()?;
        while let Some(mutant) = copied.get(next.fetch_add(1, Ordering::Relaxed)) {
            let searched = run(mutant, &mut copy).map(|kill| Searching { kill, ..Searching::default() });
            let mut found = unseen.get(&*mutant.id).cloned().unwrap_or_default();
            found.push((COPY.to_owned(), searched));
            tell(mutant, &found);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers.min(copied.len()).min(COPIES)).map(|_| scope.spawn(serve)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("it does not panic"))
    })
    .map_err(|error| error.to_string())
}
