//! A model of the part of crossbeam-channel that the loop uses, on the engine's mutex and condvar, and of its clock. Compiled
//! once for each engine that plays the loop.
//!
//! The clock is a logical one, which jumps to the deadline of a receiver that has nothing to receive. If other threads nap,
//! it waits for them: then time passes only while each of them waits for a nap.
//!
//! It is an assumption that crossbeam-channel itself behaves like this model.

use super::machine::sync::{Condvar, Mutex};
use crate::engines::record::recorder;
use crate::observation::event::Event;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ops::Add;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

struct Channel<T> {
    state: Mutex<Messages<T>>,
    changed: Condvar,
    /// A nap is over.
    over: Condvar,
}

struct Messages<T> {
    messages: VecDeque<T>,
    /// Cleared when that end is dropped, like the next one.
    has_sender: bool,
    has_receiver: bool,
    /// The number of threads that time waits for: those that neither wait for a nap nor have ended.
    awake: usize,
}

pub struct Sender<T>(Arc<Channel<T>>);

/// The only receiver. It keeps the messages that it has seen: taking one of these is no operation of the model, because
/// no sender can tell when it happens.
pub struct Receiver<T> {
    channel: Arc<Channel<T>>,
    seen: RefCell<VecDeque<T>>,
}

pub struct SendError<T>(pub T);

pub struct RecvError;

pub fn unbounded<T: Send + 'static>() -> (Sender<T>, Receiver<T>) {
    let awake = TIMED.get().unwrap_or(0);
    let state = Messages { messages: VecDeque::new(), has_sender: true, has_receiver: true, awake };
    let channel = Arc::new(Channel { state: Mutex::new(state), changed: Condvar::new(), over: Condvar::new() });
    if TIMED.get().is_some() && keeper().is_none() {
        let keeper: Weak<Channel<T>> = Arc::downgrade(&channel);
        KEEPER.set(Some(keeper));
    }
    (Sender(channel.clone()), Receiver { channel, seen: RefCell::default() })
}

/// A channel on which no message ever arrives.
pub fn never<T: Send + 'static>() -> Receiver<T> {
    unbounded().1
}

impl<T> Channel<T> {
    fn locked<R>(&self, section: impl FnOnce(&mut Messages<T>) -> R) -> R {
        section(&mut self.state.lock().expect("poisons nothing"))
    }
}

impl<T> Sender<T> {
    /// Sends a message.
    ///
    /// # Errors
    ///
    /// If the receiver is gone, the message is given back.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        recorder::record(|| Event::Schedules(None));
        self.0.locked(|state| {
            if !state.has_receiver {
                return Err(SendError(message));
            }
            state.messages.push_back(message);
            self.0.changed.notify_one();
            Ok(())
        })
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.locked(|state| {
            state.has_sender = false;
            self.0.changed.notify_one();
        });
    }
}

impl<T> Receiver<T> {
    /// Waits for a message.
    ///
    /// # Errors
    ///
    /// If no message is left and the sender is gone.
    pub fn recv(&self) -> Result<T, RecvError> {
        self.take().or_else(|| self.wait(None)).ok_or(RecvError)
    }

    /// Takes a message. If there is none, the clock jumps to the deadline, as soon as it does not wait for other threads.
    ///
    /// # Errors
    ///
    /// If no message came before the deadline.
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvError> {
        let message = match TIMED.get() {
            Some(_) => self.take().or_else(|| self.wait(Some(deadline))),
            None => self.try_iter().next(),
        };
        message.ok_or_else(|| {
            CLOCK.set(CLOCK.get().max(deadline));
            RecvError
        })
    }

    #[allow(clippy::len_without_is_empty, reason = "the loop needs no more")]
    pub fn len(&self) -> usize {
        self.channel.locked(|state| self.see(state))
    }

    pub fn try_iter(&self) -> impl Iterator<Item = T> {
        std::iter::from_fn(|| {
            self.take().or_else(|| {
                self.len();
                self.take()
            })
        })
    }

    fn take(&self) -> Option<T> {
        self.seen.borrow_mut().pop_front()
    }

