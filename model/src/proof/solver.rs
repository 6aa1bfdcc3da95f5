//! The two SMT solvers of the proof. They share no code, and must agree.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;
use std::{fmt, fs, io};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Solver {
    Z3,
    Cvc5,
}

/// The answers of one solver to a script of questions.
pub struct Answers {
    /// The answer of each question, by the name that the script echoes before it.
    pub of: BTreeMap<String, String>,
    pub seconds: f64,
}

/// Seconds until a solver is stopped.
const LIMIT: u32 = 120;

impl Solver {
    pub const ALL: [Solver; 2] = [Solver::Z3, Solver::Cvc5];

    fn command(self) -> Command {
        let (program, arguments) = match self {
            Solver::Z3 => ("z3", vec!["-smt2".to_owned(), format!("-T:{LIMIT}")]),
            // Without finite model finding some answers are `unknown`, and no counterexample is found.
            Solver::Cvc5 => (
                "cvc5",
                vec!["--incremental".to_owned(), "--finite-model-find".to_owned(), format!("--tlimit={LIMIT}000")],
            ),
        };
        let mut command = Command::new(program);
        command.args(arguments);
        command
    }

    /// The solver's name and version.
    ///
    /// # Errors
    ///
    /// If the solver is not installed: the command that installs it.
    pub fn version(self) -> Result<String, String> {
        let missing = |_| format!("{self} is not installed; install both solvers with: apt-get install -y z3 cvc5");
        let output = self.command().arg("--version").stderr(Stdio::null()).output().map_err(missing)?;
        let text = String::from_utf8_lossy(&output.stdout);
        let word = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
        Ok(format!("{self} {}", text.split_whitespace().find(word).unwrap_or("of an unknown version")))
    }

    /// Asks the questions of a script.
    ///
    /// # Errors
    ///
    /// If the solver cannot be run, or reports an error.
    pub fn ask(self, file: &Path, script: &str) -> Result<Answers, String> {
        let start = Instant::now();
        let printed = self.run(file, script)?;
        let seconds = start.elapsed().as_secs_f64();
        if let Some(error) = printed.lines().find(|line| line.contains("(error")) {
            return Err(format!("{self} reports an error in {}: {error}", file.display()));
        }
        let lines: Vec<&str> = printed.lines().map(|line| line.trim().trim_matches('"')).collect();
        let answers = lines.chunks_exact(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned()));
        Ok(Answers { of: answers.collect(), seconds })
    }

    /// Runs the solver on a script and returns its output. The script is kept in `file`, to be run by hand.
    ///
    /// # Errors
    ///
    /// If the file cannot be written, or the solver cannot be run.
    pub fn run(self, file: &Path, script: &str) -> Result<String, String> {
        let failed = |error: io::Error| format!("{self} on {}: {error}", file.display());
        fs::write(file, script).map_err(failed)?;
        let output = self.command().arg(file).stdin(Stdio::null()).output().map_err(failed)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl fmt::Display for Solver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Solver::Z3 => "z3",
            Solver::Cvc5 => "cvc5",
        })
    }
}
