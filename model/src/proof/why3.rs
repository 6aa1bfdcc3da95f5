//! why3, which turns `model/proof/queue.mlw` into goals and asks the solvers.

use crate::project::copy::folder_in_target;
use crate::proof::solver::Solver;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use std::{fs, io};

/// The command that installs why3, and what it needs to extract OCaml that can be compiled.
pub const INSTALL: &str = "apt-get install -y why3 libzarith-ocaml-dev";

/// Seconds of cvc5 for one goal. On an idle machine none takes one.
const LIMIT: u32 = 20;

/// Seconds of z3, which gives a second opinion: it does not find all of the proofs.
const SECOND_LIMIT: u32 = 2;

/// Milliseconds for one look for a contradiction. Each look that finds none takes as long; an average proof takes 50.
const SMOKE_LIMIT: u32 = 200;

/// A goal, and the answer of a solver.
#[derive(Clone, Debug, Serialize)]
pub struct Goal {
    /// The function of `queue.mlw`.
    pub of: String,
    /// The explanation of the goal, as in `P7: last in line`.
    pub claim: String,
    pub line: usize,
    pub answer: String,
}

impl Goal {
    pub fn is_valid(&self) -> bool {
        self.answer == "Valid"
    }

    /// The goal of a block that why3 prints, such as
    ///
    /// ```text
    /// File "queue.mlw", line 22, characters 14-25:
    /// Sub-goal Postcondition of goal f'vc.
    /// Prover result is: Valid (0.02s, 1174 steps).
    /// ```
    fn parse(block: &str) -> Option<Self> {
        let mut lines = block.lines();
        let place = lines.find(|line| line.starts_with("File "))?;
        let line = place.split("line ").nth(1).and_then(|rest| rest.split(',').next()?.parse().ok());
        let goal = lines.next()?.trim_end_matches('.');
        let (claim, of) = match goal.strip_prefix("Sub-goal ") {
            Some(goal) => goal.rsplit_once(" of goal ")?,
            None => ("", goal.strip_prefix("Goal ")?),
        };
        let answer = lines.next()?.strip_prefix("Prover result is: ")?;
        let answer = answer.split(" (").next()?.trim_end_matches([',', '.']);
        let of = of.trim_end_matches("'vc").to_owned();
        Some(Goal { of, claim: claim.to_owned(), line: line.unwrap_or(0), answer: answer.to_owned() })
    }
}

/// A folder with a copy of the text, in which why3 is run.
pub struct Why3 {
    folder: PathBuf,
}

impl Why3 {
    /// why3's name and version.
    ///
    /// # Errors
    ///
    /// If it is not installed: the command that installs it.
    pub fn version() -> Result<String, String> {
        let printed = run(Command::new("why3").arg("--version"));
        let printed = printed.map_err(|_| format!("why3 is not installed; install it with: {INSTALL}"))?;
        Ok(format!("why3 {}", printed.split_whitespace().last().unwrap_or_default()))
    }

