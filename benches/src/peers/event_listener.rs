//! An `Event` beside the value, listened to by tasks of smol's executor.

use super::{Check, Peer, Removes};
use async_executor::{LocalExecutor, Task};
use event_listener::Event;
use std::sync::{Arc, OnceLock};

pub(crate) struct Listened(LocalExecutor<'static>);

#[derive(Default)]
pub(crate) struct Done {
    event: Event,
    value: OnceLock<u64>,
}

impl Peer for Listened {
    type Task = Arc<Done>;
    type Completer = ();
    type Id = Task<()>;
    const HAS_LOOP: bool = true;
    const ORDERED_AMONG_THREADS: bool = false;

    fn new() -> Self {
        Listened(LocalExecutor::new())
    }

    fn task(&mut self) -> ((), Arc<Done>) {
        ((), Arc::default())
    }

    fn add(&mut self, done: &mut Arc<Done>, check: Check) -> Task<()> {
        let done = done.clone();
        self.0.spawn(async move {
            let value = loop {
                if let Some(value) = done.value.get() {
                    break *value;
                }
                let listener = done.event.listen();
                if done.value.get().is_none() {
                    listener.await;
                }
            };
            check.run(value);
        })
    }

    fn keep(id: Task<()>) {
        id.detach();
    }

    fn complete((): (), done: &mut Arc<Done>, value: u64) {
        done.value.set(value).expect("it is completed once");
        done.event.notify(usize::MAX);
    }

    fn turn(&mut self) {
        while self.0.try_tick() {}
    }

    fn settle(&mut self) {
        self.turn();
    }
}

impl Removes for Listened {
    fn remove(&mut self, _: &mut Arc<Done>, id: Task<()>) {
        drop(id);
    }
}
