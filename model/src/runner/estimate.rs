//! The time that a run takes, estimated before it: a share of the programs of each tier, drawn at random, is played.

use super::explore::Run;
use super::plan::Plan;
use crate::check::Verdict;
use crate::engines::catalog::Engine;
use crate::runner::workers::{Job, work};
use crate::universe::Tier;
use fastrand::Rng;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::{fmt, io};

/// The programs of which one is played.
const SHARE: usize = 100;

/// The fewest programs that are played of a tier on an engine.
const LEAST: usize = 5;

/// The programs of a tier on one engine, or programs of no tier.
type Group = (Engine, Option<Tier>);

/// The expected time of a run.
pub struct Expected {
    groups: Vec<(Group, Work)>,
    workers: usize,
}

/// The time of some programs, of which some were played.
struct Work {
    programs: usize,
    played: usize,
    /// The expected time of one worker that plays all of them.
    seconds: f64,
    /// The standard error of this time.
    error: f64,
}

impl Expected {
    /// Plays the share of the plan that this seed draws.
    ///
    /// # Errors
    ///
    /// If a worker cannot be started.
    pub fn of(run: &Run, plan: &Plan, seed: u64) -> io::Result<Self> {
        let mut groups: BTreeMap<Group, Vec<&Job>> = BTreeMap::new();
        plan.jobs.iter().for_each(|(tier, job)| groups.entry((job.engine, *tier)).or_default().push(job));
        let mut random = Rng::with_seed(seed);
        let mut draw = |jobs: &Vec<&'_ Job>| {
            let wanted = jobs.len().div_ceil(SHARE).max(LEAST).min(jobs.len());
            let mut places: Vec<usize> = (0..jobs.len()).collect();
            random.shuffle(&mut places);
            places.truncate(wanted);
            places
        };
        let drawn: Vec<(Group, &Job)> = groups
            .iter()
            .flat_map(|(group, jobs)| draw(jobs).into_iter().map(move |place| (*group, jobs[place])))
            .collect();
        let jobs: Vec<&Job> = drawn.iter().map(|(_, job)| *job).collect();
        let seconds: Mutex<BTreeMap<Group, Vec<f64>>> = Mutex::default();
        work(&jobs, run.workers, run.limit, |at, answer: Result<Verdict, String>| {
            let took = answer.map_or(run.limit.as_secs_f64(), |verdict| verdict.seconds);
            seconds.lock().expect("never poisoned").entry(drawn[at].0).or_default().push(took);
        })?;
        let seconds = seconds.into_inner().expect("never poisoned");
        let groups = groups.iter().map(|(group, jobs)| (*group, Work::of(&seconds[group], jobs.len())));
        Ok(Expected { groups: groups.collect(), workers: run.workers })
    }
}

impl Work {
    fn of(seconds: &[f64], programs: usize) -> Self {
        let (played, all) = (seconds.len() as f64, programs as f64);
        let mean = seconds.iter().sum::<f64>() / played;
        let variance = seconds.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (played - 1.0).max(1.0);
        // Programs that were played are known, so that nothing is uncertain once all were.
        let error = all * (variance / played * (1.0 - played / all)).sqrt();
        Work { programs, played: seconds.len(), seconds: all * mean, error }
    }
}

/// A line for each tier under each engine, and the time of the whole run.
impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut on = None;
        for ((engine, tier), Work { programs, played, seconds, error }) in &self.groups {
            if on.replace(*engine) != Some(*engine) {
                writeln!(f, "{}", engine.describe())?;
            }
            let name = tier.map_or("its own programs", Tier::describe);
            writeln!(
                f,
                "  {name:<50}  {seconds:>7.1} s of work, give or take {error:.1} s; {played} of {programs} played"
            )?;
        }
        let sum = |of: fn(&Work) -> f64| self.groups.iter().map(|(_, work)| of(work)).sum::<f64>();
        let (seconds, error) = (sum(|work| work.seconds), sum(|work| work.error * work.error).sqrt());
        let workers = self.workers as f64;
        write!(
            f,
            "about {:.0} s with {workers} workers, give or take {:.0} s, and the clients of the everyday run besides; nothing was \
             checked",
            seconds / workers,
            error / workers
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Work;

    #[test]
    fn the_time_of_all_is_that_of_the_share_that_was_played_times_their_number() {
        let some = Work::of(&[1.0, 3.0], 10);
        // The variance of one is 2, of the mean of two 1, of which the two that were played are a fifth.
        assert_eq!((some.seconds, some.played), (20.0, 2));
        assert!((some.error - 10.0 * 0.8_f64.sqrt()).abs() < 1e-9, "{}", some.error);
        let all = Work::of(&[1.0, 3.0, 5.0], 3);
        assert_eq!((all.seconds, all.error), (9.0, 0.0));
    }
}