    /// Writes the text and why3's configuration to a folder of this name.
    ///
    /// # Errors
    ///
    /// If why3 is not installed, or a file cannot be written.
    pub fn new(name: &str, text: &str) -> Result<Self, String> {
        Why3::version()?;
        let folder = folder_in_target("proof")?.join(name);
        let data = run(Command::new("why3").arg("--print-datadir"))?;
        let write = |file: &str, text: String| {
            let path = folder.join(file);
            fs::create_dir_all(&folder).and_then(|()| fs::write(&path, text)).map_err(|error| at(&path, &error))
        };
        write("whendone.mlw", text.to_owned())?;
        // why3 1.5.1 knows cvc4 1.8; this is its driver for that one, with another name of the logic.
        let driver = format!("prelude \"(set-logic ALL)\"\nimport \"{}/drivers/cvc4_16.gen\"\n", data.trim());
        write("solver.drv", driver)?;
        let driver = folder.join("solver.drv");
        let prover = |name: &str, command: &str| {
            format!(
                "[prover]\nname = \"{name}\"\nshortcut = \"{name}\"\nversion = \"1\"\ncommand = \"{command} %f\"\n\
                 command_steps = \"\"\neditor = \"\"\nin_place = false\ninteractive = false\ndriver = {driver:?}\n\n"
            )
        };
        let smoke = prover("smoke", &format!("cvc5 --tlimit-per={SMOKE_LIMIT} --lang=smt2"));
        let cvc5 = prover("cvc5", "cvc5 --tlimit-per=%t000 --lang=smt2");
        write("why3.conf", [cvc5, prover("z3", "z3 -smt2 -T:%t"), smoke].concat())?;
        Ok(Why3 { folder })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Every goal with the answer of this solver, and the seconds that it took.
    ///
    /// # Errors
    ///
    /// If why3 refuses the text.
    pub fn prove(&self, solver: Solver) -> Result<(Vec<Goal>, f64), String> {
        let start = Instant::now();
        let limit = if solver == Solver::Z3 { SECOND_LIMIT } else { LIMIT };
        let goals = self.ask(&solver.to_string(), limit, &["-a", "split_vc"])?;
        Ok((goals, start.elapsed().as_secs_f64()))
    }

    /// The goals of one function, which has its module in front, as in `Queue.push`, with the answers of cvc5.
    ///
    /// # Errors
    ///
    /// If why3 refuses the text.
    pub fn prove_one(&self, function: &str) -> Result<Vec<Goal>, String> {
        let (module, name) = function.split_once('.').ok_or(format!("{function} has no module in front"))?;
        self.ask("cvc5", SECOND_LIMIT, &["-a", "split_vc", "-T", module, "-G", &format!("{name}'vc")])
    }

    /// Every goal, `Valid` if its hypotheses contradict each other. why3's smoke detector negates the conclusion.
    ///
    /// # Errors
    ///
    /// If why3 refuses the text.
    pub fn contradictions(&self) -> Result<Vec<Goal>, String> {
        // why3 applies the last transformation first.
        self.ask("smoke", LIMIT, &["-a", "smoke_detector_top", "-a", "split_vc"])
    }

    fn ask(&self, prover: &str, limit: u32, arguments: &[&str]) -> Result<Vec<Goal>, String> {
        let mut why3 = self.command("prove");
        why3.args(["whendone.mlw", "-P", prover, "-t", &limit.to_string()]).args(arguments);
        let output = why3.output().map_err(|error| format!("why3: {error}"))?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let goals: Vec<Goal> =
            printed.split("\nFile ").filter_map(|block| Goal::parse(&format!("File {block}"))).collect();
        let errors = String::from_utf8_lossy(&output.stderr);
        let error = errors.lines().find(|line| line.contains("rror") || line.contains("annot"));
        match (goals.is_empty(), error) {
            (false, None) => Ok(goals),
            _ => Err(format!("why3 refuses the text: {}", errors.trim())),
        }
    }

    /// Extracts the operations to `queue.ml`.
    ///
    /// # Errors
    ///
    /// If why3 cannot.
    pub fn extract(&self, driver: &Path) -> Result<(), String> {
        let modules = ["whendone.Places", "whendone.Vec", "whendone.Queue"];
        let driver = std::path::absolute(driver).map_err(|error| at(driver, &error))?;
        let mut why3 = self.command("extract");
        why3.args(["-L", ".", "-D", "ocaml64", "-D"]).arg(driver).args(modules).args(["-o", "queue.ml"]);
        run(&mut why3).map(drop)
    }

    fn command(&self, name: &str) -> Command {
        let mut why3 = Command::new("why3");
        why3.arg(name).args(["-C", "why3.conf"]).current_dir(&self.folder);
        why3
    }
}

/// Runs a command, and returns its output.
///
/// # Errors
///
/// If it cannot be run, or fails: its name, and what it says.
pub fn run(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{name}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("{name} failed: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}

fn at(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::Goal;

    #[test]
    fn a_goal_is_read_with_its_claim_and_a_failed_one_is_not_valid() {
        let block = "File \"queue.mlw\", line 22, characters 14-25:\nSub-goal P7: last of goal push'vc.\n";
        let goal = |answer: &str| Goal::parse(&format!("{block}Prover result is: {answer}")).expect("a goal");
        let valid = goal("Valid (0.02s, 1174 steps).");
        assert_eq!((&*valid.of, &*valid.claim, valid.line, valid.is_valid()), ("push", "P7: last", 22, true));
        for answer in ["Timeout (5.00s).", "Unknown (unknown) (0.1s).", "High failure (2.0s),", "Invalid (0.1s)."] {
            assert!(!goal(answer).is_valid(), "{answer}");
        }
    }
}
