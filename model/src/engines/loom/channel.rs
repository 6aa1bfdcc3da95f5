//! crossbeam-channel's part that the loop uses, on loom's mutex and condvar, and the clock it sleeps by.
//!
//! That crossbeam-channel itself does what is modelled here is an assumption.

use crate::engines::record::recorder;
use crate::observation::event::Event;
use loom::sync::{Condvar, Mutex};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ops::Add;
use std::sync::Arc;
use std::time::Duration;

struct Channel<T> {
    state: Mutex<State<T>>,
    bell: Condvar,
}

struct State<T> {
    messages: VecDeque<T>,
    /// Cleared when the other end is dropped.
    has_sender: bool,
    has_receiver: bool,
}

pub struct Sender<T>(Arc<Channel<T>>);

/// There is but one. What it has seen lies at hand: taking that is no operation of the model, since
/// whoever sends cannot tell when it happens.
pub struct Receiver<T> {
    channel: Arc<Channel<T>>,
    at_hand: RefCell<VecDeque<T>>,
}

pub struct SendError<T>(pub T);

pub struct RecvError;

pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    let state = State { messages: VecDeque::new(), has_sender: true, has_receiver: true };
    let channel = Arc::new(Channel { state: Mutex::new(state), bell: Condvar::new() });
    (Sender(channel.clone()), Receiver { channel, at_hand: RefCell::default() })
}

/// Nothing will ever come.
pub fn never<T>() -> Receiver<T> {
    unbounded().1
}

impl<T> Channel<T> {
    fn locked<R>(&self, section: impl FnOnce(&mut State<T>) -> R) -> R {
        section(&mut self.state.lock().expect("poisons nothing"))
    }
}

impl<T> Sender<T> {
    /// # Errors
    ///
    /// If the receiver is gone the message is given back.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        recorder::record(|| Event::Schedules(None));
        self.0.locked(|state| {
            if !state.has_receiver {
                return Err(SendError(message));
            }
            state.messages.push_back(message);
            self.0.bell.notify_one();
            Ok(())
        })
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.locked(|state| {
            state.has_sender = false;
            self.0.bell.notify_one();
        });
    }
}

impl<T> Receiver<T> {
    /// # Errors
    ///
    /// If nothing is left, and the sender gone.
    pub fn recv(&self) -> Result<T, RecvError> {
        self.take().or_else(|| self.wait()).ok_or(RecvError)
    }

    /// Time passes when there is nothing, and at once.
    ///
    /// # Errors
    ///
    /// If nothing came before the deadline.
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvError> {
        self.try_iter().next().ok_or_else(|| {
            CLOCK.set(CLOCK.get().max(deadline));
            RecvError
        })
    }

    #[allow(clippy::len_without_is_empty, reason = "the loop asks for no more")]
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
        self.at_hand.borrow_mut().pop_front()
    }

    fn wait(&self) -> Option<T> {
        let mut state = self.channel.state.lock().expect("poisons nothing");
        while state.messages.is_empty() && state.has_sender {
            state = self.channel.bell.wait(state).expect("poisons nothing");
        }
        self.see(&mut state);
        self.take()
    }

    /// How many there are.
    fn see(&self, state: &mut State<T>) -> usize {
        let mut at_hand = self.at_hand.borrow_mut();
        at_hand.append(&mut state.messages);
        at_hand.len()
    }
}

/// What nobody will take is dropped, unlocked.
impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.channel.locked(|state| {
            state.has_receiver = false;
            self.see(state);
        });
        let left = self.at_hand.take();
        drop(left);
    }
}

thread_local! {
    // All of loom's threads run on one.
    static CLOCK: Cell<Instant> = const { Cell::new(Instant(Duration::ZERO)) };
}

/// A time of the logical clock, which stands still while anything happens.
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
