//! The parser of the scenario language, whose errors point at the column.

use crate::scenario::names::{Nonce, TASKS};
use crate::scenario::poll_script::Script;
use crate::scenario::{MOST_THREADS, Op, Programs, Scenario, Scheduler, Whom};
use std::fmt;
use std::str::FromStr;

/// A text that is not a valid scenario, with the column, counted from 1, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    pub text: String,
    pub column: usize,
    pub reason: String,
}

/// Largest depth of programs within programs.
const DEEPEST: usize = 3;

pub(super) const SCHEDULERS: [(&str, Scheduler); 4] = [
    ("@inline", Scheduler::Inline),
    ("@queue", Scheduler::Queue),
    ("@refuse", Scheduler::Refuse),
    ("@panic", Scheduler::Panic),
];

/// The event loop, followed by its task's polls in braces.
pub(super) const LOOP: &str = "@loop";

impl FromStr for Op {
    type Err = String;

    /// Parses a bare operation, without task and programs.
    fn from_str(word: &str) -> Result<Self, String> {
        let (letter, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        let number = |least| match rest.parse() {
            Ok(number @ 0..=9) if rest.len() == 1 && number >= least => Ok(number),
            _ => Err(format!("`{word}` needs a number from {least} to 9 after {letter}")),
        };
        let op = match (letter, rest) {
            ("A", "") => Op::Add { tagged: false },
            ("B", "") => Op::Add { tagged: true },
            ("R", "m") => Op::Remove(Whom::Mine),
            ("R", "f") => Op::Remove(Whom::Foreign),
            ("R", number) => Op::Remove(Whom::Nth(nonce(number, word, "a number, m or f after R")?)),
            ("T", "") => Op::RemoveAll,
            ("C", "") => Op::Complete,
            ("X", "") => Op::Cancel,
            ("G", "") => Op::Read,
            ("V", "") => Op::Print,
            ("S", _) => Op::Signal(number(1)?),
            ("W", _) => Op::Wait(number(1)?),
            ("P", "") => Op::Poll,
            ("J", "m") => Op::PollAgain(Whom::Mine),
            ("J", number) => Op::PollAgain(Whom::Nth(nonce(number, word, "a number or m after J")?)),
            ("Q", "") => Op::DropAwait,
            ("D", "") => Op::DropCompleter,
            ("H", "") => Op::DropHandle,
            ("!", "") => Op::Panic,
            ("K", "") => Op::Wake,
            ("N", "") => Op::Soon,
            ("F", "") => Op::Spawn,
            ("I", _) => Op::Nap(number(0)?),
            ("O", _) => Op::DropNap(number(0)?),
            ("U", _) => Op::AwaitNap(number(0)?),
            ("L", "") => Op::Run,
            ("M", "") => Op::RunBriefly,
            ("Z", "") => Op::Close,
            _ => {
                let known = "A B R0 Rm Rf T C X G V S1 W1 P J0 Jm Q D H K N F I1 O1 U1 L M Z and !";
                return Err(format!("`{word}` is not an operation; the operations are {known}"));
            }
        };
        Ok(op)
    }
}

/// The number of a callback, without sign or leading zeros.
fn nonce(number: &str, word: &str, needed: &str) -> Result<Nonce, String> {
    let nonce = number.parse().ok().filter(|nonce: &Nonce| number == nonce.to_string());
    nonce.ok_or_else(|| format!("`{word}` needs {needed}"))
}

impl FromStr for Scenario {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let mut parser = Parser { text, at: 0, depth: 0, places: Vec::new() };
        let scenario = parser.scenario().map_err(|(at, reason)| malformed(text, at, reason))?;
        match scenario.objection() {
            None => Ok(scenario),
            Some((op, reason)) => {
                let (at, word) = parser.places[op];
                Err(malformed(text, at, format!("`{word}` {reason}")))
            }
        }
    }
}

