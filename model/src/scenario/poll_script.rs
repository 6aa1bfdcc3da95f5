//! The program of a loop's task: what each poll of its future does.

use std::fmt;
use std::str::FromStr;

/// From the first poll to the last one that is written; every later one is pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Script([Option<Polled>; LONGEST]);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Polled {
    /// Waits: leaves its waker for others.
    Waits,
    /// The same, and wakes itself before it returns.
    WakesItself,
    /// Starts two sleeps of one length, drops one, and waits for the other. It is pending until that is over,
    /// and then does at once what its next poll would do.
    Naps,
    /// Ready with a value.
    Ready,
    Panics,
}

/// Polls at the most.
const LONGEST: usize = 4;

impl Script {
    /// What the poll does before which there were so many.
    pub fn poll(self, polls: usize) -> Polled {
        self.0.get(polls).copied().flatten().unwrap_or(Polled::Waits)
    }

    fn polls(self) -> impl Iterator<Item = Polled> {
        self.0.into_iter().flatten()
    }

    /// Without its first poll; none if that is all.
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
    /// Where, and what is wrong.
    type Err = (usize, String);

    fn from_str(text: &str) -> Result<Self, (usize, String)> {
        let mut script = [None; LONGEST];
        // Every letter before it is a poll, and as long as any other.
        for (at, letter) in text.chars().enumerate() {
            let known = Polled::ALL.into_iter().find(|polled| polled.letter() == letter);
            let polled = known.ok_or_else(|| (at, format!("`{letter}` is no poll; there are p, k, z, v and !")))?;
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