    /// Waits for a message, or until the deadline is reached, or time can pass up to it.
    fn wait(&self, deadline: Option<Instant>) -> Option<T> {
        let mut state = self.channel.state.lock().expect("poisons nothing");
        let is_over = |awake| deadline.is_some_and(|deadline| deadline <= CLOCK.get() || awake == 0);
        while state.messages.is_empty() && state.has_sender && !is_over(state.awake) {
            state = self.channel.changed.wait(state).expect("poisons nothing");
        }
        self.see(&mut state);
        self.take()
    }

    /// Moves all messages to the seen ones, and returns the number of those.
    fn see(&self, state: &mut Messages<T>) -> usize {
        let mut seen = self.seen.borrow_mut();
        seen.append(&mut state.messages);
        seen.len()
    }
}

/// Drops the messages that are left, without the lock.
impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.channel.locked(|state| {
            state.has_receiver = false;
            self.see(state);
        });
        let left = self.seen.take();
        drop(left);
    }
}

thread_local! {
    // All of the engine's threads run on one thread of the system.
    static CLOCK: Cell<Instant> = const { Cell::new(Instant(Duration::ZERO)) };
    /// The number of threads that nap in this execution, and that the clock waits for.
    static TIMED: Cell<Option<usize>> = const { Cell::new(None) };
    static KEEPER: RefCell<Option<Weak<dyn Keeper>>> = const { RefCell::new(None) };
}

/// A channel that knows which threads are awake.
trait Keeper: Send + Sync {
    fn wait(&self, nap: &Nap);
    fn wake(&self, nap: &Nap);
    fn one_ends(&self);
}

impl<T: Send> Keeper for Channel<T> {
    fn wait(&self, nap: &Nap) {
        let mut state = self.state.lock().expect("poisons nothing");
        if nap.get() == Waking::Woken {
            return;
        }
        nap.set(Waking::Awaited);
        state.awake -= 1;
        self.changed.notify_one();
        while nap.get() != Waking::Woken {
            state = self.over.wait(state).expect("poisons nothing");
        }
    }

    fn wake(&self, nap: &Nap) {
        self.locked(|state| {
            state.awake += usize::from(nap.get() == Waking::Awaited);
            nap.set(Waking::Woken);
            self.over.notify_all();
        });
    }

    fn one_ends(&self) {
        self.locked(|state| {
            state.awake -= 1;
            self.changed.notify_one();
        });
    }
}

/// Whether the last waker of a nap was woken. The channel's lock guards it.
pub struct Nap(std::sync::Mutex<Waking>);

#[derive(Clone, Copy, PartialEq)]
enum Waking {
    Sleeps,
    /// Its thread waits until it is woken.
    Awaited,
    Woken,
}

impl Nap {
    fn get(&self) -> Waking {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, waking: Waking) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = waking;
    }

    pub fn new() -> Self {
        Nap(std::sync::Mutex::new(Waking::Sleeps))
    }

    /// Waits until it is woken. Meanwhile time does not wait for this thread.
    pub fn wait(&self) {
        let keeper = keeper();
        keeper.inspect(|keeper| keeper.wait(self));
    }

    pub fn wake(&self) {
        let keeper = keeper();
        keeper.inspect(|keeper| keeper.wake(self));
    }
}

/// Begins an execution: the number of threads that time waits for, if any thread naps.
pub fn begin(timed: Option<usize>) {
    TIMED.set(timed);
    KEEPER.set(None);
}

/// Ends a thread: time does not wait for it any longer.
pub fn one_ends() {
    let keeper = keeper();
    keeper.inspect(|keeper| keeper.one_ends());
}

/// It is returned, because threads can switch while it is locked.
fn keeper() -> Option<Arc<dyn Keeper>> {
    KEEPER.with_borrow(|keeper| keeper.as_ref()?.upgrade())
}

/// The unit of time of scenarios.
pub const UNIT: Duration = Duration::from_secs(1);

/// A time of the logical clock, which advances only when the loop waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(Duration);

impl Instant {
    pub fn now() -> Self {
        CLOCK.get()
    }

    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        self.0.checked_add(duration).map(Instant)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Instant(self.0 + duration)
    }
}
