//! The one-shot of the adapters in every schedule, with a clock that the test moves.
#![cfg(loom)]

#[allow(dead_code)]
#[path = "../../../examples/adapters/src/oneshot.rs"]
mod oneshot;
#[allow(dead_code)]
#[path = "../../../examples/adapters/src/waiting.rs"]
mod waiting;

use loom::model;
use machine::Instant;
use oneshot::{NotReceived, channel};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The adapter's facade.
mod machine {
    use loom::sync::atomic::{AtomicU64, Ordering::SeqCst};
    pub(crate) use loom::sync::{Arc, Mutex, MutexGuard};
    use std::time::Duration;

    loom::lazy_static! {
        static ref NOW: AtomicU64 = AtomicU64::new(0);
    }

    /// A number of nanoseconds.
    #[derive(Clone, Copy, PartialEq, PartialOrd)]
    pub(crate) struct Instant(u64);

    impl Instant {
        pub(crate) fn now() -> Self {
            Instant(NOW.load(SeqCst))
        }

        /// Moves the clock to the first nanosecond.
        pub(crate) fn pass() {
            NOW.store(1, SeqCst);
        }

        pub(crate) fn checked_add(self, time: Duration) -> Option<Self> {
            Some(Instant(self.0 + time.as_nanos() as u64))
        }

        pub(crate) fn saturating_duration_since(self, earlier: Self) -> Duration {
            Duration::from_nanos(self.0.saturating_sub(earlier.0))
        }
    }

    pub(crate) mod thread {
        pub(crate) use loom::thread::{Thread, current, park, yield_now};

        /// Returns at once, as a wait may at any time.
        pub(crate) fn park_timeout(_: super::Duration) {
            yield_now();
        }
    }
}

/// P9. Threads: one sends, one moves the clock to the deadline, one receives until then. May: the value is received,
/// in time or not; the receiver times out, and the value is there later. Must not: it times out though a `send` has returned
/// before the deadline.
#[test]
fn what_was_sent_before_the_deadline_is_received() {
    let seen = std::sync::Arc::new(Mutex::new(BTreeSet::new()));
    let seen_there = seen.clone();
    model(move || {
        let start = Instant::now();
        let (sender, mut receiver) = channel();
        let sends = loom::thread::spawn(move || {
            sender.send(3).unwrap();
            Instant::now() == start
        });
        let clock = loom::thread::spawn(Instant::pass);
        let received = receiver.recv_timeout(Duration::from_nanos(1));
        let in_time = sends.join().unwrap();
        clock.join().unwrap();
        match received {
            Ok(value) => assert_eq!(value, 3),
            Err(why) => {
                assert_eq!(why, NotReceived::Empty);
                assert!(!in_time, "P9: it timed out, and the value had been sent");
                assert_eq!(receiver.try_recv(), Ok(3));
            }
        }
        assert_eq!(receiver.try_recv(), Err(NotReceived::Disconnected), "it came twice");
        seen_there.lock().unwrap_or_else(PoisonError::into_inner).insert((received.is_ok(), in_time));
    });
    let all = BTreeSet::from([(true, true), (true, false), (false, false)]);
    assert_eq!(*seen.lock().unwrap(), all, "(received, in time)");
}
