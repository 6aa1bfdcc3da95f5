//! The scenario language: a small concurrent program over one task, as data and as a line of text.
//!
//! ```text
//! scenario  = [scheduler] [setup] ";" thread { "|" thread }
//! scheduler = "@inline" | "@queue"     the task layer on this scheduler; without one, the kernel alone
//!           | "@loop{" polls "}"       a task of an event loop, which is the first thread's
//! setup     = { "a" | "b" } ["C"]      callbacks added beforehand, `b` with the shared tag; `C`: done already
//! thread    = { operation }            separated by spaces, run from left to right
//!
//! A  B      add a callback; with the shared tag
//! R0 R1 ..  remove the callback that was added first, second .. counting along the line of text:
//!           one of the setup, or an earlier one of this thread
//! Rm        remove the callback that this thread added last
//! Rf        remove by the id of another task
//! T         remove all of the shared tag
//! C         complete with a value of its own
//! X         cancel
//! G         read the outcome
//! S1 W1     signal; wait for it (1 to 9)
//!
//! on the task layer only:
//! P         poll an await of this thread, each time with another waker (the first poll makes it)
//! Q         drop that await
//! D         drop the completer
//! H         drop this thread's handle; its last operation on the task
//!
//! on an event loop: A R G H S W, where X is a request to cancel, and
//! K         wake the task, by the waker that its first pending poll left; before that, nothing
//! N         call soon; the function reads the outcome
//! F         spawn another task; its future reads the outcome and is ready
//! and in the first thread only, which neither signals nor waits:
//! L         run the loop until the other threads are through; M: for a future that is ready at once
//! Z         close it; else it is closed at the end, when nothing else goes on
//!
//! polls     = { "p" | "k" | "z" } ["v" | "!"]   what each poll of the task's future does: it is pending;
//!             it is, and wakes itself; it is until a nap is over; it is ready with a value; it panics.
//!             Behind the last it is pending.
//! ```
//!
//! `aa ; C | A R0`: two callbacks wait; one thread completes while another adds a third and removes
//! the first. A scenario says what happens, never what should: that is the specification's part.

use crate::script::Script;
use crate::spec::{Nonce, Value};
use std::fmt;
use std::str::FromStr;

/// A scenario, checked: every operation makes sense where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scenario {
    pub scheduler: Option<Scheduler>,
    /// The tags of the callbacks that are added beforehand.
    pub setup: Vec<bool>,
    /// Completed beforehand.
    pub done: bool,
    pub threads: Vec<Vec<Op>>,
}

/// What the task layer is run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheduler {
    Inline,
    Queue,
    Loop(Script),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Op {
    Add { tagged: bool },
    Remove(Whom),
    RemoveAll,
    Complete,
    Cancel,
    Read,
    Signal(u8),
    Wait(u8),
    Poll,
    DropAwait,
    DropCompleter,
    DropHandle,
    Wake,
    Soon,
    Spawn,
    Run,
    RunBriefly,
    Close,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Whom {
    Nth(Nonce),
    Mine,
    Foreign,
}

/// An operation with its names resolved: what specification and engines carry out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Add { nonce: Nonce, tagged: bool },
    Remove(Option<Nonce>),
    RemoveAll,
    Complete(Value),
    Read,
    Signal(u8),
    Wait(u8),
    Poll(Nonce),
    DropAwait,
    DropCompleter,
    DropHandle,
    Wake,
    Soon(Nonce),
    Spawn(Nonce),
    Run,
    RunBriefly,
    Close,
}

/// What is wrong with a text, and at which column, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    pub text: String,
    pub column: usize,
    pub reason: String,
}

const NO_PROGRAMS: &str = "callback programs, in braces or after `~`, are not part of the language yet";

/// Threads at the most: loom takes five with its main thread.
pub const MOST_THREADS: usize = 4;

impl Scenario {
    /// Steps of the setup, which one agent carries out beforehand.
    pub fn setup_steps(&self) -> Vec<Step> {
        let adds = self.setup.iter().enumerate().map(|(nonce, &tagged)| Step::Add { nonce, tagged });
        adds.chain(self.done.then_some(Step::Complete(Value::Finished(0)))).collect()
    }

    /// Steps of each thread.
    pub fn steps(&self) -> Vec<Vec<Step>> {
        let mut nonces = self.setup.len()..;
        let mut values = usize::from(self.done)..;
        self.threads.iter().map(|thread| resolve(thread, &mut nonces, &mut values)).collect()
    }

    pub fn operations(&self) -> usize {
        self.threads.iter().map(Vec::len).sum()
    }

