//! Worker processes: each plays one scenario after another, and a crash is that scenario's failure.

use crate::judge::{Engine, Verdict};
use crate::scenario::Scenario;
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// One scenario for one engine, as a worker is told it: a line of JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    pub engine: Engine,
    pub scenario: String,
}

/// Has every job done by `workers` processes of this program, and tells `done` of each as it ends.
///
/// # Errors
///
/// If a worker cannot be started.
pub fn work(jobs: &[Job], workers: usize, done: impl Fn(usize, Verdict) + Sync) -> io::Result<()> {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(None);
    let serve = || -> io::Result<()> {
        let mut worker = Worker::start()?;
        while let Some(at) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&at| at < jobs.len()) {
            let verdict = match worker.ask(&jobs[at]) {
                Ok(verdict) => verdict,
                Err(lost) => {
                    let end = worker.end();
                    worker = Worker::start()?;
                    Verdict::lost(format!("crash: the worker ended ({end}) before it answered: {lost}"))
                }
            };
            done(at, verdict);
        }
        Ok(())
    };
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                if let Err(error) = serve() {
                    *failed.lock().expect("never poisoned") = Some(error);
                }
            });
        }
    });
    failed.into_inner().expect("never poisoned").map_or(Ok(()), Err)
}

struct Worker {
    process: Child,
    jobs: ChildStdin,
    verdicts: BufReader<ChildStdout>,
}

impl Worker {
    fn start() -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut process = command.arg("worker").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let jobs = process.stdin.take().expect("piped");
        let verdicts = BufReader::new(process.stdout.take().expect("piped"));
        Ok(Worker { process, jobs, verdicts })
    }

    fn ask(&mut self, job: &Job) -> io::Result<Verdict> {
        let mut line = serde_json::to_string(job)?;
        line.push('\n');
        self.jobs.write_all(line.as_bytes())?;
        let mut answer = String::new();
        self.verdicts.read_line(&mut answer)?;
        Ok(serde_json::from_str(&answer)?)
    }

    /// How the process ended.
    fn end(mut self) -> String {
        let _ = self.process.kill();
        self.process.wait().map_or_else(|error| error.to_string(), |status| status.to_string())
    }
}

/// The worker's side: reads jobs, writes verdicts, until there are no more jobs.
///
/// # Errors
///
/// If a line is no job, or the other side is gone.
pub fn be_a_worker() -> io::Result<()> {
    let mut verdicts = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let job: Job = serde_json::from_str(&line?)?;
        let scenario: Scenario = job.scenario.parse().map_err(io::Error::other)?;
        let verdict = job.engine.check(&scenario);
        serde_json::to_writer(&mut verdicts, &verdict)?;
        verdicts.write_all(b"\n")?;
        verdicts.flush()?;
    }
    Ok(())
}
