//! The yardstick and the floor: one thread, no lock, no ids but positions.

use super::{Check, Peer, Removes};

/// `Vec<Box<dyn FnOnce>>`, pushed and called.
pub(crate) struct PlainVec;

type Boxed = Box<dyn FnOnce(u64)>;

/// Closures by value: a function and its captures.
pub(crate) struct PlainSlots;

/// A closure as a plain value.
#[derive(Clone, Copy)]
pub(crate) struct Stored {
    call: fn(Check, u64),
    check: Check,
}

impl Stored {
    #[inline]
    pub(super) fn new(check: Check) -> Self {
        Stored { call: Check::run, check }
    }

    #[inline]
    pub(super) fn call(self, value: u64) {
        (self.call)(self.check, value);
    }
}

/// A task of one thread.
pub(crate) struct Plain<C> {
    value: Option<u64>,
    callbacks: Vec<Option<C>>,
}

impl<C> Plain<C> {
    fn new() -> Box<Self> {
        Box::new(Plain { value: None, callbacks: Vec::new() })
    }

    #[inline]
    fn add(&mut self, callback: C, call: impl FnOnce(C, u64)) -> usize {
        match self.value {
            Some(value) => call(callback, value),
            None => self.callbacks.push(Some(callback)),
        }
        self.callbacks.len().wrapping_sub(1)
    }

    #[inline]
    fn remove(&mut self, at: usize) {
        drop(self.callbacks[at].take());
        while self.callbacks.pop_if(|last| last.is_none()).is_some() {}
    }

    #[inline]
    fn complete(&mut self, value: u64, call: impl Fn(C, u64)) {
        self.value = Some(value);
        for callback in std::mem::take(&mut self.callbacks).into_iter().flatten() {
            call(callback, value);
        }
    }
}

impl Peer for PlainVec {
    type Task = Box<Plain<Boxed>>;
    type Completer = ();
    type Id = usize;

    fn new() -> Self {
        PlainVec
    }

    fn task(&mut self) -> ((), Self::Task) {
        ((), Plain::new())
    }

    fn add(&mut self, task: &mut Self::Task, check: Check) -> usize {
        task.add(Box::new(move |value| check.run(value)), |callback, value| callback(value))
    }

    fn complete((): (), task: &mut Self::Task, value: u64) {
        task.complete(value, |callback, value| callback(value));
    }
}

impl Removes for PlainVec {
    fn remove(&mut self, task: &mut Self::Task, id: usize) {
        task.remove(id);
    }
}

impl Peer for PlainSlots {
    type Task = Box<Plain<Stored>>;
    type Completer = ();
    type Id = usize;

    fn new() -> Self {
        PlainSlots
    }

    fn task(&mut self) -> ((), Self::Task) {
        ((), Plain::new())
    }

    fn add(&mut self, task: &mut Self::Task, check: Check) -> usize {
        task.add(Stored::new(check), Stored::call)
    }

    fn complete((): (), task: &mut Self::Task, value: u64) {
        task.complete(value, Stored::call);
    }
}

impl Removes for PlainSlots {
    fn remove(&mut self, task: &mut Self::Task, id: usize) {
        task.remove(id);
    }
}
