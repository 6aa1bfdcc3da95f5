//! CPython as a process that plays programs on asyncio.

use super::program::Program;
use serde::{Deserialize, Serialize};
use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub struct Oracle {
    pub version: String,
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

#[derive(Serialize)]
struct Question<'a> {
    program: &'a Program,
    departing: bool,
}

/// The trace of a program.
#[derive(Deserialize)]
pub struct Shown {
    pub trace: Vec<String>,
    /// The departures by the numbers of their decisions, each with the length of the trace at that moment.
    pub departures: Vec<(String, usize)>,
}

#[derive(Deserialize)]
struct Interpreter {
    name: String,
    version: (u32, u32, u32),
}

impl Oracle {
    /// Starts the interpreter. Returns `None` without a suitable one, and prints why; in CI that is a failure.
    pub fn start(script: &Path) -> Option<Self> {
        let python = env::var("WHENDONE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let why = match Self::of(&python, script) {
            Ok(oracle) => return Some(oracle),
            Err(why) => why,
        };
        let cure = "install CPython 3.11 or later as python3, or name it in WHENDONE_PYTHON";
        assert!(env::var_os("CI").is_none(), "nothing is compared with asyncio: {python}: {why}; {cure}");
        tell(&format!("SKIPPED: nothing is compared with asyncio: {python}: {why}; {cure}"));
        None
    }

    fn of(python: &str, script: &Path) -> Result<Self, String> {
        let mut command = Command::new(python);
        let piped = command.arg("-I").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = piped.spawn().map_err(|error| error.to_string())?;
        let (questions, answers) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let mut oracle = Oracle { version: String::new(), process, questions, answers: BufReader::new(answers) };
        let hello = oracle.answer().map_err(|error| format!("it does not answer ({error})"))?;
        let Interpreter { name, version } = serde_json::from_str(&hello).map_err(|error| error.to_string())?;
        oracle.version = format!("{name} {}.{}.{}", version.0, version.1, version.2);
        if name != "cpython" || version < (3, 11, 0) {
            return Err(format!("it is {}", oracle.version));
        }
        Ok(oracle)
    }

    pub fn play(&mut self, program: &Program, departing: bool) -> Shown {
        let mut question = serde_json::to_string(&Question { program, departing }).unwrap();
        question.push('\n');
        self.questions.write_all(question.as_bytes()).expect("the oracle listens");
        let answer = self.answer().unwrap_or_else(|error| panic!("no answer to {question}{error}"));
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    fn answer(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.answers.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line),
        }
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Prints to standard error, even when the output of a passing test is captured.
pub fn tell(line: &str) {
    writeln!(io::stderr(), "{line}").expect("standard error is open");
}