    /// What the loop's task does, if there is a loop.
    pub fn script(&self) -> Option<Script> {
        self.scheduler.and_then(|scheduler| if let Scheduler::Loop(script) = scheduler { Some(script) } else { None })
    }

    /// Why this is no program that could be run.
    pub(crate) fn objection(&self) -> Option<(usize, usize, String)> {
        let mut adds = self.setup.len();
        let (mut completers, mut signals) = (usize::from(self.done), Vec::new());
        for (t, thread) in self.threads.iter().enumerate() {
            let (mut own, mut awaits, mut handle) = (Vec::new(), false, true);
            for (i, &op) in thread.iter().enumerate() {
                let object = |reason: &str| Some((t, i, reason.to_owned()));
                if let Some(reason) = self.objection_on_a_loop(t, &thread[..i], op) {
                    return object(reason);
                }
                let layer = matches!(op, Op::Poll | Op::DropAwait | Op::DropCompleter | Op::DropHandle);
                if layer && self.scheduler.is_none() {
                    return object("needs the task layer: put @inline or @queue in front");
                }
                if !handle && !matches!(op, Op::Signal(_) | Op::Wait(_)) {
                    return object("comes after H, when this thread has no handle any more");
                }
                let shared = matches!(op, Op::Add { tagged: true } | Op::RemoveAll);
                if shared && self.scheduler.is_some() {
                    return object("needs the kernel alone: registrations of one shared callback look alike");
                }
                match op {
                    Op::Add { .. } => {
                        own.push(adds);
                        adds += 1;
                    }
                    Op::Remove(Whom::Nth(n)) if n >= self.setup.len() && !own.contains(&n) => {
                        return object(
                            "names a callback that is neither of the setup nor an earlier one of this thread",
                        );
                    }
                    Op::Remove(Whom::Mine) if own.is_empty() => return object("has no earlier add in this thread"),
                    Op::Complete | Op::DropCompleter if self.scheduler.is_some() => {
                        completers += 1;
                        if completers > 1 {
                            return object("needs the completer, which there is but one of, and it is used up");
                        }
                    }
                    Op::Soon | Op::Spawn => adds += 1,
                    Op::Signal(flag) => signals.push(flag),
                    Op::Poll => {
                        awaits = true;
                        adds += 1;
                    }
                    Op::DropAwait if !awaits => return object("has no await of this thread to drop"),
                    Op::DropAwait => awaits = false,
                    Op::DropHandle => handle = false,
                    _ => {}
                }
            }
        }
        self.waits_in_vain(&signals)
    }

    /// Why this thread cannot do this on a loop, or not without one.
    fn objection_on_a_loop(&self, thread: usize, before: &[Op], op: Op) -> Option<&'static str> {
        let of_a_loop = matches!(op, Op::Wake | Op::Soon | Op::Spawn | Op::Run | Op::RunBriefly | Op::Close);
        let of_its_thread = matches!(op, Op::Run | Op::RunBriefly | Op::Close);
        let of_others = matches!(op, Op::Signal(_) | Op::Wait(_));
        let of_any = matches!(op, Op::Add { tagged: false } | Op::Remove(Whom::Nth(_) | Whom::Mine))
            || matches!(op, Op::Cancel | Op::Read | Op::DropHandle);
        match self.script() {
            None => of_a_loop.then_some("needs an event loop: put @loop{..} in front"),
            Some(_) if thread > 0 && of_its_thread => Some("is for the loop's own thread, the first one"),
            Some(_) if thread == 0 && of_others => Some("is not for the loop's own thread, the first one"),
            Some(_) if of_its_thread && before.contains(&Op::Close) => Some("comes after Z, when the loop is closed"),
            Some(_) => (!of_a_loop && !of_others && !of_any).then_some("is no operation on a task of a loop"),
        }
    }

    /// The first wait that can never end, found by running threads as far as they go.
    fn waits_in_vain(&self, signals: &[u8]) -> Option<(usize, usize, String)> {
        let mut at = vec![0; self.threads.len()];
        let mut raised = Vec::new();
        loop {
            let before = at.clone();
            for (at, thread) in at.iter_mut().zip(&self.threads) {
                while let Some(&op) = thread.get(*at) {
                    match op {
                        Op::Wait(flag) if !raised.contains(&flag) => break,
                        Op::Signal(flag) => raised.push(flag),
                        _ => {}
                    }
                    *at += 1;
                }
            }
            if at == before {
                break;
            }
        }
        let stuck = at.iter().zip(&self.threads).position(|(&at, thread)| at < thread.len())?;
        let Op::Wait(flag) = self.threads[stuck][at[stuck]] else { return None };
        let reason = match signals.contains(&flag) {
            true => format!("waits for S{flag}, which never comes: it stands behind a wait that does not end"),
            false => format!("waits for S{flag}, which no thread gives"),
        };
        Some((stuck, at[stuck], reason))
    }
}

