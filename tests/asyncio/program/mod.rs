//! Programs of one thread over tasks and their loop: the language, and two ways to play a program.
//!
//! The text of a program is a line of JSON, which the player on CPython reads too. `shared` and `close` are optional.
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
/// Tasks, registrations of callbacks, and shared callbacks are numbered in the order of their creation. A number that
/// names nothing, or a forgotten task, has no effect but the event `nobody`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// The programs of the shared callbacks.
    #[serde(default)]
    pub shared: [Vec<Act>; SHARED],
    pub moves: Vec<Move>,
    /// Closes the loop at the end.
    #[serde(default)]
    pub close: bool,
}

pub const SHARED: usize = 2;

/// After this many events acts do nothing, because callbacks that add callbacks could go on for ever.
const LONGEST: usize = 200;

/// A move outside of callbacks: a run of the loop for a main of these beats, or an act while the loop does not run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Move {
    Run(Vec<Beat>),
    #[serde(untagged)]
    Do(Act),
}

/// A beat of the main of a run: an act, one turn, or turns until nothing happens.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Beat {
    Turn,
    Idle,
    #[serde(untagged)]
    Do(Act),
}

/// A step of the body of a task. It awaits only older tasks, so that no task awaits itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Await(usize),
    Yield,
    Nap,
    #[serde(untagged)]
    Do(Act),
}

/// An act, which takes place at once and anywhere.
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

/// The events of a play.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Played {
    /// The events that are compared with CPython's.
    pub trace: Vec<String>,
    /// The events that are not: the drop of each capture, and every event after the program's end.
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

/// Plays a program on whendone and on the plain model, which must show the same events.
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
