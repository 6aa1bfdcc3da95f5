//! The poll script of a loop's task: the result of each poll of its future.

use std::fmt;
use std::str::FromStr;

/// The polls in their order; every poll after them is pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Script([Option<Polled>; LONGEST]);

/// The result of one poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Polled {
    /// Pending; leaves its waker for others.
    Waits,
    /// Pending; wakes itself before it returns.
    WakesItself,
    /// Starts two sleeps of one length, drops one and awaits the other. Pending until that sleep is over; then the same
    /// poll continues with the next letter.
    Naps,
    /// Ready with a value.
    Ready,
    Panics,
}

/// Largest number of polls in a script.
const LONGEST: usize = 4;

impl Script {
    /// The result of the poll that comes after this number of polls.
    pub fn poll(self, polls: usize) -> Polled {
        self.0.get(polls).copied().flatten().unwrap_or(Polled::Waits)
    }

    fn polls(self) -> impl Iterator<Item = Polled> {
        self.0.into_iter().flatten()
    }

    /// The script without its first poll; none if nothing is left.
    pub fn shorter(self) -> Option<Self> {
        let mut rest = [None; LONGEST];
        rest[..LONGEST - 1].copy_from_slice(&self.0[1..]);
        rest[0].map(|_| Script(rest))
    }
}

impl Polled {
    const ALL: [Polled; 5] = [Polled::Waits, Polled::WakesItself, Polled::Naps, Polled::Ready, Polled::Panics];

    fn letter(self) -> char {
        match self {
            Polled::Waits => 'p',
            Polled::WakesItself => 'k',
            Polled::Naps => 'z',
            Polled::Ready => 'v',
            Polled::Panics => '!',
        }
    }

    pub fn is_last(self) -> bool {
        matches!(self, Polled::Ready | Polled::Panics)
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters: String = self.polls().map(Polled::letter).collect();
        f.write_str(&letters)
    }
}

impl FromStr for Script {
    /// The place and the reason.
    type Err = (usize, String);

    fn from_str(text: &str) -> Result<Self, (usize, String)> {
        let mut script = [None; LONGEST];
        // All letters before a wrong one are known polls, one byte each: so its place counts bytes as well as letters.
        for (at, letter) in text.chars().enumerate() {
            let known = Polled::ALL.into_iter().find(|polled| polled.letter() == letter);
            let polled =
                known.ok_or_else(|| (at, format!("`{letter}` is not a poll; the polls are p, k, z, v and !")))?;
            let before = at.checked_sub(1).and_then(|before| script[before]);
            if before.is_some_and(Polled::is_last) {
                return Err((at, format!("`{letter}` comes after the last poll, which is ready or panics")));
            }
            *script.get_mut(at).ok_or_else(|| (at, format!("more than {LONGEST} polls")))? = Some(polled);
        }
        let any = script[0].map(|_| Script(script));
        any.ok_or_else(|| (0, "the task's polls are missing, `@loop{pv}` for example".to_owned()))
    }
}