fn resolve(
    thread: &[Op],
    nonces: &mut impl Iterator<Item = Nonce>,
    values: &mut impl Iterator<Item = usize>,
) -> Vec<Step> {
    let mut last = None;
    let mut next = || nonces.next().expect("there is no end of numbers");
    let step = |&op: &Op| match op {
        Op::Add { tagged } => {
            let nonce = next();
            last = Some(nonce);
            Step::Add { nonce, tagged }
        }
        Op::Remove(Whom::Nth(nonce)) => Step::Remove(Some(nonce)),
        Op::Remove(Whom::Mine) => Step::Remove(last),
        Op::Remove(Whom::Foreign) => Step::Remove(None),
        Op::RemoveAll => Step::RemoveAll,
        Op::Complete => Step::Complete(Value::Finished(values.next().expect("there is no end of numbers"))),
        Op::Cancel => Step::Complete(Value::Cancelled),
        Op::Read => Step::Read,
        Op::Signal(flag) => Step::Signal(flag),
        Op::Wait(flag) => Step::Wait(flag),
        Op::Poll => Step::Poll(next()),
        Op::DropAwait => Step::DropAwait,
        Op::DropCompleter => Step::DropCompleter,
        Op::DropHandle => Step::DropHandle,
        Op::Wake => Step::Wake,
        Op::Soon => Step::Soon(next()),
        Op::Spawn => Step::Spawn(next()),
        Op::Run => Step::Run,
        Op::RunBriefly => Step::RunBriefly,
        Op::Close => Step::Close,
    };
    thread.iter().map(step).collect()
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words: Vec<String> = Vec::new();
        words.extend(self.scheduler.map(|scheduler| scheduler.to_string()));
        let setup: String = self.setup.iter().map(|&tagged| if tagged { 'b' } else { 'a' }).collect();
        words.extend((!setup.is_empty()).then_some(setup));
        words.extend(self.done.then(|| "C".to_owned()));
        for (i, thread) in self.threads.iter().enumerate() {
            words.push(if i == 0 { ";" } else { "|" }.to_owned());
            words.extend(thread.iter().map(Op::to_string));
        }
        f.write_str(&words.join(" "))
    }
}

impl fmt::Display for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scheduler::Inline => f.write_str("@inline"),
            Scheduler::Queue => f.write_str("@queue"),
            Scheduler::Loop(script) => write!(f, "@loop{{{script}}}"),
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Op::Add { tagged: false } => f.write_str("A"),
            Op::Add { tagged: true } => f.write_str("B"),
            Op::Remove(Whom::Nth(n)) => write!(f, "R{n}"),
            Op::Remove(Whom::Mine) => f.write_str("Rm"),
            Op::Remove(Whom::Foreign) => f.write_str("Rf"),
            Op::RemoveAll => f.write_str("T"),
            Op::Complete => f.write_str("C"),
            Op::Cancel => f.write_str("X"),
            Op::Read => f.write_str("G"),
            Op::Signal(flag) => write!(f, "S{flag}"),
            Op::Wait(flag) => write!(f, "W{flag}"),
            Op::Poll => f.write_str("P"),
            Op::DropAwait => f.write_str("Q"),
            Op::DropCompleter => f.write_str("D"),
            Op::DropHandle => f.write_str("H"),
            Op::Wake => f.write_str("K"),
            Op::Soon => f.write_str("N"),
            Op::Spawn => f.write_str("F"),
            Op::Run => f.write_str("L"),
            Op::RunBriefly => f.write_str("M"),
            Op::Close => f.write_str("Z"),
        }
    }
}

impl FromStr for Op {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let (letter, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        let flag = || match rest.parse() {
            Ok(flag @ 1..=9) if rest.len() == 1 => Ok(flag),
            _ => Err(format!("`{word}` wants a number from 1 to 9 after {letter}")),
        };
        let op = match (letter, rest) {
            ("A", "") => Op::Add { tagged: false },
            ("B", "") => Op::Add { tagged: true },
            ("R", "m") => Op::Remove(Whom::Mine),
            ("R", "f") => Op::Remove(Whom::Foreign),
            ("R", number) => match number.parse() {
                Ok(nonce) if number == format!("{nonce}") => Op::Remove(Whom::Nth(nonce)),
                _ => return Err(format!("`{word}` wants a number, m or f after R")),
            },
            ("T", "") => Op::RemoveAll,
            ("C", "") => Op::Complete,
            ("X", "") => Op::Cancel,
            ("G", "") => Op::Read,
            ("S", _) => Op::Signal(flag()?),
            ("W", _) => Op::Wait(flag()?),
            ("P", "") => Op::Poll,
            ("Q", "") => Op::DropAwait,
            ("D", "") => Op::DropCompleter,
            ("H", "") => Op::DropHandle,
            ("K", "") => Op::Wake,
            ("N", "") => Op::Soon,
            ("F", "") => Op::Spawn,
            ("L", "") => Op::Run,
            ("M", "") => Op::RunBriefly,
            ("Z", "") => Op::Close,
            _ if word.contains(['{', '~']) => return Err(format!("`{word}`: {NO_PROGRAMS}")),
            _ => {
                return Err(format!(
                    "`{word}` is no operation; there are A B R0 Rm Rf T C X G S1 W1 P Q D H K N F L M Z"
                ));
            }
        };
        Ok(op)
    }
}

