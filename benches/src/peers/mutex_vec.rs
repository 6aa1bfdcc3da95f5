//! The obvious solution: a vector of boxes behind a mutex, found again by number.

use super::{Check, Peer, Removes};
use std::sync::{Arc, Mutex, PoisonError};
use std::{mem, sync::MutexGuard};

pub(crate) struct MutexVec;

pub(super) type Boxed = Box<dyn FnOnce(u64) + Send>;

#[derive(Default)]
pub(crate) struct State {
    value: Option<u64>,
    next: u64,
    callbacks: Vec<(u64, Boxed)>,
}

type Task = Arc<Mutex<State>>;

fn lock(task: &Task) -> MutexGuard<'_, State> {
    task.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Peer for MutexVec {
    type Task = Task;
    type Completer = ();
    type Id = u64;

    fn new() -> Self {
        MutexVec
    }

    fn task(&mut self) -> ((), Task) {
        ((), Task::default())
    }

    fn add(&mut self, task: &mut Task, check: Check) -> u64 {
        let callback: Boxed = Box::new(move |value| check.run(value));
        let mut state = lock(task);
        let id = state.next;
        state.next += 1;
        match state.value {
            None => state.callbacks.push((id, callback)),
            Some(value) => {
                drop(state);
                callback(value);
            }
        }
        id
    }

    fn complete((): (), task: &mut Task, value: u64) {
        let mut state = lock(task);
        state.value = Some(value);
        let callbacks = mem::take(&mut state.callbacks);
        drop(state);
        for (_, callback) in callbacks {
            callback(value);
        }
    }
}

impl Removes for MutexVec {
    fn remove(&mut self, task: &mut Task, id: u64) {
        let mut state = lock(task);
        let found = state.callbacks.iter().position(|(stored, _)| *stored == id);
        let removed = found.map(|at| state.callbacks.remove(at));
        drop(state);
        drop(removed);
    }
}
