//! Where callbacks wait for a scheduler that keeps no order: one line for each task, one callback at a time.

use super::id::TaskId;
use super::panic::contain;
use super::report::{Failure, Report};
use super::schedule::{Ready, Schedule, Source, Work, tell};
use super::sync::{Arc, Mutex};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;

/// A scheduler that keeps the callbacks of each task first in, first out, and never lets two of them
/// overlap, over any other scheduler: a thread pool, for example ([D24]).
///
/// The other scheduler is handed one callback of a task at a time, the next when that one has run, or was
/// dropped. Callbacks of different tasks run side by side. Clones share their lines.
///
/// Costs an allocation and two sections of a lock of its own for each callback, and one call of the other
/// scheduler, which for a callback that had to wait is made on the thread that ran the one before. The line of a task
/// that has no callbacks left takes no memory.
///
/// The handle of an event loop needs no `Serial`: it keeps the order by itself. Over it, each callback of a
/// task takes a turn, so a loop that ends loses callbacks that it would have run.
///
/// # Errors
///
/// If the other scheduler refuses a callback at once, so does this one. A callback that had to wait
/// is refused with nobody to give it back to: it is dropped, and reports itself as lost ([D4]).
///
/// # Panics
///
/// A panic of the other scheduler is contained and reported; later callbacks are handed over all the same ([P14]).
///
/// # Re-entrancy
///
/// The other scheduler is called with no lock held ([P13]). It may run the callback at once.
///
/// It is also called inside [`Ready::run`], and inside the drop of a `Ready`. So it must not wait there for
/// room in its own queue: the worker of a bounded pool would wait for itself. And nobody may run or drop a
/// `Ready` while holding a lock that the scheduler takes.
///
/// # Examples
///
/// ```
/// use std::sync::mpsc;
/// use std::thread;
/// use whendone::{Ready, Serial};
///
/// // A thread for each callback: by itself it keeps no order.
/// let threads = |ready: Ready| {
///     thread::spawn(move || ready.run());
///     Ok(())
/// };
/// let (completer, task) = whendone::task(Serial::new(threads));
/// let (sender, order) = mpsc::channel();
/// for n in 0..5 {
///     let sender = sender.clone();
///     task.add_done_callback(move |_| sender.send(n));
/// }
/// completer.complete("value")?;
/// assert_eq!(order.iter().take(5).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
/// # Ok::<(), whendone::AlreadyDone<&str>>(())
/// ```
///
/// [D4]: crate::rules#d4
/// [D24]: crate::rules#d24
/// [P13]: crate::kernel#properties
/// [P14]: crate::kernel#properties
pub struct Serial<S>(Arc<Shared<S>>);

struct Shared<S> {
    scheduler: S,
    lines: Mutex<Lines>,
}

/// The lines of the tasks that have callbacks here. Its methods are the lock sections.
#[derive(Default)]
struct Lines(BTreeMap<TaskId, Line>);

#[derive(Default)]
struct Line {
    waiting: VecDeque<Ready>,
    /// A callback is with the scheduler, or runs.
    out: bool,
    /// A thread serves this line: it hands callbacks over until one stays out.
    served: bool,
}

impl Lines {
    /// Puts a callback at the end of its line, or gives it back to be handed over now: then the caller serves.
    fn enter(&mut self, id: TaskId, ready: Ready) -> Option<Ready> {
        let line = self.0.entry(id).or_default();
        if line.out || line.served {
            // ORDER: an earlier callback has not ended, so this one waits behind it (P7, P8).
            line.waiting.push_back(ready);
            return None;
        }
        (line.out, line.served) = (true, true);
        Some(ready)
    }

    /// The next callback for the thread that serves. `None` ends its service.
    fn next(&mut self, id: TaskId) -> Option<Ready> {
        let line = self.0.get_mut(&id)?;
        if line.out {
            line.served = false;
            return None;
        }
        let next = line.waiting.pop_front();
        line.out = next.is_some();
        if next.is_none() {
            self.0.remove(&id);
        }
        next
    }

    /// Ends the turn of the callback that is out. True if the caller serves from now on.
    fn end_turn(&mut self, id: TaskId) -> bool {
        self.0.get_mut(&id).is_some_and(|line| {
            line.out = false;
            !std::mem::replace(&mut line.served, true)
        })
    }
}

impl<S: Schedule> Serial<S> {
    /// Makes a scheduler that keeps order over `scheduler`.
    pub fn new(scheduler: S) -> Self {
        Serial(Arc::new(Shared { scheduler, lines: Mutex::new(Lines::default()) }))
    }
}

impl<S: Schedule> Schedule for Serial<S> {
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        let shared = &self.0;
        let Some(id) = ready.task_id() else { return shared.scheduler.schedule(ready) };
        let entered = shared.lines.lock().enter(id, ready);
        let Some(ready) = entered else { return Ok(()) };
        let answer = contain(|| shared.scheduler.schedule(shared.turn(id, ready)));
        shared.serve(id);
        answer.unwrap_or_else(|panic| panic.resume())
    }

    fn only_queues(&self) -> bool {
        self.0.scheduler.only_queues()
    }

    fn report(&self, report: &Report) {
        self.0.scheduler.report(report);
    }
}

impl<S: Schedule> Shared<S> {
    fn turn(self: &Arc<Self>, id: TaskId, ready: Ready) -> Ready {
        let source = Source { task: None, added_at: ready.origin().added_at };
        Ready::new(Box::new(Turn { ready, place: Place { shared: self.clone(), id } }), source)
    }

    /// Hands over the callbacks of a line until one stays out. A loop, for schedulers that run or refuse at once.
    fn serve(self: &Arc<Self>, id: TaskId) {
        loop {
            let next = self.lines.lock().next(id);
            let Some(ready) = next else { return };
            let origin = ready.origin();
            // A callback that is refused here is dropped, and so reports itself (D4).
            if let Err(panic) = contain(|| drop(self.scheduler.schedule(self.turn(id, ready)))) {
                tell(&self.scheduler, &Report::new(Failure::SchedulerPanicked).callback(origin).panic(panic));
            }
        }
    }
}

/// A callback that is out, and its place in the line, which it gives up last.
struct Turn<S: Schedule> {
    ready: Ready,
    place: Place<S>,
}

impl<S: Schedule> Work for Turn<S> {
    fn run(self: Box<Self>, _: Source) {
        let Turn { ready, place } = *self;
        ready.run();
        drop(place);
    }

    fn lose(self: Box<Self>, _: Source) -> usize {
        let Turn { mut ready, place } = *self;
        let lost = ready.lose();
        drop(place);
        lost
    }

    fn type_name(&self) -> &'static str {
        self.ready.origin().callback
    }

    fn task_id(&self, _: &Source) -> Option<TaskId> {
        Some(self.place.id)
    }
}

struct Place<S: Schedule> {
    shared: Arc<Shared<S>>,
    id: TaskId,
}

impl<S: Schedule> Drop for Place<S> {
    fn drop(&mut self) {
        let serves = self.shared.lines.lock().end_turn(self.id);
        if serves {
            self.shared.serve(self.id);
        }
    }
}

impl<S> Clone for Serial<S> {
    fn clone(&self) -> Self {
        Serial(self.0.clone())
    }
}

impl<S: fmt::Debug> fmt::Debug for Serial<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Serial").field(&self.0.scheduler).finish()
    }
}
