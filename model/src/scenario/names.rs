//! The names that scenario, specification and observation share: tasks, callbacks, values.

use std::fmt;

/// Counts the tasks of a scenario: x is 0.
pub type Task = usize;

/// Which of its programs a callback or waker runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    Clone,
    Call,
    Drop,
}

/// The names of tasks.
pub const TASKS: [&str; 3] = ["x", "y", "z"];

/// Names a registration. The harness gives them out, so that no id of the core can fool it.
pub type Nonce = usize;

/// What a task ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// The value of the scenario's n-th completion.
    Finished(usize),
    Cancelled,
    Abandoned,
    Panicked,
}

/// Stands for a poll of the loop's task among the hand-overs.
pub const POLL: Nonce = Nonce::MAX - 1;

/// Stands for what the scheduler itself does.
pub const SCHEDULER: Nonce = Nonce::MAX - 2;

/// As in the scenario language.
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
