//! The proof obligations of one inductive invariant, for any number of threads and callbacks.
//!
//! The first state satisfies the invariant (initiation), each action preserves it (consecution), and it implies the
//! properties. Two solvers must agree on every answer. The transition system, the invariant and the properties are in
//! `model/proof`, with a README that states the theorem. The names of clauses, actions and properties are read from the
//! comments there, so a new clause is checked without a change here.

use crate::project::copy::folder_in_target;
use crate::project::origin;
use crate::proof::solver::{Answers, Solver};
use std::fmt::{self, Write};
use std::path::PathBuf;
use std::{io, thread};

/// The text of the three files, and the names that they define.
#[derive(Clone)]
pub struct Theory {
    text: String,
    pub actions: Vec<String>,
    pub clauses: Vec<Clause>,
    /// The properties of a state.
    properties: Vec<String>,
    /// The properties of a step, each with its actions.
    steps: Vec<(String, Vec<String>)>,
}

/// A clause of the invariant.
#[derive(Clone)]
pub struct Clause {
    pub name: String,
    pub sentence: String,
    /// The properties that rest on the clause.
    pub gives: String,
}

/// One question to the solvers: are these assertions satisfiable together?
pub struct Query {
    pub kind: Kind,
    pub asserts: Vec<String>,
}

/// The claim that a question is about. Its `Display` names the question in scripts and tables.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The first state satisfies the clause.
    Initiation(String),
    /// The action preserves the clause.
    Consecution(String, String),
    /// The invariant implies the property.
    Property(String),
    /// The action has the property.
    Step(String, String),
    /// The action, if it changes anything, decreases the measure.
    Measure(String),
    /// The invariant permits the action.
    Possible(String),
    /// The proof fails without the clause.
    Needed(String),
}

impl Kind {
    /// The action in question.
    pub fn action(&self) -> Option<&str> {
        match self {
            Kind::Consecution(action, _) | Kind::Step(action, _) | Kind::Measure(action) | Kind::Possible(action) => {
                Some(action)
            }
            _ => None,
        }
    }

    /// The clause that must be preserved.
    pub fn clause(&self) -> Option<&str> {
        if let Kind::Consecution(_, clause) = self { Some(clause) } else { None }
    }

    fn expected(&self) -> &'static str {
        if matches!(self, Kind::Possible(_) | Kind::Needed(_)) { "sat" } else { "unsat" }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Initiation(clause) => write!(f, "init/{clause}"),
            Kind::Consecution(action, clause) => write!(f, "{action}/{clause}"),
            Kind::Property(name) => write!(f, "property/{name}"),
            Kind::Step(action, name) => write!(f, "property/{name}/{action}"),
            Kind::Measure(action) => write!(f, "measure/{action}"),
            Kind::Possible(action) => write!(f, "possible/{action}"),
            Kind::Needed(clause) => write!(f, "needed/{clause}"),
        }
    }
}

/// The paths of the three files, from the root of the project.
pub const FILES: [&str; 3] = ["model/proof/protocol.smt2", "model/proof/invariant.smt2", "model/proof/properties.smt2"];

impl Theory {
    /// Reads the three files.
    ///
    /// # Errors
    ///
    /// If a file cannot be read.
    pub fn read() -> io::Result<Self> {
        let texts: Vec<String> = FILES.iter().map(|file| origin::text(file)).collect::<Result<_, _>>()?;
        Ok(Theory::new(&texts))
    }

    /// Takes the names from the comments of these texts.
    pub fn new(texts: &[String]) -> Self {
        let text = texts.concat();
        let titles = |title: &str| {
            let title = format!("; {title}: ");
            text.lines().filter_map(|line| line.strip_prefix(&title).map(str::to_owned)).collect::<Vec<_>>()
        };
        let actions = titles("action");
        let split = |line: &String| {
            let (name, sentence) = line.split_once("]: ").unwrap_or((line, ""));
            let (name, gives) = name.split_once(" [").unwrap_or((name, ""));
            Clause { name: name.to_owned(), sentence: sentence.to_owned(), gives: gives.to_owned() }
        };
        let clauses = titles("clause").iter().map(split).collect();
        let steps = titles("step").into_iter().map(|line| split(&line)).map(|Clause { name, gives, .. }| {
            let these = match gives.trim_end_matches(']') {
                "every action" => actions.clone(),
                these => these.split(' ').map(str::to_owned).collect(),
            };
            (name, these)
        });
        Theory { clauses, properties: titles("property"), steps: steps.collect(), actions, text }
    }

    /// The definitions, and the constants of every question: a step from state s to state z, by thread t, with
    /// callback c and completion v.
    pub fn preamble(&self) -> String {
        let clauses = self.clauses.iter().map(|clause| format!("({} s)", clause.name));
        let constants = "(declare-const s State)\n(declare-const z State)\n(declare-const t Thread)\n\
                         (declare-const c Callback)\n(declare-const v Value)\n";
        let invariant = clauses.collect::<Vec<_>>().join(" ");
        let Theory { text, .. } = self;
        format!("(set-logic ALL)\n{text}\n(define-fun inv ((s State)) Bool (and {invariant}))\n{constants}")
    }

