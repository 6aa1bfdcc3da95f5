//! The peers behind one trait, each used as its own users would use it.

pub(super) mod core;
pub(super) mod event_listener;
pub(super) mod futures_shared;
pub(super) mod mutex_vec;
pub(super) mod mutex_vec_queue;
pub(super) mod plain;
pub(super) mod tokio;
pub(super) mod treiber;
pub(super) mod whendone;

use super::check::Check;
use std::fmt;
use std::future::Future;

/// A library that runs callbacks when a task is done, as used on one thread.
pub trait Peer {
    /// The handle that adding needs.
    type Task;
    /// The handle that completing needs.
    type Completer;
    /// The name of one registration.
    type Id;
    /// True if callbacks run in turns of a loop, so that completing only queues them. For peers that are no [`Loop`].
    const HAS_LOOP: bool = false;
    /// True if the callbacks of one thread run in the order of its adds, also when another thread adds or completes.
    /// False for futures: one that is polled before its task is done queues again, behind those that are not.
    const ORDERED_AMONG_THREADS: bool = true;

    fn new() -> Self;
    fn task(&mut self) -> (Self::Completer, Self::Task);
    /// Adds a callback, late or not.
    fn add(&mut self, task: &mut Self::Task, check: Check) -> Self::Id;
    /// Adds a callback to a task that is done.
    fn add_late(&mut self, task: &mut Self::Task, check: Check) -> Self::Id {
        self.add(task, check)
    }
    /// Keeps a registration when its id goes.
    fn keep(id: Self::Id) {
        drop(id);
    }
    fn complete(completer: Self::Completer, task: &mut Self::Task, value: u64);
    /// Runs a turn of the loop.
    fn turn(&mut self) {}
    /// Lets an add or a removal take effect, where that needs a turn.
    fn settle(&mut self) {}
}

/// A peer that can remove callbacks.
pub trait Removes: Peer {
    fn remove(&mut self, task: &mut Self::Task, id: Self::Id);
}

/// A peer whose outcome can be read at any time.
pub trait Reads: Peer {
    fn read(task: &Self::Task) -> u64;
}

/// A peer that two threads may use at once.
pub trait Threads: Peer<Task: Clone + Send + Sync, Completer: Send> {}
impl<P: Peer<Task: Clone + Send + Sync, Completer: Send>> Threads for P {}

/// A peer whose tasks can be printed.
pub trait Prints: Peer<Task: fmt::Debug> {}
impl<P: Peer<Task: fmt::Debug>> Prints for P {}

/// A peer with a loop that can be set running once, and used from within.
pub trait Loop: Peer<Task: Send, Completer: Send> + 'static {
    /// Makes tasks within a run.
    type Maker: Send + Sync + 'static;
    fn maker(&self) -> Self::Maker;
    fn make(maker: &Self::Maker) -> (Self::Completer, Self::Task);
    /// Adds a callback, late or not.
    fn add_within(task: &mut Self::Task, check: Check) -> Self::Id;
    /// Runs the loop until this future is done.
    fn run<T: Send + 'static>(&mut self, main: impl Future<Output = T> + Send + 'static) -> T;
}

/// A value of a type that no list of callbacks uses, so that these scenarios do not decide what the compiler inlines there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Value(pub u64);

/// A library whose tasks can be awaited.
pub trait Awaits {
    type Task;
    type Completer;
    type Wait: Future + Unpin;
    fn task() -> (Self::Completer, Self::Task);
    fn wait(task: &Self::Task) -> Self::Wait;
    fn complete(completer: Self::Completer, task: &Self::Task, value: Value);
}

/// An executor that spawns futures.
pub trait Executor {
    /// The handle of a spawned future.
    type Spawned;
    fn new() -> Self;
    /// Runs a future that is ready at once.
    fn run(&mut self);
    fn spawn(&mut self, future: impl Future<Output = Value> + Send + 'static) -> Self::Spawned;
    /// Runs the futures that were spawned to their end.
    fn turn(&mut self);
    /// Does both within one run, as a user's main future does: makes and spawns this number of futures, and runs them to
    /// their end. Adds their handles to these.
    fn play<F: Future<Output = Value> + Send + 'static>(
        &mut self,
        futures: u64,
        make: impl Fn(u64) -> F + Send + 'static,
        spawned: Vec<Self::Spawned>,
    ) -> Vec<Self::Spawned>;
}
