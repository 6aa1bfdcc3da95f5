//! A question of the proof that has the wrong answer, as a person reads it: a state before, a step, a state after,
//! in the protocol's words; and beside it the shortest way from the start to where the same clause is broken.

use crate::proof::obligations::{Query, Theory, folder};
use crate::proof::solver::Solver;
use crate::protocol::model::{Action, Doing, Hands, State};
use crate::protocol::phase::Phase;
use crate::scenario::names::{Value, letter};
use std::collections::BTreeMap;

/// The longest way that is looked for.
const MOST_STEPS: usize = 6;

/// So many threads, callbacks and completions have names in a countermodel; there are no others in it.
#[derive(Clone, Copy)]
pub struct Sizes {
    pub threads: usize,
    pub callbacks: usize,
    pub values: usize,
}

/// What the names stand for, by the term that was asked for.
type Values = BTreeMap<String, String>;

impl Sizes {
    /// Names for everything that there is, the callbacks in the order of their adds.
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

    /// What is to be known of a state.
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

    /// The state as the protocol prints it, and what that leaves out.
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
        format!("{state:?}\nadded      {}\ntold true  {}", added.join(" "), won.join(" "))
    }
}

fn doing(name: &str) -> Doing {
    let all = [Doing::Free, Doing::Drains, Doing::HandsOver, Doing::PutOff, Doing::Owes];
    all.into_iter().find(|doing| format!("{doing:?}") == name).unwrap_or_default()
}

/// The step of this name, as a sentence.
fn sentence(action: &str, t: usize, c: usize) -> String {
    let other = |step: &Action| matches!(step, Action::Remove(_, of) if *of != c);
    let is_it = |step: &Action| step.name() == action && step.thread() == t && !other(step);
    let step = Action::all(3, 4).into_iter().find(is_it);
    step.map_or_else(|| action.to_owned(), |step| step.to_string())
}

/// What the terms are, in a model of this script; none if it has none.
fn solve(file: &str, script: &str, terms: &[String]) -> Result<Option<Values>, String> {
    let asked: String = terms.iter().map(|term| format!("(echo \"{term}\")\n(get-value ({term}))\n")).collect();
    let printed = Solver::Z3
        .print(&folder()?.join(format!("{file}.countermodel.smt2")), &format!("{script}(check-sat)\n{asked}"))?;
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

/// Names which of these is meant.
fn which(values: &Values, variable: &str, letter: &str, count: usize) -> usize {
    let is = |n: &usize| values.get(&format!("(= {variable} {letter}{n})")).is_some_and(|value| value == "true");
    (0..count).find(is).unwrap_or(0)
}

/// Shows how a question fails. What is asked for that is kept in a file of this name.
///
/// # Errors
///
/// If the solver cannot be run.
pub fn show(theory: &Theory, file: &str, query: &Query) -> Result<String, String> {
    let sizes = [(2, 2), (2, 3), (3, 4)].map(|(threads, callbacks)| Sizes { threads, callbacks, values: 2 });
    for world in sizes {
        let names = [("t", "T", world.threads), ("c", "C", world.callbacks)];
        let meant = names
            .iter()
            .flat_map(|(variable, letter, count)| (0..*count).map(move |n| format!("(= {variable} {letter}{n})")));
        let terms: Vec<String> = world.terms("s").into_iter().chain(world.terms("z")).chain(meant).collect();
        let asserts: String = query.asserts.iter().map(|assert| format!("(assert {assert})\n")).collect();
        let Some(values) = solve(file, &(theory.preamble() + &world.declare() + &asserts), &terms)? else { continue };
        let before = indent(&world.state("s", &values));
        let (t, c) = (which(&values, "t", "T", world.threads), which(&values, "c", "C", world.callbacks));
        return Ok(match query.kind.action() {
            Some(action) => {
                let after = indent(&world.state("z", &values));
                let way = query.kind.clause().map_or(Ok(String::new()), |clause| way_to(theory, file, clause))?;
                format!("{}\nbefore\n{before}\nstep: {}\nafter\n{after}\n{way}", query.kind, sentence(action, t, c))
            }
            None => format!("{}\nin the state\n{before}", query.kind),
        });
    }
    Ok(format!("{}: no state of up to 3 threads and 4 callbacks shows it", query.kind))
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect::<String>().trim_end().to_owned()
}

/// The shortest way from the start to a state where the clause is broken.
fn way_to(theory: &Theory, file: &str, clause: &str) -> Result<String, String> {
    let world = Sizes { threads: 2, callbacks: 3, values: 2 };
    let mut script = theory.preamble() + &world.declare() + "(declare-const s0 State)\n(assert (init s0))\n";
    let mut terms = Vec::new();
    for n in 1..=MOST_STEPS {
        let before = n - 1;
        script += &format!(
            "(declare-const s{n} State)\n(declare-const t{n} Thread)\n(declare-const c{n} Callback)\n(declare-const v{n} Value)\n"
        );
        for action in &theory.actions {
            script += &format!(
                "(declare-const {action}{n} Bool)\n(assert (=> {action}{n} ({action} s{before} s{n} t{n} c{n} v{n})))\n"
            );
            terms.push(format!("(and {action}{n})"));
        }
        let taken: Vec<String> = theory.actions.iter().map(|action| format!("{action}{n}")).collect();
        script += &format!("(assert (or {}))\n", taken.join(" "));
        terms.extend(
            (0..world.threads)
                .map(|t| format!("(= t{n} T{t})"))
                .chain((0..world.callbacks).map(|c| format!("(= c{n} C{c})"))),
        );
        let last = world.terms(&format!("s{n}"));
        let asked: Vec<String> = terms.iter().cloned().chain(last).collect();
        if let Some(values) = solve(file, &format!("{script}(assert (not ({clause} s{n})))\n"), &asked)? {
            let step = |n| {
                let is_taken =
                    |action: &&String| values.get(&format!("(and {action}{n})")).is_some_and(|value| value == "true");
                let action = theory.actions.iter().find(is_taken).map_or("", String::as_str);
                let (t, c) = (
                    which(&values, &format!("t{n}"), "T", world.threads),
                    which(&values, &format!("c{n}"), "C", world.callbacks),
                );
                format!("    {n}  {}\n", sentence(action, t, c))
            };
            let steps: String = (1..=n).map(step).collect();
            return Ok(format!("really, from the start:\n{steps}{}", indent(&world.state(&format!("s{n}"), &values))));
        }
    }
    Ok(format!("no way of up to {MOST_STEPS} steps leads from the start to where {clause} is broken"))
}
