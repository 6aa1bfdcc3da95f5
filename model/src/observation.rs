//! What one execution of a scenario shows to its clients: the answers, and the hand-overs.

use crate::spec::{Nonce, Value};
use std::fmt;

/// What an operation answered. Those that answer nothing leave none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Answer {
    /// Of a removal or a completion.
    Did(bool),
    /// Of the removal of a tag.
    Count(usize),
    /// Of a read or a poll.
    Outcome(Option<Value>),
    /// What the hook of a loop was told. At the end, behind the threads, in an order of its own.
    Told(Told),
}

/// What went wrong, and no caller was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Told {
    /// A callback or a function will never run.
    Lost,
    Abandoned,
    /// Nobody looked at a panic.
    NeverRetrieved,
    /// The loop was closed before so many had run.
    Closed(usize),
}

/// One callback handed over, and the outcome that it read then; an await that is woken reads none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HandOver {
    pub nonce: Nonce,
    pub saw: Option<Value>,
}

/// Stands for a poll of the loop's task among the hand-overs.
pub const POLL: Nonce = Nonce::MAX - 1;

/// The answers of each thread, and the hand-overs in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Observation {
    pub answers: Vec<Vec<Answer>>,
    pub handed: Vec<HandOver>,
}

/// `true | 2, v0 -> a b saw v0`
impl fmt::Display for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, answers) in self.answers.iter().enumerate() {
            let answers: Vec<String> = answers.iter().map(Answer::to_string).collect();
            let answers = if answers.is_empty() { "-".to_owned() } else { answers.join(", ") };
            write!(f, "{}{answers}", if i == 0 { "" } else { " | " })?;
        }
        f.write_str(" ->")?;
        for (i, hand_over) in self.handed.iter().enumerate() {
            write!(f, " {}", letter(hand_over.nonce))?;
            if self.handed.get(i + 1).is_none_or(|next| next.saw != hand_over.saw) {
                match hand_over.saw {
                    Some(value) => write!(f, " saw {value}")?,
                    None => f.write_str(" saw nothing")?,
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Did(did) => write!(f, "{did}"),
            Answer::Count(count) => write!(f, "{count}"),
            Answer::Outcome(Some(value)) => write!(f, "{value}"),
            Answer::Outcome(None) => f.write_str("pending"),
            Answer::Told(Told::Lost) => f.write_str("one lost"),
            Answer::Told(Told::Abandoned) => f.write_str("told of it"),
            Answer::Told(Told::NeverRetrieved) => f.write_str("never retrieved"),
            Answer::Told(Told::Closed(unrun)) => write!(f, "closed with {unrun}"),
        }
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
        Ok(n @ 0..26) => char::from(b'a' + n).to_string(),
        _ => format!("#{nonce}"),
    }
}
