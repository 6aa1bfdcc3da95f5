//! `Shared` of a oneshot receiver, awaited by futures of a `LocalPool`; and that pool by itself.

use super::{Awaits, Check, Executor, Peer, Removes, Value};
use futures::FutureExt;
use futures::channel::oneshot;
use futures::executor::LocalPool;
use futures::future::{RemoteHandle, Shared};
use futures::task::LocalSpawnExt;
use std::future::{Future, ready};

pub(crate) struct FuturesShared(LocalPool);

impl Peer for FuturesShared {
    type Task = Shared<oneshot::Receiver<u64>>;
    type Completer = oneshot::Sender<u64>;
    type Id = RemoteHandle<()>;
    const HAS_LOOP: bool = true;
    const ORDERED_AMONG_THREADS: bool = false;

    fn new() -> Self {
        FuturesShared(LocalPool::new())
    }

    fn task(&mut self) -> (Self::Completer, Self::Task) {
        let (sender, receiver) = oneshot::channel();
        (sender, receiver.shared())
    }

    fn add(&mut self, task: &mut Self::Task, check: Check) -> Self::Id {
        let task = task.clone();
        let waits = async move { check.run(task.await.expect("it is completed")) };
        self.0.spawner().spawn_local_with_handle(waits).expect("the pool is there")
    }

    fn keep(id: Self::Id) {
        id.forget();
    }

    fn complete(sender: Self::Completer, _: &mut Self::Task, value: u64) {
        sender.send(value).expect("the receiver is there");
    }

    fn turn(&mut self) {
        self.0.run_until_stalled();
    }

    fn settle(&mut self) {
        self.turn();
    }
}

impl Removes for FuturesShared {
    fn remove(&mut self, _: &mut Self::Task, id: Self::Id) {
        drop(id);
    }
}

impl Awaits for FuturesShared {
    type Task = Shared<oneshot::Receiver<Value>>;
    type Completer = oneshot::Sender<Value>;
    type Wait = Shared<oneshot::Receiver<Value>>;

    fn task() -> (Self::Completer, <Self as Awaits>::Task) {
        let (sender, receiver) = oneshot::channel();
        (sender, receiver.shared())
    }

    fn wait(task: &Self::Wait) -> Self::Wait {
        task.clone()
    }

    fn complete(sender: oneshot::Sender<Value>, _: &Self::Wait, value: Value) {
        assert!(sender.send(value).is_ok(), "the receiver is there");
    }
}

/// The executor alone.
pub(crate) struct Pool(LocalPool);

impl Executor for Pool {
    type Spawned = RemoteHandle<Value>;

    fn new() -> Self {
        Pool(LocalPool::new())
    }

    fn run(&mut self) {
        self.0.run_until(ready(()));
    }

    fn spawn(&mut self, future: impl Future<Output = Value> + Send + 'static) -> Self::Spawned {
        self.0.spawner().spawn_local_with_handle(future).expect("the pool is there")
    }

    fn turn(&mut self) {
        self.0.run_until_stalled();
    }

    /// A spawn within a run costs this pool the same as one before it.
    fn play<F: Future<Output = Value> + Send + 'static>(
        &mut self,
        futures: u64,
        make: impl Fn(u64) -> F + Send + 'static,
        mut spawned: Vec<Self::Spawned>,
    ) -> Vec<Self::Spawned> {
        spawned.extend((0..futures).map(|nth| self.spawn(make(nth))));
        self.turn();
        spawned
    }
}
