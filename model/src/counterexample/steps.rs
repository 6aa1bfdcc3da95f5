//! One execution as data, for a page, for other programs, and for viewers of Chrome's trace format.

use super::diagram::{head, lines, step_name};
use crate::observation::event::{Event, Trace};
use crate::scenario::Scenario;
use crate::scenario::names::{letter, mark};
use serde::Serialize;
use serde_json::{Value, json};

/// The version of the form of [`Drawn`].
pub const SCHEMA: u32 = 2;

/// One execution of a scenario, with the words around it.
#[derive(Clone, Debug, Serialize)]
pub struct Drawn {
    /// `FAIL P7 FIFO`, `ok`, or `1 of 2` for an allowed outcome.
    pub headline: String,
    pub scenario: String,
    /// The allowed outcome, or the scenario that this one was shrunk from.
    pub above: Option<String>,
    /// The broken rules, the outcome and the allowed ones.
    pub below: Vec<String>,
    pub is_failure: bool,
    /// The number of switches between threads, and the replay token; none without an execution.
    pub switches: Option<usize>,
    pub token: Option<String>,
    /// The threads, each with its part of the scenario.
    pub threads: Vec<String>,
    pub steps: Vec<Step>,
    /// The place in `steps` of the first one that breaks a rule or that the specification refuses.
    pub refused: Option<usize>,
    /// Who refuses it: `the specification`, `the protocol` or `a rule`.
    pub refused_by: Vec<&'static str>,
    #[serde(skip)]
    pub chrome: Vec<Value>,
}

/// One line of a thread: an operation, a lock section, or a piece of a caller's code.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Step {
    pub thread: usize,
    /// `setup`, `threads` or `end`.
    pub part: &'static str,
    /// The text in pieces, those inside of a lock section apart.
    pub pieces: Vec<Piece>,
    pub is_callers_code: bool,
    /// The nesting depth of the operation.
    pub depth: usize,
    /// The queue and the phase that the core's lock section leaves; empty for other steps.
    pub queue: String,
    pub phase: String,
    /// The state of each cell in the protocol after this step, as far as the protocol follows.
    pub protocol: Vec<String>,
    /// The possible states of the specification after this step: one, or several where it is not decided in which order
    /// open calls take effect. None once the execution was refused, and none on a loop.
    pub specification: Vec<String>,
    /// The lines of the sources in which this step locks or reads the outcome.
    pub sources: Vec<SourceLine>,
    /// The rules that this step breaks, the protocol among them.
    pub remark: String,
    /// The reason why the specification refuses this step; only the first refused one has it.
    pub unexplained: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Piece {
    pub text: String,
    pub is_locked: bool,
}

/// A line of a source file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceLine {
    /// The file, from the root of the project, and the line: `src/kernel/cell.rs:93`.
    pub place: String,
    pub text: String,
}

impl Step {
    /// Those who refuse this step.
    pub fn refused_by(&self) -> Vec<&'static str> {
        let remarks: Vec<&str> = self.remark.split("; ").collect();
        let begins = |with: &str| remarks.iter().any(|remark| remark.starts_with(with));
        let found = [
            ("the specification", !self.unexplained.is_empty()),
            ("the protocol", begins("protocol: ")),
            ("a rule", begins("P") || begins("harness: ")),
        ];
        found.into_iter().filter_map(|(who, refuses)| refuses.then_some(who)).collect()
    }
}

/// The steps of an execution.
pub fn steps(scenario: &Scenario, trace: &Trace) -> Vec<Step> {
    lines(scenario, trace)
}

/// The heads of the columns.
pub fn heads(scenario: &Scenario) -> Vec<String> {
    scenario.threads.iter().enumerate().map(head).collect()
}

/// Splits `complete v0 [publishes, takes a], drops a` at its brackets.
pub fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut depth = 0_usize;
    let mut piece = String::new();
    let mut end = |piece: &mut String, is_locked: bool| {
        let text = std::mem::take(piece).trim().to_owned();
        pieces.extend((!text.is_empty()).then_some(Piece { text, is_locked }));
    };
    for letter in text.chars() {
        match letter {
            '[' => {
                if depth == 0 {
                    end(&mut piece, false);
                } else {
                    piece.push(letter);
                }
                depth += 1;
            }
            ']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    end(&mut piece, true);
                } else {
                    piece.push(letter);
                }
            }
            letter => piece.push(letter),
        }
    }
    end(&mut piece, depth > 0);
    pieces
}

/// The events of an execution in Chrome's trace format: an event each microsecond, the threads of the scenario as threads
/// of the process `process`.
pub fn chrome(scenario: &Scenario, trace: &Trace, process: usize) -> Vec<Value> {
    let name_of = |(thread, name): (usize, String)| json!({ "ph": "M", "name": "thread_name", "pid": process, "tid": thread, "args": { "name": name } });
    let title = json!({ "ph": "M", "name": "process_name", "pid": process, "args": { "name": scenario.to_string() } });
    let mut events: Vec<Value> =
        [title].into_iter().chain(heads(scenario).into_iter().enumerate().map(name_of)).collect();
    for (at, (thread, event)) in trace.events.iter().enumerate() {
        let of_kind = |kind: &str, name: String| {
            let mut event = json!({ "ph": kind, "name": name, "pid": process, "tid": thread, "ts": at });
            if kind == "i" {
                event["s"] = json!("t");
            }
            event
        };
        events.extend(match event {
            Event::Begins(step) => Some(of_kind("B", step_name(*step))),
            Event::Ends(step, _) => Some(of_kind("E", step_name(*step))),
            Event::Locks(..) => Some(of_kind("B", "lock section".to_owned())),
            Event::Unlocks(..) => Some(of_kind("E", "lock section".to_owned())),
            Event::Enters(entered) => Some(of_kind("B", format!("{}{}", mark(entered.part), letter(entered.nonce)))),
            Event::Leaves(nonce, part) => Some(of_kind("E", format!("{}{}", mark(*part), letter(*nonce)))),
            Event::Publishes => Some(of_kind("i", "publishes".to_owned())),
            Event::Panics => Some(of_kind("i", "panics".to_owned())),
            Event::Drops(thing) => Some(of_kind("i", format!("drops {thing}"))),
            Event::Tells(told) => Some(of_kind("i", format!("tells the hook: {told}"))),
            Event::Breaks(rule) => Some(of_kind("i", format!("BREAKS {rule}"))),
            _ => None,
        });
    }
    events
}
