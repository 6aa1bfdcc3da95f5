//! A pool of worker processes. Each plays one scenario after another; a crash is a failure of that scenario.

use crate::check::Verdict;
use crate::counterexample::Counterexample;
use crate::engines::catalog::Engine;
use crate::runner::interrupt;
use crate::scenario::Scenario;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{mem, panic, process};

/// One scenario for one engine. A worker receives it as a line of JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    pub engine: Engine,
    pub scenario: String,
    /// True if a failure is to be shrunk and drawn.
    pub draw: bool,
}

/// Lets `workers` processes of this program do all jobs, and calls `done` for each job with the answer or with the
/// way in which the worker was lost. A job that takes longer than `limit` counts as hanging. After Ctrl-C no job is begun.
///
/// # Errors
///
/// If a worker cannot be started.
pub fn work<J: Serialize + Sync, A: DeserializeOwned>(
    jobs: &[J],
    workers: usize,
    limit: Duration,
    done: impl Fn(usize, Result<A, String>) + Sync,
) -> io::Result<()> {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(None);
    let serve = || -> io::Result<()> {
        let mut worker = Worker::start()?;
        while let Some(at) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&at| at < jobs.len()) {
            if interrupt::is_asked() {
                break;
            }
            let answer = worker.answer(&jobs[at], limit)?;
            done(at, answer);
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

/// A worker process, as the pool sees it.
struct Worker {
    process: Child,
    jobs: ChildStdin,
    answers: Receiver<String>,
    /// The thread that reads standard error, and returns its last lines.
    complaints: JoinHandle<VecDeque<String>>,
}

/// The end of a worker process.
struct End {
    /// The exit status and the last lines of standard error.
    description: String,
    /// True if the process was ended by a signal that it does not send to itself.
    is_killed: bool,
}

const HANG: &str = "hang";

/// SIGKILL and SIGTERM.
const KILLED: [i32; 2] = [9, 15];

/// The number of reported panics of a lost worker: the first is the cause, others occur while it unwinds.
const LAST_WORDS: usize = 5;

impl Worker {
    fn start() -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        for name in loom_variables() {
            command.env_remove(name);
        }
        command.arg("worker").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn()?;
        let jobs = process.stdin.take().expect("piped");
        let lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        // A thread of its own reads, so that waiting for an answer can time out.
        let (send, answers) = channel();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| send.send(line)));
        let complaints = BufReader::new(process.stderr.take().expect("piped")).lines().map_while(Result::ok);
        let complaints = thread::spawn(move || {
            complaints.fold(VecDeque::new(), |mut last, line| {
                last.push_back(line);
                last.drain(..last.len().saturating_sub(LAST_WORDS));
                last
            })
        });
        Ok(Worker { process, jobs, answers, complaints })
    }

    /// Does one job. A lost worker is replaced by a new one. The job of a worker that was killed, most likely by hand,
    /// is done once more; a job that is killed for its memory is killed again.
    ///
    /// # Errors
    ///
    /// If no new worker can be started.
    fn answer<A: DeserializeOwned>(&mut self, job: &impl Serialize, limit: Duration) -> io::Result<Result<A, String>> {
        let mut was_killed = false;
        loop {
            let lost = match self.ask(job, limit) {
                Ok(answer) => return Ok(Ok(answer)),
                Err(lost) => lost,
            };
            let End { description, is_killed } = mem::replace(self, Worker::start()?).end();
            if was_killed || !is_killed || lost.starts_with(HANG) {
                return Ok(Err(format!("{lost}; the worker's {description}")));
            }
            was_killed = true;
        }
    }

    /// Sends a job and waits for the answer.
    ///
    /// # Errors
    ///
    /// If the worker was lost: how.
    fn ask<A: DeserializeOwned>(&mut self, job: &impl Serialize, limit: Duration) -> Result<A, String> {
        let lost = |error: io::Error| format!("crash: {error}");
        let line = serde_json::to_string(job).map_err(io::Error::from).map_err(lost)? + "\n";
        self.jobs.write_all(line.as_bytes()).map_err(lost)?;
        let answer = self.answers.recv_timeout(limit).map_err(|error| match error {
            RecvTimeoutError::Timeout => format!("{HANG}: no answer within {} s", limit.as_secs()),
            RecvTimeoutError::Disconnected => "crash: no answer".to_owned(),
        })?;
        serde_json::from_str(&answer).map_err(|error| format!("crash: {error}"))
    }

    /// Ends the process.
    fn end(mut self) -> End {
        let _ = self.process.kill();
        let end = self.process.wait();
        let is_killed = end.as_ref().is_ok_and(|end| end.signal().is_some_and(|signal| KILLED.contains(&signal)));
        let end = end.map_or_else(|error| error.to_string(), |status| status.to_string());
        let words: Vec<_> = self.complaints.join().unwrap_or_default().into();
        let description = if words.is_empty() { end } else { format!("{end}, after: {}", words.join(" / ")) };
        End { description, is_killed }
    }
}

/// The variables of the environment that loom reads. They would bound an exploration.
pub fn loom_variables() -> Vec<OsString> {
    let names = std::env::vars_os().map(|(name, _)| name);
    names.filter(|name| name.to_string_lossy().starts_with("LOOM_")).collect()
}

/// The worker's side: reads jobs and writes answers. Never returns: the process ends when the input does, also amid a job,
/// so that no worker outlives a pool that was killed.
///
/// # Errors
///
/// If a line is not a job, or the pool is gone.
pub fn serve<J: DeserializeOwned, A: Serialize>(answer: impl Fn(J) -> io::Result<A>) -> io::Result<()> {
    // Scenarios also panic on purpose, so these lines are read only if the worker is lost.
    panic::set_hook(Box::new(|panic| {
        eprintln!("{:.160}", panic.to_string().replace('\n', " "));
    }));
    let (send, jobs) = channel();
    thread::spawn(move || {
        // A failed send means that this worker ends by itself.
        let _ = io::stdin().lock().lines().map_while(Result::ok).try_for_each(|line| send.send(line));
        process::exit(0)
    });
    let mut answers = io::stdout().lock();
    for line in jobs {
        serde_json::to_writer(&mut answers, &answer(serde_json::from_str(&line)?)?)?;
        answers.write_all(b"\n")?;
        answers.flush()?;
    }
    Ok(())
}

impl Job {
    /// Plays and checks the scenario, and draws a failure if the job says so.
    ///
    /// # Errors
    ///
    /// If the scenario's text is malformed.
    pub fn verdict(&self) -> io::Result<Verdict> {
        let scenario: Scenario = self.scenario.parse().map_err(io::Error::other)?;
        let Job { engine, draw, .. } = *self;
        let start = Instant::now();
        let mut verdict = engine.check(&scenario);
        verdict.seconds = start.elapsed().as_secs_f64();
        if let (true, Some(fault)) = (draw, verdict.faults.first()) {
            verdict.counterexample =
                Some(Counterexample::of_failure(engine, engine.play(), &scenario, fault).to_string());
        }
        Ok(verdict)
    }
}
