//! The ways in which std's locks can be broken, for the tests of their exploration, of which the self-test is one. Without one
//! they are as they should be.

use std::cell::Cell;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Unlocking wakes nobody, though somebody may sleep.
    UnlockWakesNobody,
    /// Unlocking wakes a sleeper, and opens the lock only afterwards.
    WakesBeforeUnlock,
    /// Unlocking does not release what was written under the lock.
    UnlocksRelaxed,
    /// A thread that slept takes the lock as one behind which nobody sleeps.
    LocksUncontendedAfterSleep,
    /// A thread sleeps whatever the word of the futex is.
    SleepsUnasked,
    /// A sleeper that was woken believes that the lock is its own.
    TakesAWakeUpForTheLock,
    /// The value is published without a release.
    PublishesRelaxed,
    /// The value is published without a look at whether somebody sleeps.
    OnceWakesNobody,
    /// A thread that was refused returns at once, and not after the value is there.
    RefusedEarly,
}

impl Fault {
    pub const ALL: [Fault; 9] = [
        Fault::UnlockWakesNobody,
        Fault::WakesBeforeUnlock,
        Fault::UnlocksRelaxed,
        Fault::LocksUncontendedAfterSleep,
        Fault::SleepsUnasked,
        Fault::TakesAWakeUpForTheLock,
        Fault::PublishesRelaxed,
        Fault::OnceWakesNobody,
        Fault::RefusedEarly,
    ];

    /// The program of the kernel that shows it, and the words of the check that names it. None if it shows only where three
    /// threads lock, or two write one cell: the kernel writes its cell under its lock.
    pub fn shown_beneath_the_kernel(self) -> Option<(&'static str, &'static str)> {
        match self {
            Fault::UnlockWakesNobody | Fault::WakesBeforeUnlock | Fault::SleepsUnasked => Some(("; A | A", "deadlock")),
            Fault::UnlocksRelaxed | Fault::TakesAWakeUpForTheLock => Some(("; A | A", "Causality violation")),
            Fault::PublishesRelaxed => Some(("; C | G", "Causality violation")),
            Fault::LocksUncontendedAfterSleep | Fault::OnceWakesNobody | Fault::RefusedEarly => None,
        }
    }

    /// Plays with this fault. loom runs all threads of an execution on the thread that explores it.
    pub fn during<R>(self, play: impl FnOnce() -> R) -> R {
        PRESENT.set(Some(self));
        let played = play();
        PRESENT.set(None);
        played
    }

    pub fn is_present(self) -> bool {
        PRESENT.get() == Some(self)
    }
}

thread_local! {
    static PRESENT: Cell<Option<Fault>> = const { Cell::new(None) };
}
