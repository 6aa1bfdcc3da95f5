//! The solvers that the proof is put to: two that have nothing in common, and that must agree.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;
use std::{fmt, fs};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Solver {
    Z3,
    Cvc5,
}

/// What one solver said to a file of questions, each under the name that was echoed before it.
pub struct Answers {
    pub of: BTreeMap<String, String>,
    pub seconds: f64,
}

/// Seconds until a solver is given up.
const LIMIT: u32 = 120;

impl Solver {
    pub const ALL: [Solver; 2] = [Solver::Z3, Solver::Cvc5];

    fn command(self) -> Command {
        let (program, arguments) = match self {
            Solver::Z3 => ("z3", vec!["-smt2".to_owned(), format!("-T:{LIMIT}")]),
            // Without it some questions stay unknown, and none is answered with a state.
            Solver::Cvc5 => (
                "cvc5",
                vec!["--incremental".to_owned(), "--finite-model-find".to_owned(), format!("--tlimit={LIMIT}000")],
            ),
        };
        let mut command = Command::new(program);
        command.args(arguments);
        command
    }

    /// Its version.
    ///
    /// # Errors
    ///
    /// What to install.
    pub fn version(self) -> Result<String, String> {
        let missing = |_| format!("{self} is not installed: apt-get install -y z3 cvc5");
        let output = self.command().arg("--version").stderr(Stdio::null()).output().map_err(missing)?;
        let text = String::from_utf8_lossy(&output.stdout);
        let word = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
        Ok(format!("{self} {}", text.split_whitespace().find(word).unwrap_or("of an unknown version")))
    }

    /// Puts a script to it, which is kept in this file for whoever wants to do so by hand.
    ///
    /// # Errors
    ///
    /// If it cannot be run, or says that there is an error.
    pub fn ask(self, file: &Path, script: &str) -> Result<Answers, String> {
        let told = |error: std::io::Error| format!("{}: {error}", file.display());
        fs::write(file, script).map_err(told)?;
        let start = Instant::now();
        let output = self.command().arg(file).stdin(Stdio::null()).output().map_err(told)?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        if let Some(error) = printed.lines().find(|line| line.contains("(error")) {
            return Err(format!("{self} on {}: {error}", file.display()));
        }
        let mut of = BTreeMap::new();
        let mut name = None;
        for line in printed.lines().map(|line| line.trim().trim_matches('"')) {
            match name.take() {
                Some(name) => drop(of.insert(name, line.to_owned())),
                None => name = Some(line.to_owned()),
            }
        }
        Ok(Answers { of, seconds: start.elapsed().as_secs_f64() })
    }

    /// What it prints to a script.
    ///
    /// # Errors
    ///
    /// If it cannot be run.
    pub fn print(self, file: &Path, script: &str) -> Result<String, String> {
        let told = |error: std::io::Error| format!("{}: {error}", file.display());
        fs::write(file, script).map_err(told)?;
        let output = self.command().arg(file).stdin(Stdio::null()).output().map_err(told)?;
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
