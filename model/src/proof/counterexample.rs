//! A failed proof obligation, shown as states and steps of the protocol.
//!
//! A *counterexample to induction* is a state that satisfies the invariant, a step, and a state that does not (the term
//! is IC3's: Bradley, *SAT-based model checking without unrolling*, 2011). The state before need not be reachable.
//! Therefore bounded model checking (Biere et al., *Symbolic model checking without BDDs*, 1999) looks for a path from
//! the start to a state that breaks the same clause.

use crate::proof::obligations::{Query, Theory, folder};
use crate::proof::solver::Solver;
use crate::protocol::model::{Action, Doing, Hands, State};
use crate::protocol::phase::Phase;
use crate::scenario::names::{Value, letter};
use std::collections::BTreeMap;

/// The longest path that is searched for.
const MOST_STEPS: usize = 6;

/// The number of threads, callbacks and completions that exist in a counterexample.
#[derive(Clone, Copy)]
pub struct Sizes {
    pub threads: usize,
    pub callbacks: usize,
    pub values: usize,
}

/// The value of each term in the solver's model.
type Values = BTreeMap<String, String>;

impl Sizes {
    /// Declares a name for everything that exists, the callbacks in the order of their adds.
    pub fn declare(self) -> String {
        let Sizes { threads, callbacks, values } = self;
        let mut text = String::new();
        for (sort, letter, count) in [("Thread", "T", threads), ("Callback", "C", callbacks), ("Value", "V", values)] {
            let names: Vec<String> = (0..count).map(|n| format!("{letter}{n}")).collect();
            let each = |form: fn(&String) -> String| names.iter().map(form).collect::<Vec<_>>().join(" ");
            names.iter().for_each(|name| text += &format!("(declare-const {name} {sort})\n"));
            text += &format!("(assert (distinct {}))\n", each(String::clone));
            text += &format!("(assert (forall ((x {sort})) (or {})))\n", each(|name| format!("(= x {name})")));
        }
        let ordered = (1..callbacks).map(|c| format!("(assert (before C{} C{c}))\n", c - 1));
        text + &ordered.collect::<String>()
    }

    /// The terms that describe a state.
    fn terms(self, s: &str) -> Vec<String> {
        let of = |function: &str, letter: &str, count: usize| {
            (0..count).map(|n| format!("({function} {s} {letter}{n})")).collect::<Vec<_>>()
        };
        let mut terms = vec![format!("(phase {s})"), format!("(published {s})"), format!("(completer {s})")];
        terms.extend((0..self.values).map(|v| format!("(= (outcome {s}) V{v})")));
        terms.extend(of("doing", "T", self.threads));
        terms.extend(
            ["queue", "batch", "added", "removed", "handed"].iter().flat_map(|set| of(set, "C", self.callbacks)),
        );
        let holder = |c| (0..self.threads).map(move |t| format!("(= (holder {s} C{c}) T{t})"));
        terms.extend((0..self.callbacks).flat_map(holder));
        terms.extend(of("won", "V", self.values));
        terms
    }

    /// The terms that say which thread and which callback the step with this suffix concerns.
    fn step_terms(self, suffix: &str) -> Vec<String> {
        let threads = (0..self.threads).map(|t| format!("(= t{suffix} T{t})"));
        threads.chain((0..self.callbacks).map(|c| format!("(= c{suffix} C{c})"))).collect()
    }

    /// The step with this suffix, as a sentence.
    fn step(self, action: &str, suffix: &str, values: &Values) -> String {
        let t = which(values, &format!("t{suffix}"), "T", self.threads);
        let c = which(values, &format!("c{suffix}"), "C", self.callbacks);
        sentence(action, t, c)
    }

    /// Prints a state as the protocol does, with what that leaves out: added callbacks, successful completions.
    fn state(self, s: &str, values: &Values) -> String {
        let says = |term: String| values.get(&term).map_or("", String::as_str) == "true";
        let of = |set: &str| (0..self.callbacks).filter(|c| says(format!("({set} {s} C{c})"))).collect::<Vec<_>>();
        let batch = of("batch");
        let hands = |t| Hands {
            doing: doing(values.get(&format!("(doing {s} T{t})")).map_or("", String::as_str)),
            batch: batch.iter().copied().filter(|c| says(format!("(= (holder {s} C{c}) T{t})"))).collect(),
        };
        let value = |v: &usize| says(format!("(= (outcome {s}) V{v})"));
        let state = State {
            phase: match values.get(&format!("(phase {s})")).map_or("", String::as_str) {
                "Pending" => Phase::Pending,
                "Draining" => Phase::Draining,
                _ => Phase::Settled,
            },
            queue: of("queue"),
            outcome: says(format!("(published {s})"))
                .then(|| (0..self.values).find(value))
                .flatten()
                .map(Value::Finished),
            hands: (0..self.threads).map(hands).collect(),
            completer: says(format!("(completer {s})")),
            added: of("added").len(),
            removed: of("removed"),
            handed: of("handed"),
            won: (0..self.values).filter(|v| says(format!("(won {s} V{v})"))).map(Value::Finished).collect(),
        };
        let won: Vec<String> = state.won.iter().map(ToString::to_string).collect();
        let added: Vec<String> = of("added").into_iter().map(letter).collect();
        format!("{state:?}\nadded      {}\nsucceeded  {}", added.join(" "), won.join(" "))
    }
}

fn doing(name: &str) -> Doing {
    let all = [Doing::Free, Doing::Drains, Doing::HandsOver, Doing::PutOff, Doing::Owes];
    all.into_iter().find(|doing| format!("{doing:?}") == name).unwrap_or_default()
}

