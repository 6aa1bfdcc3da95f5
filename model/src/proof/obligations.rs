//! The proof for any number of threads and callbacks: its questions, put to both solvers.
//!
//! The system, the invariant and the properties lie in `model/proof`, with a README on what they say. Their names
//! are read from the comments there, so that a clause or a step that is added there is asked for here.

use crate::project::copy::{project, target};
use crate::proof::solver::{Answers, Solver};
use std::fmt::{self, Write};
use std::path::PathBuf;
use std::{fs, io, thread};

/// The three files, as text, and what they define.
#[derive(Clone)]
pub struct Theory {
    text: String,
    pub actions: Vec<String>,
    pub clauses: Vec<Clause>,
    /// Of a state.
    properties: Vec<String>,
    /// Of a step, and which.
    steps: Vec<(String, Vec<String>)>,
}

#[derive(Clone)]
pub struct Clause {
    pub name: String,
    pub sentence: String,
    /// The properties that rest on it.
    pub gives: String,
}

/// One question, and what its answer must be.
pub struct Query {
    pub kind: Kind,
    pub asserts: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Initiation(String),
    /// The action keeps the clause.
    Consecution(String, String),
    Property(String),
    /// The action has the property.
    Step(String, String),
    /// The action, if it changes anything, makes the measure smaller.
    Measure(String),
    /// The invariant leaves the action possible.
    Possible(String),
    /// Without the clause something is not proven.
    Needed(String),
}

impl Kind {
    /// The step that it asks about.
    pub fn action(&self) -> Option<&str> {
        match self {
            Kind::Consecution(action, _) | Kind::Step(action, _) | Kind::Measure(action) | Kind::Possible(action) => {
                Some(action)
            }
            _ => None,
        }
    }

    /// The clause that is kept.
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
    /// # Errors
    ///
    /// If a file cannot be read.
    pub fn read() -> io::Result<Self> {
        let texts: Vec<String> =
            FILES.iter().map(|file| fs::read_to_string(project().join(file))).collect::<Result<_, _>>()?;
        Ok(Theory::new(&texts))
    }

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
            let of = gives.trim_end_matches(']');
            let of = if of == "every action" { actions.clone() } else { of.split(' ').map(str::to_owned).collect() };
            (name, of)
        });
        Theory { clauses, properties: titles("property"), steps: steps.collect(), actions, text }
    }

    /// What is asked is asked of a state s, of a step from s to z, of thread t, callback c, completion v.
    pub fn preamble(&self) -> String {
        let clauses = self.clauses.iter().map(|clause| format!("({} s)", clause.name));
        let constants = "(declare-const s State)\n(declare-const z State)\n(declare-const t Thread)\n\
                         (declare-const c Callback)\n(declare-const v Value)\n";
        let invariant = clauses.collect::<Vec<_>>().join(" ");
        let Theory { text, .. } = self;
        format!("(set-logic ALL)\n{text}\n(define-fun inv ((s State)) Bool (and {invariant}))\n{constants}")
    }

    /// The proof.
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

    /// That it says something: no action is made impossible, and no clause is idle.
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

    /// Puts these questions to a solver, in a file of this name.
    ///
    /// # Errors
    ///
    /// If it cannot be run, or says that there is an error.
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

pub fn taken(action: &str) -> String {
    format!("({action} s z t c v)")
}

/// The name is behind the number.
fn bare(property: &str) -> &str {
    property.split_once(' ').map_or(property, |(_, name)| name)
}

fn not_of_state(property: &str) -> String {
    format!("(not ({} s))", bare(property))
}

fn not_of_step(property: &str) -> String {
    format!("(not ({} s z t c))", bare(property))
}

