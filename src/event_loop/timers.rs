//! The timers of a loop, and the future that sets one.
//!
//! The page of the timers; `model/src/spec/timers.rs` is the same page as code. Any thread may begin a sleep, poll
//! it again and drop it. Each verb below is one section under the timers' lock, and user code runs after it (P13).
//!
//! * A sleep waits from its first poll until it is due, is dropped, or the loop is closed. Meanwhile it has one
//!   place, in the order of deadlines, and of equal deadlines in the order of first polls; and the waker of its
//!   last poll.
//! * Each turn begins by taking out the sleeps that are due, which it wakes in that order (R32).
//! * A closed loop takes out all sleeps and wakes them. From then on every poll finds its sleep over (P16, D26).
//! * A loop that falls asleep reads the earliest deadline and waits for it, or else for ever; a nudge, an entry of
//!   the queue, tells it that there is an earlier one. So another thread that sets the earliest timer pushes a
//!   nudge, unless one is on its way already: since the loop last fell asleep. The loop reads the deadline and
//!   forgets the nudge in one section. So a timer is set before that section, and then it is read; or after it, and
//!   then the first nudge wakes the loop, which reads again. No timer is slept past (P17).

use super::super::sync::Instant;
use super::super::sync::fresh_serial;
use super::current;
use super::entry::Entry;
use super::handle::Handle;
use futures_util::future::FusedFuture;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// The deadline of a sleep, and its rank among equal ones.
type Key = (Instant, u64);

/// Used when the deadline overflows `Instant`: 30 years, longer than anybody waits.
const FAR: Duration = Duration::from_secs(946_080_000);

/// The sleeps that are not over, earliest first.
#[derive(Default)]
pub(super) struct Timers {
    sleeps: BTreeMap<Key, Waker>,
    /// The loop was nudged since it last fell asleep: another nudge would tell it nothing new.
    nudged: bool,
    closed: bool,
}

impl Timers {
    /// Sets a timer. Gives the waker back if the loop is closed: then the caller drops it, outside the lock.
    fn set(&mut self, key: Key, waker: Waker) -> Option<Waker> {
        if self.closed {
            return Some(waker);
        }
        self.sleeps.insert(key, waker);
        None
    }

    /// Refuses timers from now on, and takes out those that are left. The caller wakes them, outside the lock.
    pub(super) fn close(&mut self) -> impl Iterator<Item = Waker> + use<> {
        self.closed = true;
        mem::take(&mut self.sleeps).into_values()
    }

    /// Returns the deadline up to which the loop may sleep. From now on an earlier one needs a nudge: one that was
    /// pushed before is answered, also if its entry ran after this turn had asked for due sleeps.
    pub(super) fn fall_asleep(&mut self) -> Option<Instant> {
        self.nudged = false;
        self.next_deadline()
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.sleeps.first_key_value().map(|((deadline, _), _)| *deadline)
    }

    /// Takes out the sleeps that are due; `None`, and the clock is not read, if there is no sleep. The caller
    /// wakes them, outside the lock.
    pub(super) fn due(&mut self) -> Option<impl Iterator<Item = Waker> + use<>> {
        if self.sleeps.is_empty() {
            return None;
        }
        let later = self.sleeps.split_off(&(Instant::now(), u64::MAX));
        Some(mem::replace(&mut self.sleeps, later).into_values())
    }
}

/// The future of [`sleep`](super::sleep), which holds a timer of its loop from its first poll to its end.
///
/// When its loop is closed it ends early, or at once if it is polled later: no timer of that loop would
/// ever fire, and nobody waits for ever ([P16], [D26]).
///
/// # Panics
///
/// A panic in the waker's wake is contained and reported. A panic in its clone or drop goes to the
/// caller of poll or drop.
///
/// # Re-entrancy
///
/// Wakers are cloned, woken and dropped with no lock held ([P13]).
///
/// [D26]: crate::rules#d26
/// [P13]: crate::kernel#properties
/// [P16]: crate::rules#p16
#[must_use = "futures do nothing unless you await them"]
pub struct Sleep {
    handle: Handle,
    duration: Duration,
    key: Option<Key>,
    over: bool,
}

impl Sleep {
    pub(super) fn new(handle: Handle, duration: Duration) -> Self {
        Sleep { handle, duration, key: None, over: false }
    }

    /// Sets the timer, and wakes a loop that would sleep past it. Returns false if the loop is closed.
    fn start(&mut self, waker: Waker) -> bool {
        let now = Instant::now();
        let deadline = now.checked_add(self.duration).unwrap_or_else(|| now + FAR);
        let key = (deadline, fresh_serial());
        self.key = Some(key);
        let mut timers = self.handle.shared().timers.lock();
        let refused = timers.set(key, waker);
        let tells = timers.next_deadline() == Some(deadline) && !current::is_inside(&self.handle);
        let nudge = tells && !mem::replace(&mut timers.nudged, true);
        drop(timers);
        if nudge {
            let _ = self.handle.push(Entry::Nudge);
        }
        refused.is_none()
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut waker = context.waker().clone();
        let waits = match self.key {
            None => self.start(waker),
            // The old waker is swapped out, and dropped outside the lock.
            Some(key) => {
                let mut timers = self.handle.shared().timers.lock();
                timers.sleeps.get_mut(&key).map(|old| mem::swap(old, &mut waker)).is_some()
            }
        };
        self.over = !waits;
        if waits { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl FusedFuture for Sleep {
    fn is_terminated(&self) -> bool {
        self.over
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let waker = self.key.and_then(|key| self.handle.shared().timers.lock().sleeps.remove(&key));
        drop(waker);
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sleep").field(&self.duration).finish()
    }
}
