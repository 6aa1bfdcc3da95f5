//! The choices that loom does not make. Each is fixed for an exploration, and several explorations go through them.

use std::cell::Cell;

/// The choices of an exploration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The sleeps on each word that end at once, without a wake-up: the lowest bit stands for the first sleep.
    pub spurious: u32,
    /// Whether a wake-up ends the last sleep, and not the first.
    pub wakes_last: bool,
    /// Whether std's loads are loads under loom, which also see old words, and not read-modify-writes.
    pub loads: bool,
}

impl Choice {
    /// No sleep ends without a wake-up.
    pub const PLAIN: Choice = Choice { spurious: 0, wakes_last: false, loads: false };

    /// On each word the first sleep ends without a wake-up.
    pub const FIRST_SPURIOUS: Choice = Choice { spurious: 1, ..Choice::PLAIN };

    /// Every choice in which only the first `sleeps` sleeps on a word may end without a wake-up, and a wake-up ends the first
    /// sleep, or, where several threads can sleep on a word, the last one.
    pub fn all(sleeps: u32, can_several_sleep: bool) -> Vec<Choice> {
        let mut all = Vec::new();
        for spurious in 0..1 << sleeps {
            for wakes_last in [false, true].into_iter().take(1 + usize::from(can_several_sleep)) {
                all.extend([false, true].map(|loads| Choice { spurious, wakes_last, loads }));
            }
        }
        all
    }

    /// Plays with these choices. loom runs all threads of an execution on the thread that explores it.
    pub fn during<R>(self, play: impl FnOnce() -> R) -> R {
        PRESENT.set(self);
        let played = play();
        PRESENT.set(Choice::PLAIN);
        played
    }

    pub(super) fn present() -> Self {
        PRESENT.get()
    }

    pub(super) fn ends_at_once(self, sleep: usize) -> bool {
        u32::try_from(sleep).ok().and_then(|sleep| self.spurious.checked_shr(sleep)).is_some_and(|bits| bits & 1 == 1)
    }
}

thread_local! {
    static PRESENT: Cell<Choice> = const { Cell::new(Choice::PLAIN) };
}