/// Where the scripts are kept.
///
/// # Errors
///
/// If it cannot be made.
pub fn folder() -> Result<PathBuf, String> {
    let folder = target().join("proof");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

/// Every question, and what each solver said.
pub struct Proof {
    pub theory: Theory,
    queries: Vec<Query>,
    answers: Vec<(String, Answers)>,
}

impl Proof {
    /// Asks both solvers, at once.
    ///
    /// # Errors
    ///
    /// If one is not installed, or says that there is an error.
    pub fn attempt(theory: Theory) -> Result<Self, String> {
        let mut queries = theory.obligations();
        queries.extend(theory.controls());
        let ask = |solver: Solver| Ok((solver.version()?, theory.ask(solver, "proof", &queries)?));
        let answers = thread::scope(|scope| {
            let asked = Solver::ALL.map(|solver| scope.spawn(move || ask(solver)));
            asked.into_iter().map(|asked| asked.join().expect("contained")).collect::<Result<Vec<_>, String>>()
        })?;
        Ok(Proof { theory, queries, answers })
    }

    fn said<'a>(&'a self, kind: &Kind) -> impl Iterator<Item = &'a str> {
        let name = kind.to_string();
        self.answers.iter().map(move |(_, answers)| answers.of.get(&name).map_or("no answer", String::as_str))
    }

    fn is_answered(&self, kind: &Kind) -> bool {
        self.said(kind).all(|said| said == kind.expected())
    }

    /// What is not answered as it must be.
    pub fn failures(&self) -> Vec<&Query> {
        self.queries.iter().filter(|query| !self.is_answered(&query.kind)).collect()
    }

    fn cell(&self, kind: Kind) -> &'static str {
        match self.is_answered(&kind) {
            true => "ok",
            false if self.said(&kind).all(|said| said == "sat") => "NO",
            false => "??",
        }
    }
}

/// Clause by action, then the properties, and what each solver took.
impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Theory { clauses, actions, properties, .. } = &self.theory;
        let heads: Vec<Vec<&str>> = ["init"]
            .into_iter()
            .chain(actions.iter().map(String::as_str))
            .map(|name| name.split('_').collect())
            .collect();
        let widths: Vec<usize> =
            heads.iter().map(|words| words.iter().map(|word| word.len()).max().unwrap_or(0)).collect();
        for line in 0..heads.iter().map(Vec::len).max().unwrap_or(0) {
            write!(f, "{:<24}", if line == 0 { "clause, kept by" } else { "" })?;
            for (words, width) in heads.iter().zip(&widths) {
                write!(f, " {:<width$}", words.get(line).unwrap_or(&""))?;
            }
            writeln!(f)?;
        }
        for Clause { name, .. } in clauses {
            write!(f, "{name:<24}")?;
            let kept = actions.iter().map(|action| Kind::Consecution(action.clone(), name.clone()));
            for (kind, width) in [Kind::Initiation(name.clone())].into_iter().chain(kept).zip(&widths) {
                write!(f, " {:<width$}", self.cell(kind))?;
            }
            writeln!(f, " {}", if self.is_answered(&Kind::Needed(name.clone())) { "" } else { "not needed" })?;
        }
        write!(f, "{:<29}", "measure made smaller")?;
        for (action, width) in actions.iter().zip(&widths[1..]) {
            write!(f, " {:<width$}", self.cell(Kind::Measure(action.clone())))?;
        }
        writeln!(f)?;
        for property in properties {
            writeln!(f, "{:<42} {}", property, self.cell(Kind::Property(property.clone())))?;
        }
        for (property, of) in &self.theory.steps {
            let cells: Vec<_> =
                of.iter().map(|action| self.cell(Kind::Step(action.clone(), property.clone()))).collect();
            let (first, all) = (cells[0], cells.iter().all(|cell| *cell == "ok"));
            writeln!(
                f,
                "{:<42} {}",
                property,
                if all { "ok" } else { cells.iter().find(|cell| **cell != "ok").unwrap_or(&first) }
            )?;
        }
        let possible = actions.iter().filter(|action| self.is_answered(&Kind::Possible((*action).clone()))).count();
        writeln!(f, "{possible} of {} actions are possible within the invariant", actions.len())?;
        for (solver, answers) in &self.answers {
            writeln!(
                f,
                "{solver}: {} of {} questions answered, in {:.1} s",
                answers.of.len(),
                self.queries.len(),
                answers.seconds
            )?;
        }
        Ok(())
    }
}
