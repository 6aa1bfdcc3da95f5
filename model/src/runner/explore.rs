//! Runs a plan on a pool of workers, with its progress on the terminal.

use super::checkpoint::Checkpoint;
use super::plan::Plan;
use super::report::Failure;
use super::tally::Tally;
use super::workers::{Job, work};
use crate::check::Verdict;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal, stderr};
use std::num::NonZeroU16;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

/// The size of the worker pool, and the time limit for one program.
pub struct Run {
    pub workers: usize,
    pub limit: Duration,
}

impl Run {
    /// Uses one worker for each core if `workers` is not given.
    ///
    /// # Errors
    ///
    /// If the number of cores cannot be determined.
    pub fn new(workers: Option<NonZeroU16>, limit: Duration) -> io::Result<Self> {
        let workers = match workers {
            Some(workers) => workers.get().into(),
            None => thread::available_parallelism()?.get(),
        };
        Ok(Run { workers, limit })
    }

    /// Explores the planned programs that are not in the checkpoint yet, and counts all planned programs. After Ctrl-C
    /// some are left.
    ///
    /// # Errors
    ///
    /// If a worker cannot be started, or the checkpoint cannot be written.
    pub fn explore(&self, plan: &Plan, checkpoint: Option<&Checkpoint>) -> io::Result<Tally> {
        let mut tally = Tally::default();
        let mut open = Vec::new();
        for (at, (tier, job)) in plan.jobs.iter().enumerate() {
            match checkpoint.and_then(|checkpoint| checkpoint.done.get(&at)) {
                Some(verdict) => tally.add(*tier, job, verdict),
                None => open.push(at),
            }
        }
        let jobs: Vec<&Job> = open.iter().map(|&at| &plan.jobs[at].1).collect();
        let tally = Mutex::new((tally, Ok(())));
        let progress = Meter::new(jobs.len());
        work(&jobs, self.workers, self.limit, |at, answer: Result<Verdict, String>| {
            let (tally, written) = &mut *tally.lock().expect("never poisoned");
            if let (Some(checkpoint), Ok(verdict)) = (checkpoint, &answer)
                && let Err(error) = checkpoint.write(open[at], verdict)
            {
                *written = Err(error);
            }
            let (tier, job) = &plan.jobs[open[at]];
            tally.add(*tier, job, &answer.unwrap_or_else(Verdict::lost));
            progress.done(tally.failures.len());
        })?;
        progress.bar.finish_and_clear();
        let (mut tally, written) = tally.into_inner().expect("never poisoned");
        tally.left = plan.jobs.len() - tally.programs();
        written.map(|()| tally)
    }

    /// Shrinks and draws the first failures of each kind. Workers do it, because a failure may crash the process.
    ///
    /// # Errors
    ///
    /// If a worker cannot be started.
    pub fn draw_failures(&self, tally: &mut Tally) -> io::Result<()> {
        let places = tally.failures_to_draw();
        let job = |&at: &usize| {
            let Failure { engine, scenario, .. } = &tally.failures[at];
            Job { engine: *engine, scenario: scenario.clone(), draw: true }
        };
        let jobs: Vec<Job> = places.iter().map(job).collect();
        let failures = Mutex::new(&mut tally.failures);
        work(&jobs, self.workers.min(jobs.len()), self.limit, |at, answer: Result<Verdict, String>| {
            let verdict = answer.unwrap_or_else(Verdict::lost);
            let drawn =
                verdict.counterexample.clone().unwrap_or_else(|| format!("FAIL {}\n{verdict}", jobs[at].scenario));
            failures.lock().expect("never poisoned")[places[at]].counterexample = Some(drawn);
        })
    }
}

/// The progress of a run: a bar on a terminal, elsewhere a line for each tenth of the programs.
struct Meter {
    bar: ProgressBar,
}

impl Meter {
    fn new(jobs: usize) -> Self {
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} programs, {eta} left, {msg}");
        Meter { bar: ProgressBar::new(jobs as u64).with_style(style.expect("a valid template")) }
    }

    fn done(&self, failures: usize) {
        self.bar.inc(1);
        self.bar.set_message(format!("{failures} failures"));
        let done = self.bar.position();
        if !stderr().is_terminal() && done.is_multiple_of((self.bar.length().unwrap_or(1) / 10).max(1)) {
            eprintln!("{}% of the programs, {failures} failures", 100 * done / self.bar.length().unwrap_or(1));
        }
    }
}
