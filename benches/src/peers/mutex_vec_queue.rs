//! `mutex-vec` with a queue: completing pushes each callback, and a loop on one thread pops and runs it.

use super::mutex_vec::Boxed;
use super::{Check, Loop, Peer};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::{iter, mem};

pub(crate) struct MutexVecQueue(Arc<Queue>);

/// The queue of the loop.
#[derive(Default)]
pub(crate) struct Queue {
    ready: Mutex<Ready>,
    /// For a loop that sleeps, which none does here.
    pushed: Condvar,
}

#[derive(Default)]
struct Ready {
    sleeps: bool,
    callbacks: VecDeque<(Boxed, u64)>,
}

impl Queue {
    fn push(&self, callback: Boxed, value: u64) {
        let mut ready = lock(&self.ready);
        ready.callbacks.push_back((callback, value));
        if ready.sleeps {
            self.pushed.notify_one();
        }
    }

    /// Runs all that is queued.
    fn turn(&self) {
        let pop = || lock(&self.ready).callbacks.pop_front();
        iter::from_fn(pop).for_each(|(callback, value)| callback(value));
    }
}

pub(crate) struct Task {
    queue: Arc<Queue>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    value: Option<u64>,
    next: u64,
    callbacks: Vec<(u64, Boxed)>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Peer for MutexVecQueue {
    type Task = Arc<Task>;
    type Completer = ();
    type Id = u64;

    fn new() -> Self {
        MutexVecQueue(Arc::default())
    }

    fn task(&mut self) -> ((), Arc<Task>) {
        Self::make(&self.0)
    }

    fn add(&mut self, task: &mut Arc<Task>, check: Check) -> u64 {
        Self::add_within(task, check)
    }

    fn complete((): (), task: &mut Arc<Task>, value: u64) {
        let mut state = lock(&task.state);
        state.value = Some(value);
        let callbacks = mem::take(&mut state.callbacks);
        drop(state);
        for (_, callback) in callbacks {
            task.queue.push(callback, value);
        }
    }

    fn turn(&mut self) {
        self.0.turn();
    }
}

impl Loop for MutexVecQueue {
    type Maker = Arc<Queue>;

    fn maker(&self) -> Arc<Queue> {
        self.0.clone()
    }

    fn make(queue: &Arc<Queue>) -> ((), Arc<Task>) {
        ((), Arc::new(Task { queue: queue.clone(), state: Mutex::default() }))
    }

    fn add_within(task: &mut Arc<Task>, check: Check) -> u64 {
        let callback: Boxed = Box::new(move |value| check.run(value));
        let mut state = lock(&task.state);
        let id = state.next;
        state.next += 1;
        match state.value {
            None => state.callbacks.push((id, callback)),
            Some(value) => {
                drop(state);
                task.queue.push(callback, value);
            }
        }
        id
    }

    fn run<T: Send + 'static>(&mut self, main: impl Future<Output = T> + Send + 'static) -> T {
        let (mut main, mut context) = (pin!(main), Context::from_waker(Waker::noop()));
        loop {
            if let Poll::Ready(value) = main.as_mut().poll(&mut context) {
                return value;
            }
            self.0.turn();
        }
    }
}
