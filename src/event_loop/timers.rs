//! The timers of a loop, and the future that sets one.

use super::super::sync::Instant;
use super::super::sync::fresh_serial;
use super::current;
use super::entry::Entry;
use super::handle::Handle;
use futures::future::FusedFuture;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// The deadline of a sleep, and its rank among equal ones.
type Key = (Instant, u64);

/// Used when the deadline overflows `Instant`: longer than anybody waits.
const FAR: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);

/// The sleeps that are not over, earliest first.
#[derive(Default)]
pub(super) struct Timers {
    sleeps: BTreeMap<Key, Waker>,
    /// A nudge is queued: another would tell the loop nothing new.
    nudged: bool,
}

impl Timers {
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.sleeps.first_key_value().map(|((deadline, _), _)| *deadline)
    }

    /// Takes out the sleeps that are due. The caller wakes them, outside the lock.
    pub(super) fn due(&mut self, now: Instant) -> impl Iterator<Item = Waker> + use<> {
        self.nudged = false;
        let later = self.sleeps.split_off(&(now, u64::MAX));
        mem::replace(&mut self.sleeps, later).into_values()
    }
}

/// The future of [`sleep`](super::sleep), which holds a timer of its loop from its first poll to its end.
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
/// [P13]: crate::kernel#properties
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

    /// Sets the timer, and wakes a loop that would sleep past it.
    fn start(&mut self, waker: Waker) {
        let now = Instant::now();
        let deadline = now.checked_add(self.duration).unwrap_or_else(|| now + FAR);
        let key = (deadline, fresh_serial());
        self.key = Some(key);
        let mut timers = self.handle.shared().timers.lock();
        timers.sleeps.insert(key, waker);
        let tells = timers.next_deadline() == Some(deadline) && !current::is_inside(&self.handle);
        let nudge = tells && !mem::replace(&mut timers.nudged, true);
        drop(timers);
        if nudge {
            let _ = self.handle.push(Entry::Nudge);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut waker = context.waker().clone();
        let Some(key) = self.key else {
            self.start(waker);
            return Poll::Pending;
        };
        // The old waker is swapped out, and dropped outside the lock.
        let waits = self.handle.shared().timers.lock().sleeps.get_mut(&key).map(|old| mem::swap(old, &mut waker));
        self.over = waits.is_none();
        waits.map_or(Poll::Ready(()), |()| Poll::Pending)
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
