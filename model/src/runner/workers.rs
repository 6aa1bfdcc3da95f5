//! Worker processes: each plays one scenario after another, and a crash is that scenario's failure.

use crate::check::Verdict;
use crate::counterexample::Counterexample;
use crate::engines::catalog::Engine;
use crate::scenario::Scenario;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::panic;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// One scenario for one engine, as a worker is told it: a line of JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    pub engine: Engine,
    pub scenario: String,
    /// Whether a failure is to be shown.
    pub exhibit: bool,
}

/// Has every job done by `workers` processes of this program, and tells `done` of each as it ends: the
/// answer, or what became of the worker. One that takes longer than `limit` hangs. If somebody kills a worker, its
/// job is done by the next one.
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
            let mut was_killed = false;
            let answer = loop {
                let lost = match worker.ask(&jobs[at], limit) {
                    Ok(answer) => break Ok(answer),
                    Err(lost) => lost,
                };
                let end = worker.end();
                worker = Worker::start()?;
                // By hand, most likely: it is asked once more. A job that is killed for its memory is killed again.
                if was_killed || !end.is_killed || lost.starts_with(HANG) {
                    break Err(format!("{lost}; the worker's {}", end.told));
                }
                was_killed = true;
            };
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

struct Worker {
    process: Child,
    jobs: ChildStdin,
    answers: Receiver<String>,
    /// Reads what it complains of, to the end.
    complaints: JoinHandle<VecDeque<String>>,
}

/// What a worker's end says.
struct End {
    told: String,
    /// By a signal that nothing sends to itself.
    is_killed: bool,
}

const HANG: &str = "hang";
const KILLED: [i32; 2] = [9, 15];

/// The last panics of a worker that are told when it is lost: one, and those that it met on its way out.
const LAST_WORDS: usize = 5;

impl Worker {
    fn start() -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("worker").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn()?;
        let jobs = process.stdin.take().expect("piped");
        let lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        // A thread of its own, so that whoever waits for an answer can stop waiting.
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

    /// # Errors
    ///
    /// What became of the worker.
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

    /// How the process ended, and what it said last.
    fn end(mut self) -> End {
        let _ = self.process.kill();
        let end = self.process.wait();
        let is_killed = end.as_ref().is_ok_and(|end| end.signal().is_some_and(|signal| KILLED.contains(&signal)));
        let end = end.map_or_else(|error| error.to_string(), |status| status.to_string());
        let words: Vec<_> = self.complaints.join().unwrap_or_default().into();
        let told = if words.is_empty() { end } else { format!("{end}, after: {}", words.join(" / ")) };
        End { told, is_killed }
    }
}

/// The worker's side: reads jobs, writes answers, until there are no more jobs.
///
/// # Errors
///
/// If a line is no job, or the other side is gone.
pub fn serve<J: DeserializeOwned, A: Serialize>(answer: impl Fn(J) -> io::Result<A>) -> io::Result<()> {
    // Scenarios panic on purpose too: only the last words of a worker that is lost are read.
    panic::set_hook(Box::new(|panic| {
        eprintln!("{:.160}", panic.to_string().replace('\n', " "));
    }));
    let mut answers = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        serde_json::to_writer(&mut answers, &answer(serde_json::from_str(&line?)?)?)?;
        answers.write_all(b"\n")?;
        answers.flush()?;
    }
    Ok(())
}

impl Job {
    /// Plays the scenario, judges it, and shows a failure if it is to be shown.
    ///
    /// # Errors
    ///
    /// If the text is malformed.
    pub fn verdict(&self) -> io::Result<Verdict> {
        let scenario: Scenario = self.scenario.parse().map_err(io::Error::other)?;
        let Job { engine, exhibit, .. } = *self;
        let mut verdict = engine.check(&scenario);
        if let (true, Some(fault)) = (exhibit, verdict.faults.first()) {
            verdict.counterexample =
                Some(Counterexample::of_failure(engine, engine.play(), &scenario, fault).to_string());
        }
        Ok(verdict)
    }
}