    /// The questions that make up the proof.
    pub fn obligations(&self) -> Vec<Query> {
        let query = |kind, asserts: &[&str]| Query { kind, asserts: asserts.iter().map(ToString::to_string).collect() };
        let mut queries = Vec::new();
        for Clause { name, .. } in &self.clauses {
            queries.push(query(Kind::Initiation(name.clone()), &["(init s)", &format!("(not ({name} s))")]));
            for action in &self.actions {
                let asserts = ["(inv s)", &taken(action), &format!("(not ({name} z))")];
                queries.push(query(Kind::Consecution(action.clone(), name.clone()), &asserts));
            }
        }
        for property in &self.properties {
            queries.push(query(Kind::Property(property.clone()), &["(inv s)", &not_of_state(property)]));
        }
        for (property, action) in self.steps() {
            let asserts = ["(inv s)", &taken(action), &not_of_step(property)];
            queries.push(query(Kind::Step(action.clone(), property.clone()), &asserts));
        }
        for action in &self.actions {
            let asserts = ["(inv s)", &taken(action), "(changes s z)", "(not (makes_smaller s z t))"];
            queries.push(query(Kind::Measure(action.clone()), &asserts));
        }
        queries
    }

    /// The questions that show that the proof is not vacuous: every action is possible, every clause is needed.
    pub fn controls(&self) -> Vec<Query> {
        let mut queries = vec![Query {
            kind: Kind::Possible("init".to_owned()),
            asserts: vec!["(init s)".to_owned(), "(inv s)".to_owned()],
        }];
        for action in &self.actions {
            let asserts = vec!["(inv s)".to_owned(), taken(action), "(changes s z)".to_owned()];
            queries.push(Query { kind: Kind::Possible(action.clone()), asserts });
        }
        for Clause { name, .. } in &self.clauses {
            let others = || self.clauses.iter().filter(|other| other.name != *name);
            let mut asserts: Vec<String> = others().map(|other| format!("({} s)", other.name)).collect();
            let steps: Vec<String> = self.actions.iter().map(|action| taken(action)).collect();
            let kept: Vec<String> = others().map(|other| format!("({} z)", other.name)).collect();
            let mut fails = vec![format!("(and (or {}) (not (and {})))", steps.join(" "), kept.join(" "))];
            fails.extend(self.properties.iter().map(|property| not_of_state(property)));
            fails.extend(
                self.steps().map(|(property, action)| format!("(and {} {})", taken(action), not_of_step(property))),
            );
            asserts.push(format!("(or {})", fails.join(" ")));
            queries.push(Query { kind: Kind::Needed(name.clone()), asserts });
        }
        queries
    }

    fn steps(&self) -> impl Iterator<Item = (&String, &String)> {
        self.steps.iter().flat_map(|(property, actions)| actions.iter().map(move |action| (property, action)))
    }

    /// Asks a solver these questions, by a script of this name.
    ///
    /// # Errors
    ///
    /// If the solver cannot be run, or reports an error.
    pub fn ask(&self, solver: Solver, name: &str, queries: &[Query]) -> Result<Answers, String> {
        let mut script = self.preamble();
        for Query { kind, asserts } in queries {
            let asserts: String = asserts.iter().map(|assert| format!("(assert {assert})\n")).collect();
            write!(script, "(push 1)\n{asserts}(echo \"{kind}\")\n(check-sat)\n(pop 1)\n")
                .expect("strings can be written");
        }
        solver.ask(&folder()?.join(format!("{name}.{solver}.smt2")), &script)
    }
}

/// The assertion that the action leads from s to z.
fn taken(action: &str) -> String {
    format!("({action} s z t c v)")
}

/// The name of a property, without its number.
fn bare(property: &str) -> &str {
    property.split_once(' ').map_or(property, |(_, name)| name)
}

fn not_of_state(property: &str) -> String {
    format!("(not ({} s))", bare(property))
}

fn not_of_step(property: &str) -> String {
    format!("(not ({} s z t c))", bare(property))
}

/// The folder that keeps the scripts.
///
/// # Errors
///
/// If the folder cannot be created.
pub fn folder() -> Result<PathBuf, String> {
    folder_in_target("proof")
}

/// Every question, with the answers of both solvers.
pub struct Proof {
    pub theory: Theory,
    queries: Vec<Query>,
    answers: Vec<(String, Answers)>,
}

