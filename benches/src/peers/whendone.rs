//! whendone three times: the core with a plain value, and tasks with callbacks inline and on a loop.

use super::plain::Stored;
use super::{Check, Peer, Reads, Removes};
use std::sync::Arc;
use whendone::kernel::{Added, Cell};
use whendone::{CallbackId, Completer, EventLoop, Handle, Task};

/// The verified core, storing a function and its captures; a borrow of the cell is its handle.
pub(crate) struct Core {
    serial: u64,
}

type CoreCell = Cell<u64, Stored>;

impl Peer for Core {
    type Task = Arc<CoreCell>;
    type Completer = ();
    type Id = CallbackId;

    fn new() -> Self {
        Core { serial: 0 }
    }

    fn task(&mut self) -> ((), Arc<CoreCell>) {
        self.serial += 1;
        ((), Arc::new(Cell::new(self.serial)))
    }

    fn add(&mut self, cell: &mut Arc<CoreCell>, check: Check) -> CallbackId {
        match Cell::add(&&**cell, 0, Stored::new(check)) {
            Added::Waits(id) => id,
            Added::YouDrain(id, owed) => {
                owed.drain(|cell, stored| stored.call(*cell.outcome().expect("it is done")));
                id
            }
        }
    }

    fn complete((): (), cell: &mut Arc<CoreCell>, value: u64) {
        let owed = Cell::complete(&&**cell, value).expect("it is completed once");
        owed.drain(|_, stored| stored.call(value));
    }
}

impl Removes for Core {
    fn remove(&mut self, cell: &mut Arc<CoreCell>, id: CallbackId) {
        cell.remove(id).expect("it waits");
    }
}

impl Reads for Core {
    #[inline]
    fn read(cell: &Arc<CoreCell>) -> u64 {
        *cell.outcome().expect("it is done")
    }
}

/// The callback that both add: it reads the value from its task.
#[inline]
fn add(task: &Task<u64>, check: Check) -> CallbackId {
    task.add_done_callback(move |task| check.run(value(task)))
}

#[inline]
fn value(task: &Task<u64>) -> u64 {
    *task.outcome().and_then(|outcome| outcome.value()).expect("it is finished")
}

/// Tasks whose callbacks run on whoever completes them.
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

/// Tasks whose callbacks run on an event loop.
pub(crate) struct Looped {
    event_loop: EventLoop,
    handle: Handle,
}

impl Peer for Looped {
    type Task = Task<u64>;
    type Completer = Completer<u64>;
    type Id = CallbackId;
    const HAS_LOOP: bool = true;

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

impl Reads for Looped {
    #[inline]
    fn read(task: &Task<u64>) -> u64 {
        value(task)
    }
}

impl Removes for Looped {
    fn remove(&mut self, task: &mut Task<u64>, id: CallbackId) {
        assert!(task.remove_done_callback(id));
    }
}
