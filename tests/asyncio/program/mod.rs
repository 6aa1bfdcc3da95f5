//! Programs of one thread, over tasks and the loop that runs them: their language, and two ways to play them.
//!
//! The text of a program is a line of JSON, which CPython's player reads too. `shared` and `close` may be left out.
//!
//! ```text
//! program   {"shared":[[act..],[act..]],"moves":[move..],"close":true}
//! move      act | {"run":[beat..]}
//! beat      act | "turn" | "idle"
//! step      act | "yield" | "nap" | {"await":TASK}
//! act       "future" | {"spawn":[step..]} | {"add":[TASK,[act..]]} | {"share":[TASK,SHARED]} | {"remove":REGISTRATION}
//!           | {"unshare":[TASK,SHARED]} | {"complete":TASK} | {"fail":TASK} | {"drop":TASK} | {"forget":TASK}
//!           | {"cancel":TASK} | {"read":TASK} | {"soon":[act..]} | "panic"
//! ```
//!
//! The fuzzer's bytes stand for programs too, see [`decode`].

mod bytes;
mod plain;
mod play;

pub use bytes::decode;

use serde::{Deserialize, Serialize};
use std::fmt::Display;

/// A program.
///
/// Tasks, registrations of callbacks, and shared callbacks have numbers, in the order of their making. If a number names
/// nothing, or nothing any more, `nobody` is noted and nothing happens.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// What the shared callbacks do.
    #[serde(default)]
    pub shared: [Vec<Act>; SHARED],
    pub moves: Vec<Move>,
    /// Closes the loop at the end.
    #[serde(default)]
    pub close: bool,
}

pub const SHARED: usize = 2;

/// Callbacks that add callbacks could go on for ever: from this many events on, acts do nothing.
const LONGEST: usize = 200;

/// What is done outside of callbacks: the loop runs for a main of these beats, or it does not run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Move {
    Run(Vec<Beat>),
    #[serde(untagged)]
    Do(Act),
}

/// What the main of a run does: lets one turn pass, or turns until nothing happens.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Beat {
    Turn,
    Idle,
    #[serde(untagged)]
    Do(Act),
}

/// What the body of a task does. It awaits only older tasks, so that nobody waits for himself.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Await(usize),
    Yield,
    Nap,
    #[serde(untagged)]
    Do(Act),
}

/// What is done at once, anywhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Makes a plain task.
    Future,
    /// Makes a task of the loop.
    Spawn(Vec<Step>),
    /// Adds a callback to a task.
    Add(usize, Vec<Act>),
    /// Adds a shared callback to a task.
    Share(usize, usize),
    /// Removes a registration by its id.
    Remove(usize),
    /// Removes all registrations of a shared callback from a task.
    Unshare(usize, usize),
    Complete(usize),
    /// Completes with an error.
    Fail(usize),
    /// Drops the completer of a plain task.
    Drop(usize),
    /// Drops the handle of a task.
    Forget(usize),
    Cancel(usize),
    Read(usize),
    Soon(Vec<Act>),
    /// Ends a callback, the body of a task or the main of a run.
    Panic,
}

/// The events, by their first word.
pub const EVENTS: &str = "abandoned awaited called cancel closed completed idle left lost nobody raised \
    read refused removed resumed shared slept soon started turn unretrieved unrun";

/// What a play showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Played {
    /// The events that CPython is compared in.
    pub trace: Vec<String>,
    /// The events that it is not compared in: the drop of each capture, and everything that follows the program's end.
    pub beyond: Vec<String>,
    ended: bool,
}

impl Played {
    fn note(&mut self, event: impl Into<String>) {
        let events = if self.ended { &mut self.beyond } else { &mut self.trace };
        events.push(event.into());
    }

    fn gone(&mut self, captured: impl Display) {
        self.beyond.push(format!("{captured} gone after {}", self.trace.len()));
    }
}

/// Plays a program on whendone and on the plain model, which must show the same.
///
/// # Errors
///
/// If they differ: the program and both plays.
pub fn check(program: &Program) -> Result<Played, String> {
    let (played, plain) = (play::play(program), plain::play(program));
    if played == plain {
        return Ok(played);
    }
    let [ours, plain] = [played, plain].map(|Played { trace, beyond, .. }| [trace, beyond].concat().join(", "));
    let text = serde_json::to_string(program).expect("a program has a text");
    Err(format!("{text}\n  whendone: {ours}\n  the plain model: {plain}"))
}