impl FromStr for Scenario {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = |at: usize, reason: String| {
            let column = text[..at.min(text.len())].chars().count() + 1;
            Malformed { text: text.to_owned(), column, reason }
        };
        let mut scenario = Scenario { scheduler: None, setup: Vec::new(), done: false, threads: Vec::new() };
        // Where each operation stands, for objections to it.
        let mut places: Vec<Vec<usize>> = Vec::new();
        for (at, word) in (Words { text, at: 0 }) {
            let started = !scenario.threads.is_empty();
            match word {
                ";" if started => return Err(malformed(at, "a second `;`: threads are separated by `|`".to_owned())),
                "|" if !started => return Err(malformed(at, "a `;` is missing before the first thread".to_owned())),
                "|" if scenario.threads.len() == MOST_THREADS => {
                    return Err(malformed(at, format!("more than {MOST_THREADS} threads")));
                }
                ";" | "|" => {
                    scenario.threads.push(Vec::new());
                    places.push(Vec::new());
                }
                word if started => {
                    let op = word.parse().map_err(|reason| malformed(at, reason))?;
                    scenario.threads.last_mut().expect("started").push(op);
                    places.last_mut().expect("as many as threads").push(at);
                }
                "@inline" if at == 0 => scenario.scheduler = Some(Scheduler::Inline),
                "@queue" if at == 0 => scenario.scheduler = Some(Scheduler::Queue),
                word if at == 0 && word.starts_with("@loop") => {
                    let braced = word.strip_prefix("@loop{").and_then(|rest| rest.strip_suffix('}'));
                    let script = braced.unwrap_or_default().parse().map_err(|reason| malformed(at, reason))?;
                    scenario.scheduler = Some(Scheduler::Loop(script));
                }
                word if word.starts_with('@') => {
                    return Err(malformed(
                        at,
                        format!("`{word}`: only @inline or @queue or @loop{{..}}, and only in front"),
                    ));
                }
                word => {
                    for (offset, letter) in word.char_indices() {
                        match letter {
                            _ if scenario.done => {
                                return Err(malformed(at + offset, "nothing can be set up after `C`".to_owned()));
                            }
                            'b' | 'C' if scenario.script().is_some() => {
                                let reason = format!("`{letter}` is no setup of a task of a loop; there is a");
                                return Err(malformed(at + offset, reason));
                            }
                            'a' => scenario.setup.push(false),
                            'b' => scenario.setup.push(true),
                            'C' => scenario.done = true,
                            '{' | '~' => return Err(malformed(at + offset, NO_PROGRAMS.to_owned())),
                            _ => {
                                let reason = format!("`{letter}` is no setup; there are a, b and C, and then `;`");
                                return Err(malformed(at + offset, reason));
                            }
                        }
                    }
                }
            }
        }
        if scenario.threads.is_empty() {
            return Err(malformed(text.len(), "a `;` is missing, and the threads behind it".to_owned()));
        }
        match scenario.objection() {
            None => Ok(scenario),
            Some((thread, op, reason)) => {
                let word = scenario.threads[thread][op];
                Err(malformed(places[thread][op], format!("`{word}` {reason}")))
            }
        }
    }
}

/// The words of a text, with their places; `;` and `|` are words by themselves.
struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Words<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.text[self.at..];
        let start = self.at + (rest.len() - rest.trim_start().len());
        let rest = &self.text[start..];
        let separator = |letter: char| letter.is_whitespace() || letter == ';' || letter == '|';
        let length = match rest.find(separator) {
            Some(0) => 1,
            Some(length) => length,
            None => rest.len(),
        };
        self.at = start + length;
        (length > 0).then_some((start, &rest[..length]))
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line: String = self.text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        writeln!(f, "{}", self.reason)?;
        writeln!(f, "  {line}")?;
        write!(f, "  {:>column$}", '^', column = self.column)
    }
}

impl std::error::Error for Malformed {}
