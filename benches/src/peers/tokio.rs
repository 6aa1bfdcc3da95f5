//! tokio three times: `Notify`, `CancellationToken` and `JoinHandle`, on its current-thread runtime; and that
//! runtime by itself.

use super::{Awaits, Check, Executor, Peer, Removes, Value};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinHandle, yield_now};
use tokio_util::sync::CancellationToken;

/// A runtime whose turn lasts until nothing is ready.
fn runtime() -> Runtime {
    Builder::new_current_thread().event_interval(1 << 20).build().expect("it needs no driver")
}

/// A `Notify` beside the value.
pub(crate) struct Notified(Runtime);

#[derive(Default)]
pub(crate) struct Done {
    notify: Notify,
    value: OnceLock<u64>,
}

impl Peer for Notified {
    type Task = Arc<Done>;
    type Completer = ();
    type Id = JoinHandle<()>;
    const HAS_LOOP: bool = true;
    const ORDERED_AMONG_THREADS: bool = false;

    fn new() -> Self {
        Notified(runtime())
    }

    fn task(&mut self) -> ((), Arc<Done>) {
        ((), Arc::default())
    }

    fn add(&mut self, done: &mut Arc<Done>, check: Check) -> JoinHandle<()> {
        let done = done.clone();
        self.0.spawn(async move {
            // Before the look, or a notification between the two would be missed.
            let notified = done.notify.notified();
            if done.value.get().is_none() {
                notified.await;
            }
            check.run(*done.value.get().expect("it is completed"));
        })
    }

    fn complete((): (), done: &mut Arc<Done>, value: u64) {
        done.value.set(value).expect("it is completed once");
        done.notify.notify_waiters();
    }

    fn turn(&mut self) {
        self.0.block_on(yield_now());
    }

    fn settle(&mut self) {
        self.turn();
    }
}

impl Removes for Notified {
    fn remove(&mut self, _: &mut Arc<Done>, id: JoinHandle<()>) {
        id.abort();
    }
}

impl Awaits for Notified {
    type Task = Arc<(Notify, OnceLock<Value>)>;
    type Completer = ();
    type Wait = Pin<Box<dyn Future<Output = ()>>>;

    fn task() -> ((), <Self as Awaits>::Task) {
        ((), Arc::default())
    }

    fn wait(task: &<Self as Awaits>::Task) -> Self::Wait {
        let task = task.clone();
        Box::pin(async move { task.0.notified().await })
    }

    fn complete((): (), task: &<Self as Awaits>::Task, value: Value) {
        assert!(task.1.set(value).is_ok(), "it is completed once");
        task.0.notify_waiters();
    }
}

/// A token beside the value.
pub(crate) struct Cancelled(Runtime);

#[derive(Clone, Default)]
pub(crate) struct Token {
    token: CancellationToken,
    value: Arc<OnceLock<u64>>,
}

impl Peer for Cancelled {
    type Task = Token;
    type Completer = ();
    type Id = JoinHandle<()>;
    const HAS_LOOP: bool = true;
    const ORDERED_AMONG_THREADS: bool = false;

    fn new() -> Self {
        Cancelled(runtime())
    }

    fn task(&mut self) -> ((), Token) {
        ((), Token::default())
    }

    fn add(&mut self, task: &mut Token, check: Check) -> JoinHandle<()> {
        let task = task.clone();
        self.0.spawn(async move {
            task.token.cancelled().await;
            check.run(*task.value.get().expect("it is completed"));
        })
    }

    fn complete((): (), task: &mut Token, value: u64) {
        task.value.set(value).expect("it is completed once");
        task.token.cancel();
    }

    fn turn(&mut self) {
        self.0.block_on(yield_now());
    }

    fn settle(&mut self) {
        self.turn();
    }
}

impl Removes for Cancelled {
    fn remove(&mut self, _: &mut Token, id: JoinHandle<()>) {
        id.abort();
    }
}

/// A task that ends with the value, and another that awaits its handle: there can be only one.
pub(crate) struct Joined(Runtime);

/// The one handle that can wait; a clone holds none.
pub(crate) struct Awaited(Option<JoinHandle<u64>>);

impl Clone for Awaited {
    fn clone(&self) -> Self {
        Awaited(None)
    }
}

impl Peer for Joined {
    type Task = Awaited;
    type Completer = oneshot::Sender<u64>;
    type Id = ();
    const HAS_LOOP: bool = true;
    const ORDERED_AMONG_THREADS: bool = false;

    fn new() -> Self {
        Joined(runtime())
    }

    fn task(&mut self) -> (Self::Completer, Self::Task) {
        let (sender, receiver) = oneshot::channel();
        (sender, Awaited(Some(self.0.spawn(async { receiver.await.expect("it is completed") }))))
    }

    fn add(&mut self, task: &mut Self::Task, check: Check) {
        let joined = task.0.take().expect("one callback is all it takes");
        self.0.spawn(async move { check.run(joined.await.expect("it ends")) });
    }

    fn complete(sender: Self::Completer, _: &mut Self::Task, value: u64) {
        sender.send(value).expect("the receiver is there");
    }

    fn turn(&mut self) {
        self.0.block_on(yield_now());
    }

    fn settle(&mut self) {
        self.turn();
    }
}

/// The runtime alone.
pub(crate) struct CurrentThread(Runtime);

impl Executor for CurrentThread {
    type Spawned = JoinHandle<Value>;

    fn new() -> Self {
        CurrentThread(runtime())
    }

    fn run(&mut self) {
        self.0.block_on(async {});
    }

    fn spawn(&mut self, future: impl Future<Output = Value> + Send + 'static) -> JoinHandle<Value> {
        self.0.spawn(future)
    }

    fn turn(&mut self) {
        self.0.block_on(yield_now());
    }

    fn play<F: Future<Output = Value> + Send + 'static>(
        &mut self,
        futures: u64,
        make: impl Fn(u64) -> F + Send + 'static,
        mut spawned: Vec<JoinHandle<Value>>,
    ) -> Vec<JoinHandle<Value>> {
        self.0.block_on(async {
            spawned.extend((0..futures).map(|nth| tokio::spawn(make(nth))));
            yield_now().await;
        });
        spawned
    }
}
