//! What real threads did and when, by tickets from one shared counter.
//!
//! A thread takes a ticket before each call and one after it, and inside each hand-over one at its begin and one at its
//! end. The tickets are relaxed, so they order nothing: no thread learns by them what another one has done, and what the
//! core forgets to publish stays unpublished. They are one variable's order of modification all the same, and with that
//! no happens-before can disagree. If a call's last ticket is before another's first, then the lock section of the one
//! is before that of the other: were it behind, then the other's first ticket would happen before the one's last, and
//! be the smaller. So whatever the lock orders, and whoever read a value, is ordered in time. What takes no lock and finds
//! nothing is not: a read that answers pending is bounded by what its thread knew before, and by nothing else.

use crate::observation::event::Event;
use crate::observation::history::History;
use crate::scenario::Scenario;
use std::cell::RefCell;
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// The counter, and what those who took from it did.
#[derive(Default)]
struct Counter {
    next: AtomicUsize,
    taken: Mutex<Vec<Ticket>>,
}

struct Ticket {
    number: usize,
    thread: usize,
    act: Event,
}

/// A thread that takes tickets.
pub(crate) struct Holder {
    counter: Arc<Counter>,
    thread: usize,
    taken: Vec<Ticket>,
    /// What chance has come to.
    chance: usize,
}

thread_local! {
    static HOLDER: RefCell<Option<Holder>> = const { RefCell::new(None) };
}

/// Does it, and says what threads did meanwhile: this one and those that hold tickets for it.
pub(crate) fn record<R>(scenario: &Scenario, act: impl FnOnce() -> R) -> (R, History) {
    let counter = Arc::new(Counter::default());
    let done = Holder::new(&counter, scenario.threads.len()).hold(act);
    let mut taken = mem::take(&mut *counter.taken.lock().unwrap_or_else(PoisonError::into_inner));
    taken.sort_by_key(|ticket| ticket.number);
    let acts = taken.into_iter().map(|ticket| (ticket.thread, ticket.act));
    let acts =
        acts.skip_while(|(_, act)| *act != Event::AllBegin).skip(1).take_while(|(_, act)| *act != Event::AllTold);
    let acts = acts.collect();
    (done, History { scenario: scenario.clone(), acts })
}

/// One for another thread, if this one has one.
pub(crate) fn holder(thread: usize) -> Option<Holder> {
    HOLDER.with_borrow(|this| this.as_ref().map(|this| Holder::new(&this.counter, thread)))
}

impl Holder {
    fn new(counter: &Arc<Counter>, thread: usize) -> Self {
        static EXECUTIONS: AtomicUsize = AtomicUsize::new(0);
        let chance = EXECUTIONS.fetch_add(1, Ordering::Relaxed);
        Holder { counter: counter.clone(), thread, taken: Vec::new(), chance }
    }

    /// One time in four, by chance.
    fn takes_turns(&mut self) -> bool {
        self.chance = self.chance.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.chance >> 62 == 0
    }

    /// Does it, with tickets, which are given up at the end: nothing is shared before but the counter.
    pub(crate) fn hold<R>(self, act: impl FnOnce() -> R) -> R {
        let before = HOLDER.replace(Some(self));
        let done = act();
        if let Some(Holder { counter, taken, .. }) = HOLDER.replace(before) {
            counter.taken.lock().unwrap_or_else(PoisonError::into_inner).extend(taken);
        }
        done
    }
}

/// The current thread does this; true if it has tickets.
pub(crate) fn ticket(act: impl FnOnce() -> Event) -> bool {
    HOLDER.with_borrow_mut(|holder| {
        let Some(Holder { counter, thread, taken, .. }) = holder else { return false };
        let act = act();
        let all = matches!(act, Event::AllBegin | Event::AllTold);
        if all || matches!(act, Event::Begins(_) | Event::Ends(..) | Event::Enters(_) | Event::Leaves(..)) {
            let number = counter.next.fetch_add(1, Ordering::Relaxed);
            taken.push(Ticket { number, thread: *thread, act });
        }
        true
    })
}

/// Every now and then, on a thread that has tickets: to be called where others would do most harm, before a lock. It
/// orders nothing.
pub(crate) fn let_others_in() {
    let takes_turns = HOLDER.with_borrow_mut(|holder| holder.as_mut().is_some_and(Holder::takes_turns));
    if takes_turns {
        thread::yield_now();
    }
}
