//! Where each seeded bug is looked for, and what comes of it.

use super::hunt::{Check, Hunt, Kill, RACE};
use super::run::{Copy, run};
use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use whendone_model::crew::work;
use whendone_model::seeded::Wanted;
use whendone_mutants::table::Mutant;

/// Until a hunt is given up; ten times as long if checks may have to be played to their end.
const LIMIT: Duration = Duration::from_secs(180);

/// Of each bug, where it was looked for, and what came of it: what noticed it, or what became of the worker.
pub type Found = BTreeMap<String, Vec<Hunted>>;
pub type Hunted = (String, Result<Option<Kill>, String>);

/// A bug shows where something notices it, or where the process ends as it is expected to.
pub fn shows(mutant: &Mutant, (_, kill): &Hunted) -> bool {
    match kill {
        Ok(kill) => kill.is_some(),
        Err(error) => is_crash_of(mutant, error),
    }
}

pub fn is_crash_of(mutant: &Mutant, error: &str) -> bool {
    let is_seen_otherwise = matches!(mutant.shown_by.as_str(), "outcome" | "missing" | "engine");
    mutant.run.is_none() && !is_seen_otherwise && error.contains(&mutant.shown_by)
}

/// Those that scenarios can see: each is played where the table expects it to show, then everywhere if it did not, or
/// on every check by itself if all are asked for.
pub fn played(mutants: &[Mutant], &Wanted { all, show, .. }: &Wanted, workers: usize) -> Result<Found, String> {
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

/// More copies than this would each have to build first what all of them need.
const COPIES: usize = 2;

/// Those that need a copy of the project, of which there are some: a compiler and a test keep one processor busy.
pub fn copied(mutants: &[Mutant], workers: usize) -> Result<Found, String> {
    let copied: Vec<_> = mutants.iter().filter_map(|mutant| Some((mutant, mutant.run.as_deref()?))).collect();
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Found::new()));
    let serve = &|number| -> io::Result<()> {
        let copy = Copy::new(number)?;
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
