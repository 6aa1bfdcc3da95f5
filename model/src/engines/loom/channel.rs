//! A model of the part of crossbeam-channel that the loop uses, on loom's mutex and condvar, and of its clock.
//!
//! It is an assumption that crossbeam-channel itself behaves like this model.

use crate::engines::record::recorder;
use crate::observation::event::Event;
use loom::sync::{Condvar, Mutex};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ops::Add;
use std::sync::Arc;
use std::time::Duration;

struct Channel<T> {
    state: Mutex<Messages<T>>,
    changed: Condvar,
}

struct Messages<T> {
    messages: VecDeque<T>,
    /// Cleared when that end is dropped, like the next one.
    has_sender: bool,
    has_receiver: bool,
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

pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    let state = Messages { messages: VecDeque::new(), has_sender: true, has_receiver: true };
    let channel = Arc::new(Channel { state: Mutex::new(state), changed: Condvar::new() });
    (Sender(channel.clone()), Receiver { channel, seen: RefCell::default() })
}

/// A channel on which no message ever arrives.
pub fn never<T>() -> Receiver<T> {
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
        self.take().or_else(|| self.wait()).ok_or(RecvError)
    }

    /// Takes a message. If there is none, the clock jumps to the deadline.
    ///
    /// # Errors
    ///
    /// If no message came before the deadline.
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvError> {
        self.try_iter().next().ok_or_else(|| {
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

    fn wait(&self) -> Option<T> {
        let mut state = self.channel.state.lock().expect("poisons nothing");
        while state.messages.is_empty() && state.has_sender {
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
    // All of loom's threads run on one thread of the system.
    static CLOCK: Cell<Instant> = const { Cell::new(Instant(Duration::ZERO)) };
}

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
