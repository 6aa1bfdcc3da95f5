//! Checks that the protocol that is explored and the protocol that is proven are the same.
//!
//! Transitions of the explored one are given to a solver as facts. It must accept each as a step of the proven one, and
//! refuse it once one value in it is changed.

use crate::proof::counterexample::Sizes;
use crate::proof::obligations::{Theory, folder};
use crate::proof::solver::Solver;
use crate::protocol::model::{Action, State, is_tagged};
use crate::protocol::properties::Protocol;
use crate::scenario::names::Value;
use std::thread;

/// The size of the explored protocol.
const SIZE: Protocol = Protocol { threads: 2, callbacks: 3 };

/// Every eighth transition is checked.
const STRIDE: usize = 8;

/// The number of changed copies of each transition, with one changed value in each.
const CHANGES: usize = 3;

/// The number of changed transitions in one question.
const AT_ONCE: usize = 40;

/// The result of the cross-check.
#[derive(Default)]
pub struct Agreement {
    /// Real transitions that the solver accepted.
    pub accepted: usize,
    /// Changed transitions that the solver refused.
    pub refused: usize,
    /// Real transitions that it refused, and changed ones that it accepted.
    pub wrong: Vec<String>,
}

/// A function of the state, its argument, if it has one, and its value.
type Fact = (&'static str, String, String);

struct Transition {
    action: String,
    arguments: String,
    before: Vec<Fact>,
    after: Vec<Fact>,
}

fn sizes() -> Sizes {
    Sizes { threads: SIZE.threads, callbacks: SIZE.callbacks, values: SIZE.threads + 1 }
}

fn value(value: Value) -> String {
    match value {
        Value::Finished(t) => format!("V{t}"),
        _ => format!("V{}", SIZE.threads),
    }
}

/// All facts of a state.
fn facts(s: &State) -> Vec<Fact> {
    let bare = |function, value: String| (function, String::new(), value);
    let mut facts = vec![
        bare("phase", format!("{:?}", s.phase)),
        bare("published", s.outcome.is_some().to_string()),
        bare("completer", s.completer.to_string()),
    ];
    facts.extend(s.outcome.map(|outcome| bare("outcome", value(outcome))));
    for (t, hands) in s.hands.iter().enumerate() {
        facts.push(("doing", format!("T{t}"), format!("{:?}", hands.doing)));
        facts.extend(hands.batch.iter().map(|c| ("holder", format!("C{c}"), format!("T{t}"))));
    }
    for c in 0..SIZE.callbacks {
        let in_batch = s.hands.iter().any(|hands| hands.batch.contains(&c));
        let sets = [("queue", s.queue.contains(&c)), ("batch", in_batch), ("added", c < s.added)];
        let past = [("removed", s.removed.contains(&c)), ("handed", s.handed.contains(&c))];
        facts.extend(sets.into_iter().chain(past).map(|(set, is_in)| (set, format!("C{c}"), is_in.to_string())));
    }
    facts.extend((0..sizes().values).map(|v| {
        let won = s.won.iter().any(|won| value(*won) == format!("V{v}"));
        ("won", format!("V{v}"), won.to_string())
    }));
    facts
}

/// Copies of the facts, each with another value in one place.
fn changed(facts: &[Fact], at: usize) -> Vec<Fact> {
    let mut facts = facts.to_vec();
    let (function, _, value) = &mut facts[at];
    let others: Vec<String> = match *function {
        "phase" => ["Pending", "Draining", "Settled"].map(str::to_owned).into(),
        "doing" => ["Free", "Drains", "HandsOver", "PutOff", "Owes"].map(str::to_owned).into(),
        "holder" => (0..SIZE.threads).map(|t| format!("T{t}")).collect(),
        "outcome" => (0..sizes().values).map(|v| format!("V{v}")).collect(),
        _ => ["true", "false"].map(str::to_owned).into(),
    };
    let here = others.iter().position(|other| other == value).unwrap_or(0);
    *value = others[(here + 1) % others.len()].clone();
    facts
}

/// Every transition of this size, including those that change nothing.
fn transitions() -> Vec<Transition> {
    let transition = |s: &State, step: Action, z: &State| {
        let t = step.thread();
        let c = match step {
            Action::Add(_) => s.added,
            Action::Remove(_, c) => c,
            Action::HandOver(_) => s.hands[t].batch[0],
            Action::Take(_) => s.queue[0],
            Action::Refuse(_) => s.handed.last().copied().unwrap_or(0),
            _ => 0,
        };
        Transition { action: step.name(), arguments: format!("T{t} C{c} V{t}"), before: facts(s), after: facts(z) }
    };
    let states = SIZE.states();
    let steps = |s: &State| SIZE.steps(s).into_iter().map(|(step, z, _)| transition(s, step, &z)).collect::<Vec<_>>();
    states.iter().flat_map(steps).collect()
}

/// Declarations of two states with their facts, and the claim that a step leads from the first to the second.
fn question(at: usize, transition: &Transition, after: &[Fact]) -> (String, String) {
    let mut text = format!("(declare-const s{at} State)\n(declare-const z{at} State)\n");
    for (state, facts) in [(format!("s{at}"), &transition.before[..]), (format!("z{at}"), after)] {
        for (function, argument, value) in facts {
            text += &format!("(assert (= ({function} {state} {argument}) {value}))\n");
        }
    }
    (text, format!("({} s{at} z{at} {})", transition.action, transition.arguments))
}

/// Asks the solver about each transition, and returns the places of those with the wrong answer. Changed transitions
/// are asked about in groups; a group with the wrong answer is asked about one by one.
fn decide(file: &str, preamble: &str, questions: &[(String, String)], is_real: bool) -> Result<Vec<usize>, String> {
    let expected = if is_real { "sat" } else { "unsat" };
    let ask = |groups: &[Vec<usize>]| -> Result<Vec<usize>, String> {
        let mut script = preamble.to_owned();
        for (n, group) in groups.iter().enumerate() {
            let facts: String = group.iter().map(|&at| questions[at].0.as_str()).collect();
            let steps: Vec<&str> = group.iter().map(|&at| questions[at].1.as_str()).collect();
            script += &format!("(push 1)\n{facts}(assert (or false {}))\n", steps.join(" "));
            script += &format!("(echo \"{n}\")\n(check-sat)\n(pop 1)\n");
        }
        let answers = Solver::Z3.ask(&folder()?.join(file), &script)?;
        let is_wrong = |n: &usize| answers.of.get(&n.to_string()).map(String::as_str) != Some(expected);
        Ok((0..groups.len()).filter(is_wrong).collect())
    };
    let places: Vec<usize> = (0..questions.len()).collect();
    let groups: Vec<Vec<usize>> = places.chunks(if is_real { 1 } else { AT_ONCE }).map(<[usize]>::to_vec).collect();
    let suspects: Vec<Vec<usize>> =
        ask(&groups)?.into_iter().flat_map(|n| groups[n].clone()).map(|at| vec![at]).collect();
    match suspects.is_empty() {
        true => Ok(Vec::new()),
        false => Ok(ask(&suspects)?.into_iter().map(|n| suspects[n][0]).collect()),
    }
}

/// Compares transitions of the explored protocol with the proven one.
///
/// # Errors
///
/// If the solver cannot be run.
pub fn cross_check(theory: &Theory) -> Result<Agreement, String> {
    let tagged = (0..SIZE.callbacks).map(|c| format!("(assert (= (tagged C{c}) {}))\n", is_tagged(c)));
    let abandoned = format!("(assert (= abandoned V{}))\n", SIZE.threads);
    let preamble = theory.preamble() + &sizes().declare() + &tagged.collect::<String>() + &abandoned;
    let transitions: Vec<Transition> = transitions().into_iter().step_by(STRIDE).collect();
    let name = |transition: &Transition| format!("{} {}", transition.action, transition.arguments);
    let (mut real, mut forged) = (Vec::new(), Vec::new());
    for (at, transition) in transitions.iter().enumerate() {
        let places = transition.after.len();
        real.push((name(transition), question(at, transition, &transition.after)));
        for n in 0..CHANGES {
            let place = (at * CHANGES + n) * 7 % places;
            let (function, argument, value) = &transition.after[place];
            let what = format!("{}, where ({function} {argument}) was {value} before the change", name(transition));
            forged.push((what, question(forged.len(), transition, &changed(&transition.after, place))));
        }
    }
    let (first, second) = real.split_at(real.len() / 2);
    let shards = [(first, true, "facts.1.smt2"), (second, true, "facts.2.smt2"), (&forged[..], false, "facts.3.smt2")];
    let wrong = thread::scope(|scope| {
        let deciding = shards.map(|(named, is_real, file)| {
            let preamble = &preamble;
            scope.spawn(move || {
                let questions: Vec<_> = named.iter().map(|(_, question)| question.clone()).collect();
                let wrong = decide(file, preamble, &questions, is_real)?;
                let what = if is_real { "a real transition was refused" } else { "a changed transition was accepted" };
                Ok(wrong.into_iter().map(|at| format!("{what}: {}", named[at].0)).collect())
            })
        });
        let wrong = deciding.into_iter().map(|deciding| deciding.join().expect("a solver is asked without a panic"));
        wrong.collect::<Result<Vec<Vec<_>>, String>>()
    })?;
    let [one, two, three] = &wrong[..] else { unreachable!("there are three shards") };
    let (accepted, refused) = (real.len() - one.len() - two.len(), forged.len() - three.len());
    Ok(Agreement { accepted, refused, wrong: wrong.concat() })
}