/// The step of this action by thread t, with callback c, as a sentence.
fn sentence(action: &str, t: usize, c: usize) -> String {
    let other = |step: &Action| matches!(step, Action::Remove(_, of) if *of != c);
    let is_it = |step: &Action| step.name() == action && step.thread() == t && !other(step);
    let step = Action::all(3, 4).into_iter().find(is_it);
    step.map_or_else(|| action.to_owned(), |step| step.to_string())
}

/// The values of the terms in a model of this script, if it has one.
fn solve(file: &str, script: &str, terms: &[String]) -> Result<Option<Values>, String> {
    let asked: String = terms.iter().map(|term| format!("(echo \"{term}\")\n(get-value ({term}))\n")).collect();
    let file = folder()?.join(format!("{file}.counterexample.smt2"));
    let printed = Solver::Z3.run(&file, &format!("{script}(check-sat)\n{asked}"))?;
    let mut lines = printed.lines().map(str::trim);
    if lines.next() != Some("sat") {
        return Ok(None);
    }
    let rest: Vec<&str> = lines.collect();
    let rest = rest.join(" ");
    let value = |term: &String| {
        let (_, answer) = rest.split_once(&format!("{term} (({term} "))?;
        Some((term.clone(), answer.split(')').next()?.trim().to_owned()))
    };
    Ok(Some(terms.iter().filter_map(value).collect()))
}

/// The index of the thread or callback that the variable denotes.
fn which(values: &Values, variable: &str, letter: &str, count: usize) -> usize {
    let is = |n: &usize| values.get(&format!("(= {variable} {letter}{n})")).is_some_and(|value| value == "true");
    (0..count).find(is).unwrap_or(0)
}

/// Shows how an obligation fails, in the smallest of three sizes in which it does. The script has this name.
///
/// # Errors
///
/// If the solver cannot be run.
pub fn show(theory: &Theory, file: &str, query: &Query) -> Result<String, String> {
    for (threads, callbacks) in [(2, 2), (2, 3), (3, 4)] {
        let sizes = Sizes { threads, callbacks, values: 2 };
        let terms = [sizes.terms("s"), sizes.terms("z"), sizes.step_terms("")].concat();
        let asserts: String = query.asserts.iter().map(|assert| format!("(assert {assert})\n")).collect();
        let Some(values) = solve(file, &(theory.preamble() + &sizes.declare() + &asserts), &terms)? else { continue };
        let before = indent(&sizes.state("s", &values));
        return Ok(match query.kind.action() {
            Some(action) => {
                let step = sizes.step(action, "", &values);
                let after = indent(&sizes.state("z", &values));
                let path =
                    query.kind.clause().map_or(Ok(String::new()), |clause| shortest_path(theory, file, clause))?;
                format!("{}\nbefore\n{before}\nstep: {step}\nafter\n{after}\n{path}", query.kind)
            }
            None => format!("{}\nin the state\n{before}", query.kind),
        });
    }
    Ok(format!("{}: no counterexample with up to 3 threads and 4 callbacks was found", query.kind))
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect::<String>().trim_end().to_owned()
}

/// The shortest path from the start to a state that breaks the clause, or the message that none was found.
fn shortest_path(theory: &Theory, file: &str, clause: &str) -> Result<String, String> {
    let sizes = Sizes { threads: 2, callbacks: 3, values: 2 };
    let mut script = theory.preamble() + &sizes.declare() + "(declare-const s0 State)\n(assert (init s0))\n";
    let mut terms = Vec::new();
    for n in 1..=MOST_STEPS {
        script += &nth_step(theory, n);
        terms.extend(theory.actions.iter().map(|action| is_taken(action, n)));
        terms.extend(sizes.step_terms(&n.to_string()));
        let last = format!("s{n}");
        let asked = [&terms[..], &sizes.terms(&last)].concat();
        if let Some(values) = solve(file, &format!("{script}(assert (not ({clause} {last})))\n"), &asked)? {
            let step = |n: usize| {
                let is_true = |action: &&String| values.get(&is_taken(action, n)).is_some_and(|value| value == "true");
                let action = theory.actions.iter().find(is_true).map_or("", String::as_str);
                format!("    {n}  {}\n", sizes.step(action, &n.to_string(), &values))
            };
            let steps: String = (1..=n).map(step).collect();
            return Ok(format!("reached from the start by\n{steps}{}", indent(&sizes.state(&last, &values))));
        }
    }
    Ok(format!("no path of up to {MOST_STEPS} steps leads from the start to a state that breaks {clause}"))
}

/// Asserts that some action leads from the state before to the nth.
fn nth_step(theory: &Theory, n: usize) -> String {
    let before = n - 1;
    let mut script = format!(
        "(declare-const s{n} State)\n(declare-const t{n} Thread)\n(declare-const c{n} Callback)\n\
         (declare-const v{n} Value)\n"
    );
    for action in &theory.actions {
        script += &format!(
            "(declare-const {action}{n} Bool)\n(assert (=> {action}{n} ({action} s{before} s{n} t{n} c{n} v{n})))\n"
        );
    }
    let names: Vec<String> = theory.actions.iter().map(|action| format!("{action}{n}")).collect();
    script + &format!("(assert (or {}))\n", names.join(" "))
}

/// The term that is true if the nth step is this action.
fn is_taken(action: &str, n: usize) -> String {
    format!("(and {action}{n})")
}