fn malformed(text: &str, at: usize, reason: String) -> Malformed {
    let column = text[..at.min(text.len())].chars().count() + 1;
    Malformed { text: text.to_owned(), column, reason }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// Number of programs around this place.
    depth: usize,
    /// Place and text of each operation, for objections to it.
    places: Vec<(usize, &'a str)>,
}

/// The place of an error, and the reason.
type Wrong = (usize, String);

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Skips white space and returns the next letter.
    fn next(&mut self) -> Option<char> {
        self.at = self.text.len() - self.rest().trim_start().len();
        self.rest().chars().next()
    }

    /// Steps over this letter if it is the next one.
    fn takes(&mut self, letter: char) -> bool {
        let is_next = self.rest().starts_with(letter);
        self.at += if is_next { letter.len_utf8() } else { 0 };
        is_next
    }

    fn wrong<T>(&self, reason: impl Into<String>) -> Result<T, Wrong> {
        Err((self.at, reason.into()))
    }

    /// Takes the next word.
    fn word(&mut self) -> &'a str {
        let ends = |letter: char| letter.is_whitespace() || ";|{}^~!".contains(letter);
        let rest = self.rest();
        let length = rest.find(ends).unwrap_or(rest.len()).max(usize::from(rest.starts_with('!')));
        self.at += length;
        &rest[..length]
    }

    fn scenario(&mut self) -> Result<Scenario, Wrong> {
        let mut scenario = Scenario::default();
        if self.next() == Some('@') {
            scenario.scheduler = Some(self.scheduler()?);
            if self.rest().starts_with('{') {
                scenario.scheduling = self.program()?;
            }
            if scenario.script().is_some() && self.takes('~') {
                scenario.dropping = self.program()?;
            }
        }
        self.setup(&mut scenario)?;
        self.threads(&mut scenario)?;
        Ok(scenario)
    }

    /// Parses up to the `;`.
    fn setup(&mut self, scenario: &mut Scenario) -> Result<(), Wrong> {
        loop {
            match self.next() {
                None => return self.wrong("a `;` is missing, and the threads after it"),
                Some('|') => return self.wrong("a `;` is missing before the first thread"),
                Some('@') => return self.wrong("a scheduler is only allowed at the beginning"),
                Some(';') => return Ok(()),
                Some(_) if scenario.done => return self.wrong("nothing can be set up after `C`"),
                Some('C') if scenario.script().is_some() => {
                    return self.wrong("`C` is not allowed before `;` on a loop; only a is");
                }
                Some('C') => scenario.done = self.takes('C'),
                Some(_) => {
                    let op = self.added_beforehand()?;
                    scenario.setup.push(op);
                }
            }
        }
    }

    /// Parses from the `;` to the end.
    fn threads(&mut self, scenario: &mut Scenario) -> Result<(), Wrong> {
        while let Some(letter) = self.next() {
            match letter {
                ';' if !scenario.threads.is_empty() => return self.wrong("a second `;`: threads are separated by `|`"),
                '|' if scenario.threads.len() == MOST_THREADS => {
                    return self.wrong(format!("more than {MOST_THREADS} threads"));
                }
                ';' | '|' => {
                    self.takes(letter);
                    scenario.threads.push(Vec::new());
                }
                _ => {
                    let op = self.operation()?;
                    scenario.threads.last_mut().expect("the first letter is `;`").push(op);
                }
            }
        }
        Ok(())
    }

    fn scheduler(&mut self) -> Result<Scheduler, Wrong> {
        let at = self.at;
        let word = self.word();
        if word == LOOP {
            return self.script().map(Scheduler::Loop);
        }
        let known = SCHEDULERS.iter().find(|(name, _)| *name == word);
        let unknown = || {
            format!("`{word}` is not a scheduler; the schedulers are @inline, @queue, @refuse, @panic and @loop{{..}}")
        };
        known.map(|(_, scheduler)| *scheduler).ok_or_else(|| (at, unknown()))
    }

    /// `{pv}`
    fn script(&mut self) -> Result<Script, Wrong> {
        let has_brace = self.takes('{');
        let ends = |letter: char| !has_brace || letter.is_whitespace() || ";|}".contains(letter);
        let rest = self.rest();
        let polls = &rest[..rest.find(ends).unwrap_or(rest.len())];
        let script = polls.parse().map_err(|(at, reason)| (self.at + at, reason))?;
        self.at += polls.len();
        if self.takes('}') { Ok(script) } else { self.wrong("a `}` is missing here") }
    }

    /// Parses one callback of the setup.
    fn added_beforehand(&mut self) -> Result<Op, Wrong> {
        let (start, task) = (self.at, self.task()?);
        let Some(letter) = self.rest().chars().next() else { return self.wrong("an a or b is missing here") };
        let tagged = match letter {
            'a' => false,
            'b' => true,
            _ => return self.wrong(format!("`{letter}` is not allowed before `;`; only a, b and C are")),
        };
        self.takes(letter);
        self.places.push((start, &self.text[start..self.at]));
        self.with_programs(task, Op::Add { tagged })
    }

    fn operation(&mut self) -> Result<Op, Wrong> {
        let (start, task) = (self.at, self.task()?);
        let at = self.at;
        let word = self.word();
        let op = word.parse().map_err(|reason| match (word, self.rest().chars().next()) {
            ("", Some('}')) => (at, "this `}` closes nothing".to_owned()),
            ("", Some(mark)) => (at, format!("`{mark}` does not follow an operation")),
            _ => (at, reason),
        })?;
        self.places.push((start, &self.text[start..self.at]));
        self.with_programs(task, op)
    }

    /// `y.`
    fn task(&mut self) -> Result<usize, Wrong> {
        let mut letters = self.rest().chars();
        let (Some(letter), Some('.')) = (letters.next(), letters.next()) else { return Ok(0) };
        let Some(task) = TASKS.iter().position(|name| name.starts_with(letter)) else {
            return self.wrong(format!("`{letter}.` is not a task; the tasks are {}", TASKS.join(", ")));
        };
        self.at += 2;
        Ok(task)
    }

    fn with_programs(&mut self, task: usize, op: Op) -> Result<Op, Wrong> {
        let mut programs = Programs::default();
        if self.takes('^') {
            programs.clone = self.program()?;
        }
        if self.rest().starts_with('{') {
            programs.call = self.program()?;
        }
        if self.takes('~') {
            programs.drop = self.program()?;
        }
        if self.rest().starts_with(['^', '{', '~']) {
            return self.wrong("programs must come in this order: ^{..} for clone, {..} for call, ~{..} for drop");
        }
        Ok(Op::new(task, op, programs))
    }

    fn program(&mut self) -> Result<Vec<Op>, Wrong> {
        if self.depth == DEEPEST {
            return self.wrong(format!("programs cannot be nested more than {DEEPEST} deep"));
        }
        if !self.takes('{') {
            return self.wrong("a program in braces is missing here");
        }
        self.depth += 1;
        let mut program = Vec::new();
        loop {
            match self.next() {
                None | Some(';' | '|') => return self.wrong("a `}` is missing here"),
                Some('}') => break,
                Some(_) => {
                    let op = self.operation()?;
                    program.push(op);
                }
            }
        }
        self.takes('}');
        self.depth -= 1;
        Ok(program)
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
