//! A scenario printed as the line of text that parses to it.

use super::parse::{LOOP, SCHEDULERS};
use crate::scenario::names::{TASKS, mark};
use crate::scenario::{Op, Programs, Scenario, Scheduler, Whom};
use std::fmt;

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words: Vec<String> = Vec::new();
        let scheduling = Programs { clone: Vec::new(), call: self.scheduling.clone(), drop: self.dropping.clone() };
        words.extend(self.scheduler.map(|scheduler| format!("{scheduler}{scheduling}")));
        // Plain callbacks of x are printed as one word.
        let mut is_plain = false;
        for op in &self.setup {
            let word = Word { op, is_setup: true }.to_string();
            match words.last_mut() {
                Some(plain) if is_plain && word.len() == 1 => *plain += &word,
                _ => words.push(word.clone()),
            }
            is_plain = word.len() == 1;
        }
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
        if let Scheduler::Loop(script) = self {
            return write!(f, "{LOOP}{{{script}}}");
        }
        let name = SCHEDULERS.iter().find(|(_, known)| known == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Word { op: self, is_setup: false }.fmt(f)
    }
}

struct Word<'a> {
    op: &'a Op,
    /// Callbacks of the setup are written in small letters.
    is_setup: bool,
}

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Word { op, is_setup } = *self;
        match op {
            Op::Add { tagged } => f.write_str(["A", "B", "a", "b"][usize::from(*tagged) + 2 * usize::from(is_setup)]),
            Op::Remove(Whom::Nth(n)) => write!(f, "R{n}"),
            Op::Remove(Whom::Mine) => f.write_str("Rm"),
            Op::Remove(Whom::Foreign) => f.write_str("Rf"),
            Op::RemoveAll => f.write_str("T"),
            Op::Complete => f.write_str("C"),
            Op::Cancel => f.write_str("X"),
            Op::Read => f.write_str("G"),
            Op::Print => f.write_str("V"),
            Op::Signal(flag) => write!(f, "S{flag}"),
            Op::Wait(flag) => write!(f, "W{flag}"),
            Op::Poll => f.write_str("P"),
            Op::PollAgain(Whom::Nth(n)) => write!(f, "J{n}"),
            Op::PollAgain(_) => f.write_str("Jm"),
            Op::DropAwait => f.write_str("Q"),
            Op::DropCompleter => f.write_str("D"),
            Op::DropHandle => f.write_str("H"),
            Op::Panic => f.write_str("!"),
            Op::Wake => f.write_str("K"),
            Op::Soon => f.write_str("N"),
            Op::Spawn => f.write_str("F"),
            Op::Nap(length) => write!(f, "I{length}"),
            Op::DropNap(length) => write!(f, "O{length}"),
            Op::AwaitNap(length) => write!(f, "U{length}"),
            Op::Run => f.write_str("L"),
            Op::RunBriefly => f.write_str("M"),
            Op::Close => f.write_str("Z"),
            Op::On(task, op) => write!(f, "{}.{}", TASKS[*task], Word { op, is_setup }),
            Op::With(op, programs) => write!(f, "{}{programs}", Word { op, is_setup }),
        }
    }
}

impl fmt::Display for Programs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (part, program) in self.parts() {
            if !program.is_empty() {
                let ops: Vec<String> = program.iter().map(Op::to_string).collect();
                write!(f, "{}{{{}}}", mark(part), ops.join(" "))?;
            }
        }
        Ok(())
    }
}
