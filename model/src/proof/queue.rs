//! The proof of the queue: every goal of `model/proof/queue.mlw`, with the answers of both solvers.

use crate::project::origin;
use crate::proof::solver::Solver;
use crate::proof::why3::{Goal, Why3};
use serde::Serialize;
use std::{fmt, thread};

/// The proven text, from the root of the project.
pub const FILE: &str = "model/proof/queue.mlw";

/// The operations, in the order of the table. The goals of all other functions are in its last row.
const OPERATIONS: [&str; 14] = [
    "push",
    "replace",
    "remove",
    "remove_all",
    "take",
    "next",
    "is_empty",
    "len",
    "waiting",
    "find",
    "grow",
    "spill",
    "close_up",
    "fit",
];

/// The properties. A goal belongs to those that its explanation names, else it is in the last column: bounds, overflow,
/// termination, and what one function asks of another.
const PROPERTIES: [&str; 8] = ["P7", "P9", "P10", "P15", "P19", "P20", "Cost", "Shape"];

/// The answers of one solver.
#[derive(Serialize)]
pub struct Answers {
    pub solver: String,
    pub seconds: f64,
    pub goals: Vec<Goal>,
}

/// Every goal, as each solver answers it.
#[derive(Serialize)]
pub struct QueueProof {
    pub answers: Vec<Answers>,
    /// Goals whose hypotheses contradict each other, so that they say nothing.
    pub contradictory: Vec<Goal>,
    /// Goals of places that cannot be reached, whose hypotheses must contradict each other.
    pub unreachable: usize,
}

/// Reads the text.
///
/// # Errors
///
/// If it cannot be read.
pub fn text() -> Result<String, String> {
    origin::text(FILE).map_err(|error| format!("{FILE}: {error}"))
}

impl QueueProof {
    /// Asks both solvers at the same time.
    ///
    /// # Errors
    ///
    /// If why3 or a solver is not installed, or why3 refuses the text.
    pub fn attempt(text: &str) -> Result<Self, String> {
        let why3 = Why3::new("queue", text)?;
        let ask = |solver: Solver| -> Result<Answers, String> {
            let version = solver.version()?;
            let (goals, seconds) = why3.prove(solver)?;
            Ok(Answers { solver: version, seconds, goals })
        };
        let (answers, contradictions) = thread::scope(|scope| -> Result<_, String> {
            let z3 = scope.spawn(|| ask(Solver::Z3));
            // Few goals take z3 as long as all of this takes cvc5.
            let cvc5 = ask(Solver::Cvc5).and_then(|answers| Ok((answers, why3.contradictions()?)));
            let z3 = z3.join().expect("a solver is asked without a panic")?;
            cvc5.map(|(cvc5, contradictions)| (vec![z3, cvc5], contradictions))
        })?;
        let proof = QueueProof { answers, contradictory: Vec::new(), unreachable: 0 };
        proof.with(&contradictions)
    }

    /// Includes what was found when contradictions were looked for.
    fn with(mut self, found: &[Goal]) -> Result<Self, String> {
        let goals = self.goals().to_vec();
        let is_same = |other: &[Goal]| {
            goals.len() == other.len() && goals.iter().zip(other).all(|(goal, other)| goal.of == other.of)
        };
        if !self.answers.iter().all(|answers| is_same(&answers.goals)) || !is_same(found) {
            return Err("the solvers were asked different goals".to_owned());
        }
        for (goal, found) in goals.into_iter().zip(found) {
            let must_contradict = goal.claim == "Unreachable point";
            self.unreachable += usize::from(must_contradict);
            if found.is_valid() != must_contradict {
                self.contradictory.push(goal);
            }
        }
        Ok(self)
    }

    fn goals(&self) -> &[Goal] {
        &self.answers[0].goals
    }

    /// True if one of the solvers proves the goal at this index.
    fn is_proven(&self, at: usize) -> bool {
        self.answers.iter().any(|answers| answers.goals[at].is_valid())
    }

    /// The goals that neither solver proves.
    pub fn open(&self) -> Vec<&Goal> {
        self.goals().iter().enumerate().filter(|(at, _)| !self.is_proven(*at)).map(|(_, goal)| goal).collect()
    }

    pub fn is_complete(&self) -> bool {
        self.open().is_empty() && self.contradictory.is_empty()
    }

    /// The number of goals of the functions and the properties, or `NO` if one of them is open.
    fn cell(&self, is_in: impl Fn(&Goal) -> bool) -> String {
        let chosen: Vec<usize> = (0..self.goals().len()).filter(|at| is_in(&self.goals()[*at])).collect();
        match chosen.len() {
            0 => String::new(),
            _ if !chosen.iter().all(|at| self.is_proven(*at)) => "NO".to_owned(),
            goals => goals.to_string(),
        }
    }

    fn row(&self, f: &mut fmt::Formatter<'_>, name: &str, is_of: impl Fn(&Goal) -> bool) -> fmt::Result {
        write!(f, "{name:<24}")?;
        for property in PROPERTIES {
            write!(f, " {:>5}", self.cell(|goal| is_of(goal) && names(goal, property)))?;
        }
        let is_other = |goal: &Goal| PROPERTIES.iter().all(|property| !names(goal, property));
        writeln!(f, " {:>5}", self.cell(|goal| is_of(goal) && is_other(goal)))
    }
}

/// True if the explanation of the goal names the property.
fn names(goal: &Goal, property: &str) -> bool {
    goal.claim.split([':', ' ', ',']).any(|word| word == property)
}

/// A table of operations and properties, then the answers and the time of each solver.
impl fmt::Display for QueueProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<24}", "the queue, goals of")?;
        PROPERTIES.iter().try_for_each(|property| write!(f, " {property:>5}"))?;
        writeln!(f, " {:>5}", "safe")?;
        OPERATIONS.iter().try_for_each(|operation| self.row(f, operation, |goal| goal.of == *operation))?;
        self.row(f, "the rest", |goal| !OPERATIONS.contains(&&*goal.of))?;
        for Answers { solver, seconds, goals } in &self.answers {
            let valid = goals.iter().filter(|goal| goal.is_valid()).count();
            writeln!(f, "{solver}: {valid} of {} goals proven in {seconds:.1} s", goals.len())?;
        }
        let by_all = |at: &usize| self.answers.iter().all(|answers| answers.goals[*at].is_valid());
        let both = (0..self.goals().len()).filter(by_all).count();
        let (open, unreachable) = (self.open().len(), self.unreachable);
        writeln!(f, "{both} goals are proven by both, {open} by none")?;
        writeln!(
            f,
            "hypotheses that contradict each other: {} goals, besides {unreachable} places that cannot be reached",
            self.contradictory.len()
        )
    }
}
