//! whendone's tasks, with callbacks inline and on a loop; and its loop as an executor.

use super::super::within::turn;
use super::{Awaits, Check, Executor, Loop, Peer, Reads, Removes, Value};
use std::future::{Future, IntoFuture};
use whendone::{CallbackId, Completer, EventLoop, Handle, Task, Wait};

/// The callback that both add: it reads the value from its task. Always inlined, so that the number of scenarios does not
/// decide whether a call of the harness is counted.
#[inline(always)]
fn add(task: &Task<u64>, check: Check) -> CallbackId {
    task.add_done_callback(move |task| check.run(value(task)))
}

#[inline]
fn value(task: &Task<u64>) -> u64 {
    *task.outcome().and_then(|outcome| outcome.value()).expect("it is finished")
}

/// Tasks whose callbacks run on the completing thread.
pub(crate) struct Inline;

impl Peer for Inline {
    type Task = Task<u64>;
    type Completer = Completer<u64>;
    type Id = CallbackId;

    fn new() -> Self {
        Inline
    }

    fn task(&mut self) -> (Completer<u64>, Task<u64>) {
        whendone::task(whendone::Inline)
    }

    fn add(&mut self, task: &mut Task<u64>, check: Check) -> CallbackId {
        add(task, check)
    }

    fn complete(completer: Completer<u64>, _: &mut Task<u64>, value: u64) {
        completer.complete(value).expect("it is completed once");
    }
}

impl Reads for Inline {
    #[inline]
    fn read(task: &Task<u64>) -> u64 {
        value(task)
    }
}

impl Removes for Inline {
    fn remove(&mut self, task: &mut Task<u64>, id: CallbackId) {
        assert!(task.remove_done_callback(id));
    }
}

impl Awaits for Inline {
    type Task = Task<Value>;
    type Completer = Completer<Value>;
    type Wait = Wait<Value, Task<Value>>;

    fn task() -> (Completer<Value>, Task<Value>) {
        whendone::task(whendone::Inline)
    }

    fn wait(task: &Task<Value>) -> Self::Wait {
        task.clone().into_future()
    }

    fn complete(completer: Completer<Value>, _: &Task<Value>, value: Value) {
        assert!(completer.complete(value).is_ok(), "it is completed once");
    }
}

/// Tasks whose callbacks run on an event loop.
pub(crate) struct Looped {
    event_loop: EventLoop,
    handle: Handle,
}

impl Peer for Looped {
    type Task = Task<u64>;
    type Completer = Completer<u64>;
    type Id = CallbackId;

    fn new() -> Self {
        let event_loop = EventLoop::new();
        Looped { handle: event_loop.handle(), event_loop }
    }

    fn task(&mut self) -> (Completer<u64>, Task<u64>) {
        whendone::task(self.handle.clone())
    }

    fn add(&mut self, task: &mut Task<u64>, check: Check) -> CallbackId {
        add(task, check)
    }

    fn complete(completer: Completer<u64>, _: &mut Task<u64>, value: u64) {
        completer.complete(value).expect("it is completed once");
    }

    fn turn(&mut self) {
        self.event_loop.run_until_complete(async {});
    }
}

impl Loop for Looped {
    type Maker = Handle;

    fn maker(&self) -> Handle {
        self.handle.clone()
    }

    fn make(handle: &Handle) -> (Completer<u64>, Task<u64>) {
        whendone::task(handle.clone())
    }

    fn add_within(task: &mut Task<u64>, check: Check) -> CallbackId {
        add(task, check)
    }

    fn run<T: Send + 'static>(&mut self, main: impl Future<Output = T> + Send + 'static) -> T {
        self.event_loop.run_until_complete(main)
    }
}

impl Executor for Looped {
    type Spawned = Task<Value>;

    fn new() -> Self {
        Peer::new()
    }

    fn run(&mut self) {
        self.event_loop.run_until_complete(async {});
    }

    fn spawn(&mut self, future: impl Future<Output = Value> + Send + 'static) -> Task<Value> {
        self.handle.spawn(future)
    }

    fn turn(&mut self) {
        Executor::run(self);
    }

    fn play<F: Future<Output = Value> + Send + 'static>(
        &mut self,
        futures: u64,
        make: impl Fn(u64) -> F + Send + 'static,
        mut spawned: Vec<Task<Value>>,
    ) -> Vec<Task<Value>> {
        self.event_loop.run_until_complete(async move {
            spawned.extend((0..futures).map(|nth| whendone::spawn(make(nth))));
            turn().await;
            spawned
        })
    }
}
