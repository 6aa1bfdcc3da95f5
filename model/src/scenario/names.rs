//! The names that scenario, specification and observation share: tasks, callbacks, values.

use std::fmt;

/// Number of a task of the scenario: x is 0.
pub type Task = usize;

/// The occasion on which a callback or waker runs a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    Clone,
    Call,
    Drop,
}

/// The names of tasks.
pub const TASKS: [&str; 3] = ["x", "y", "z"];

/// Number of a registration. The harness assigns it, so that a wrong id of the core cannot deceive the check.
pub type Nonce = usize;

/// The outcome of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// The value of the scenario's n-th completion, counted from 0.
    Finished(usize),
    Cancelled,
    Abandoned,
    Panicked,
}

/// Placeholder among the hand-overs for a poll of the loop's task.
pub const POLL: Nonce = Nonce::MAX - 1;

/// Placeholder among the hand-overs for the scheduler's own program.
pub const SCHEDULER: Nonce = Nonce::MAX - 2;

/// The mark in front of such a program, as in the scenario language.
pub fn mark(part: Part) -> &'static str {
    match part {
        Part::Clone => "^",
        Part::Call => "",
        Part::Drop => "~",
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Finished(n) => write!(f, "v{n}"),
            Value::Cancelled => f.write_str("cancelled"),
            Value::Abandoned => f.write_str("abandoned"),
            Value::Panicked => f.write_str("panicked"),
        }
    }
}

/// A callback's name in print: `a` for the first one of the scenario's text, and so on.
pub fn letter(nonce: Nonce) -> String {
    match u8::try_from(nonce) {
        _ if nonce == POLL => "poll".to_owned(),
        _ if nonce == SCHEDULER => "scheduler".to_owned(),
        Ok(n @ 0..26) => char::from(b'a' + n).to_string(),
        _ => format!("#{nonce}"),
    }
}
