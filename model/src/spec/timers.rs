//! The page of the loop's timers: the sleeps that are not over, the clock, and the nudge that wakes a loop.
//!
//! Read it beside the same page in prose, at the top of `src/event_loop/timers.rs`. Every method is one atomic step.

use crate::scenario::names::Nonce;
use std::collections::{BTreeMap, BTreeSet};
use std::mem;

/// A time of the logical clock.
pub(super) type Time = u32;

/// The deadline of a sleep, and its rank among equal ones.
pub(super) type Key = (Time, usize);

/// The timers of a loop. A sleep stands for the waker that its last poll left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Timers {
    now: Time,
    /// Number of sleeps begun.
    begun: usize,
    sleeps: BTreeMap<Key, Nonce>,
    /// Whether the loop was nudged since it last fell asleep.
    nudged: bool,
    closed: bool,
    /// The wakers of naps that were woken.
    woken: BTreeSet<Nonce>,
}

/// The effect of setting a timer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Set {
    Waits,
    /// The loop may be waiting for longer, or for ever: a nudge must be queued.
    Nudges,
    /// The loop is closed, so the sleep is over. The waker is given back.
    Refused,
}

impl Timers {
    /// Begins a sleep of this length: its deadline counts from now.
    pub(super) fn begin(&mut self, length: Time) -> Key {
        self.begun += 1;
        (self.now + length, self.begun)
    }

    /// Sets the timer. A sleep that is now the earliest one nudges the loop, unless it was nudged since it fell
    /// asleep, or polls the sleep itself.
    pub(super) fn set(&mut self, key: Key, waker: Nonce, by_loop: bool) -> Set {
        if self.closed {
            return Set::Refused;
        }
        self.sleeps.insert(key, waker);
        let is_earliest = self.next_deadline() == Some(key.0);
        let nudges = is_earliest && !by_loop && !mem::replace(&mut self.nudged, true);
        if nudges { Set::Nudges } else { Set::Waits }
    }

    /// Swaps the waker of a sleep that is not over, and returns the old one.
    pub(super) fn replace(&mut self, key: Key, waker: Nonce) -> Option<Nonce> {
        self.sleeps.get_mut(&key).map(|old| mem::replace(old, waker))
    }

    /// Drops a sleep, and returns its waker if it was not over.
    pub(super) fn remove(&mut self, key: Key) -> Option<Nonce> {
        self.sleeps.remove(&key)
    }

    /// Drops the sleep of the loop's own task, which is known by its waker.
    pub(super) fn remove_waker(&mut self, waker: Nonce) {
        self.sleeps.retain(|_, other| *other != waker);
    }

    pub(super) fn has_waker(&self, waker: Nonce) -> bool {
        self.sleeps.values().any(|other| *other == waker)
    }

    /// The end of the wait of a loop that falls asleep, if nothing arrives in its queue. Any nudge is answered by it.
    pub(super) fn fall_asleep(&mut self) -> Option<Time> {
        self.nudged = false;
        self.next_deadline()
    }

    fn next_deadline(&self) -> Option<Time> {
        self.sleeps.first_key_value().map(|((deadline, _), _)| *deadline)
    }

    pub(super) fn is_reached(&self, deadline: Time) -> bool {
        deadline <= self.now
    }

    /// Lets time pass, up to this deadline.
    pub(super) fn jump(&mut self, deadline: Time) {
        self.now = self.now.max(deadline);
    }

    /// Takes out the sleeps that are due, those of the earliest deadline first, and of one deadline in the order in which
    /// they were begun.
    pub(super) fn due(&mut self) -> Vec<Nonce> {
        let later = self.sleeps.split_off(&(self.now, usize::MAX));
        mem::replace(&mut self.sleeps, later).into_values().collect()
    }

    /// Refuses timers from now on, and takes out all sleeps, in the same order: they end early.
    pub(super) fn close(&mut self) -> Vec<Nonce> {
        self.closed = true;
        mem::take(&mut self.sleeps).into_values().collect()
    }

    pub(super) fn wake(&mut self, waker: Nonce) {
        self.woken.insert(waker);
    }

    pub(super) fn is_woken(&self, waker: Nonce) -> bool {
        self.woken.contains(&waker)
    }
}