impl Proof {
    /// Asks both solvers at the same time.
    ///
    /// # Errors
    ///
    /// If a solver is not installed, or reports an error.
    pub fn attempt(theory: Theory) -> Result<Self, String> {
        let mut queries = theory.obligations();
        queries.extend(theory.controls());
        let ask = |solver: Solver| Ok((solver.version()?, theory.ask(solver, "proof", &queries)?));
        let answers = thread::scope(|scope| {
            let asked = Solver::ALL.map(|solver| scope.spawn(move || ask(solver)));
            asked
                .into_iter()
                .map(|asked| asked.join().expect("a solver is asked without a panic"))
                .collect::<Result<Vec<_>, String>>()
        })?;
        Ok(Proof { theory, queries, answers })
    }

    fn answers<'a>(&'a self, kind: &Kind) -> impl Iterator<Item = &'a str> {
        let name = kind.to_string();
        self.answers.iter().map(move |(_, answers)| answers.of.get(&name).map_or("no answer", String::as_str))
    }

    /// True if both solvers gave the expected answer.
    fn is_shown(&self, kind: &Kind) -> bool {
        self.answers(kind).all(|answer| answer == kind.expected())
    }

    /// The questions that did not get the expected answer.
    pub fn failures(&self) -> Vec<&Query> {
        self.queries.iter().filter(|query| !self.is_shown(&query.kind)).collect()
    }

    /// The number of questions that each solver was asked.
    pub fn questions(&self) -> usize {
        self.queries.len()
    }

    /// `ok`; `NO` if both solvers refute the claim; `??` if they do not agree or do not know.
    fn cell(&self, kind: &Kind) -> &'static str {
        match self.is_shown(kind) {
            true => "ok",
            false if self.answers(kind).all(|answer| answer == "sat") => "NO",
            false => "??",
        }
    }

    /// The worst cell of a property of a step.
    fn step_cell(&self, property: &str, actions: &[String]) -> &'static str {
        let cell = |action: &String| self.cell(&Kind::Step(action.clone(), property.to_owned()));
        actions.iter().map(cell).find(|cell| *cell != "ok").unwrap_or("ok")
    }

    fn write_clause(&self, f: &mut fmt::Formatter<'_>, columns: &[Column<'_>], clause: &str) -> fmt::Result {
        write!(f, "{clause:<24}")?;
        let kept = self.theory.actions.iter().map(|action| Kind::Consecution(action.clone(), clause.to_owned()));
        for (kind, column) in [Kind::Initiation(clause.to_owned())].into_iter().chain(kept).zip(columns) {
            column.write(f, self.cell(&kind))?;
        }
        writeln!(f, " {}", if self.is_shown(&Kind::Needed(clause.to_owned())) { "" } else { "not needed" })
    }
}

/// A column of the table, under the words of an action's name, one word a line.
struct Column<'a> {
    words: Vec<&'a str>,
    width: usize,
}

impl<'a> Column<'a> {
    fn new(name: &'a str) -> Self {
        let words: Vec<&str> = name.split('_').collect();
        let width = words.iter().map(|word| word.len()).max().unwrap_or(0);
        Column { words, width }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
        write!(f, " {text:<width$}", width = self.width)
    }
}

fn write_head(f: &mut fmt::Formatter<'_>, columns: &[Column<'_>]) -> fmt::Result {
    for line in 0..columns.iter().map(|column| column.words.len()).max().unwrap_or(0) {
        write!(f, "{:<24}", if line == 0 { "clause, preserved by" } else { "" })?;
        columns.iter().try_for_each(|column| column.write(f, column.words.get(line).unwrap_or(&"")))?;
        writeln!(f)?;
    }
    Ok(())
}

/// A table of clauses and actions, then the properties, then the answers and the time of each solver.
impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Theory { clauses, actions, properties, steps, .. } = &self.theory;
        let names = ["init"].into_iter().chain(actions.iter().map(String::as_str));
        let columns: Vec<Column<'_>> = names.map(Column::new).collect();
        write_head(f, &columns)?;
        clauses.iter().try_for_each(|clause| self.write_clause(f, &columns, &clause.name))?;
        write!(f, "{:<29}", "measure decreased by")?;
        for (action, column) in actions.iter().zip(&columns[1..]) {
            column.write(f, self.cell(&Kind::Measure(action.clone())))?;
        }
        writeln!(f)?;
        for property in properties {
            writeln!(f, "{property:<42} {}", self.cell(&Kind::Property(property.clone())))?;
        }
        for (property, actions) in steps {
            writeln!(f, "{property:<42} {}", self.step_cell(property, actions))?;
        }
        let possible = actions.iter().filter(|action| self.is_shown(&Kind::Possible((*action).clone()))).count();
        writeln!(f, "{possible} of {} actions are possible within the invariant", actions.len())?;
        for (solver, Answers { of, seconds }) in &self.answers {
            let (answered, asked) = (of.len(), self.queries.len());
            writeln!(f, "{solver}: {answered} of {asked} questions answered in {seconds:.1} s")?;
        }
        Ok(())
    }
}
