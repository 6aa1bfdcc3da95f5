//! Timestamps of the calls and hand-overs on real threads: tickets from one shared counter.
//!
//! A thread takes a ticket before and after each call, and at the begin and the end of each hand-over. The counter is
//! incremented with relaxed ordering, so it adds no synchronisation that could hide a bug: an outcome that the core fails
//! to publish stays unpublished. Its modification order is nevertheless consistent with happens-before. If the last ticket
//! of one call is smaller than the first ticket of another, then the lock section of the one is before that of the
//! other: in the reverse case the other's first ticket would happen before the one's last, and be the smaller.
//! Real-time order is therefore exact for everything that the lock orders, and for every read that returned an outcome.
//! A read that returns `pending` takes no lock and is not ordered by tickets: only the knowledge that its thread had
//! before bounds it.

use crate::observation::event::Event;
use crate::observation::history::History;
use crate::scenario::Scenario;
use fastrand::Rng;
use std::cell::RefCell;
use std::mem;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// The counter, and the events that took tickets from it.
#[derive(Default)]
struct Counter {
    next: AtomicUsize,
    taken: Mutex<Vec<Ticket>>,
}

struct Ticket {
    number: usize,
    thread: usize,
    event: Event,
}

/// A thread that takes tickets.
pub(crate) struct Holder {
    counter: Arc<Counter>,
    thread: usize,
    taken: Vec<Ticket>,
    random: Rng,
}

thread_local! {
    static HOLDER: RefCell<Option<Holder>> = const { RefCell::new(None) };
}

/// Runs `play`, and returns the history of the threads that took tickets: this one, and the [`holder`]s made by it.
pub(crate) fn record<R>(scenario: &Scenario, play: impl FnOnce() -> R) -> (R, History) {
    let counter = Arc::new(Counter::default());
    let played = Holder::new(&counter, scenario.threads.len()).hold(play);
    let mut taken = mem::take(&mut *counter.taken.lock().unwrap_or_else(PoisonError::into_inner));
    taken.sort_by_key(|ticket| ticket.number);
    let events = taken.into_iter().map(|ticket| (ticket.thread, ticket.event));
    let events = events.skip_while(|(_, event)| *event != Event::AllBegin).skip(1);
    let events = events.take_while(|(_, event)| *event != Event::AllTold).collect();
    (played, History { scenario: scenario.clone(), events })
}

/// A holder for another thread, if this thread has one.
pub(crate) fn holder(thread: usize) -> Option<Holder> {
    HOLDER.with_borrow(|this| this.as_ref().map(|this| Holder::new(&this.counter, thread)))
}

impl Holder {
    fn new(counter: &Arc<Counter>, thread: usize) -> Self {
        // Each holder has a seed of its own, so that executions differ.
        static HOLDERS: AtomicU64 = AtomicU64::new(0);
        let random = Rng::with_seed(HOLDERS.fetch_add(1, Ordering::Relaxed));
        Holder { counter: counter.clone(), thread, taken: Vec::new(), random }
    }

    /// True one time in four, at random.
    fn yields(&mut self) -> bool {
        self.random.u8(..4) == 0
    }

    /// Runs `body` with tickets. They are collected at its end: until then threads share nothing but the counter.
    pub(crate) fn hold<R>(self, body: impl FnOnce() -> R) -> R {
        let before = HOLDER.replace(Some(self));
        let done = body();
        if let Some(Holder { counter, taken, .. }) = HOLDER.replace(before) {
            counter.taken.lock().unwrap_or_else(PoisonError::into_inner).extend(taken);
        }
        done
    }
}

/// Takes a ticket for an event of the current thread; false if that takes none.
pub(crate) fn ticket(event: impl FnOnce() -> Event) -> bool {
    HOLDER.with_borrow_mut(|holder| {
        let Some(Holder { counter, thread, taken, .. }) = holder else { return false };
        let event = event();
        let all = matches!(event, Event::AllBegin | Event::AllTold);
        if all || matches!(event, Event::Begins(_) | Event::Ends(..) | Event::Enters(_) | Event::Leaves(..)) {
            let number = counter.next.fetch_add(1, Ordering::Relaxed);
            taken.push(Ticket { number, thread: *thread, event });
        }
        true
    })
}

/// Yields at random to other threads, on a thread that takes tickets. Called before each lock, where another thread does
/// most harm; adds no synchronisation.
pub(crate) fn yield_at_random() {
    let yields = HOLDER.with_borrow_mut(|holder| holder.as_mut().is_some_and(Holder::yields));
    if yields {
        thread::yield_now();
    }
}
