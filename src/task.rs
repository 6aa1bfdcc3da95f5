//! The task's handle: where callbacks are admitted, and whoever owes a drain spends it.

use super::kernel::{Added, CallbackId, Cell, Drain, Phase};
use super::outcome::Outcome;
use super::panic::{Panic, contain};
use super::report::{Failure, Origin, Report};
use super::schedule::{Owner, Ready, tell};
use super::sync::{Counted, fresh_serial};
use super::trampoline;
use super::waiter::Waiter;
use std::borrow::Borrow;
use std::cell::RefCell;
use std::fmt;
use std::ops::Deref;

/// A handle of something that will be done. Cheap to clone; any thread may use it at any time.
///
/// Callbacks keep their task alive until they have run, and waiting ones are kept by it. A callback
/// is passed its task, so it need not capture a handle; one that does keeps the task until it is
/// done or the callback is removed (R108).
pub struct Task<T> {
    shared: Counted<Shared<T>>,
}

/// What stands in the line of a task.
pub(crate) type Callback<T> = Box<dyn Waiter<Task<T>>>;

/// What makes a handle of the kernel's cell of a task, borrowed or owned.
#[derive(Clone, Copy)]
pub(crate) struct Link<B>(B);

struct Shared<T> {
    cell: Cell<Outcome<T>, Callback<T>>,
    owner: Box<dyn Owner>,
}

impl<T: 'static> Task<T> {
    pub(crate) fn new(owner: impl Owner + 'static) -> Self {
        Task { shared: Counted::new(Shared { cell: Cell::new(fresh_serial()), owner: Box::new(owner) }) }
    }

    /// Cancels the task, unless it is done: true if it was not.
    ///
    /// A task of [`whendone::task`](crate::task()) is cancelled at once, and its callbacks are
    /// handed over before this returns (R50). For a task of an event loop it is a request, answered
    /// with true until the task is done: the loop then drops its future, on its own thread, and the
    /// callbacks follow (R51, D10).
    ///
    /// # Re-entrancy
    ///
    /// Inside a callback that runs inline, the hand-over is put off until that callback has returned.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_completer, task) = whendone::task::<()>(whendone::Inline);
    /// assert!(task.cancel());
    /// assert!(task.is_cancelled() && !task.cancel());
    /// ```
    pub fn cancel(&self) -> bool {
        match self.owner().request_cancel() {
            None => self.complete(Outcome::Cancelled).is_ok(),
            Some(true) => true,
            Some(false) => {
                // Whoever is refused has looked (R50, R75).
                let _ = self.outcome();
                false
            }
        }
    }

    /// Adds a callback to the line, and hands it over if the task is done and nobody else will.
    #[inline]
    pub(crate) fn admit(&self, tag: u64, callback: Callback<T>) -> CallbackId {
        match Cell::add(&Link(self), tag, callback) {
            Added::Waits(id) => id,
            Added::YouDrain(id, owed) => {
                self.hand_over_all(owed);
                id
            }
        }
    }

    /// Completes it and hands over its callbacks.
    #[inline]
    pub(crate) fn complete(&self, outcome: Outcome<T>) -> Result<(), Outcome<T>> {
        self.publish(outcome).map(|owed| self.hand_over_all(owed))
    }

    /// Completes it. The caller owes the drain, see [`hand_over_all`](Self::hand_over_all).
    #[inline]
    pub(crate) fn publish(&self, outcome: Outcome<T>) -> Result<Owed<&Self, T>, Outcome<T>> {
        Cell::complete(&Link(self), outcome)
    }

    /// Spends the token: now or, inside another drain of this thread, after it.
    #[inline]
    pub(crate) fn hand_over_all(&self, owed: Owed<&Self, T>) {
        match trampoline::enter() {
            Some(_outermost) => drain(owed, self.is_inline()),
            None => self.put_off(owed),
        }
    }

    #[cold]
    fn put_off(&self, owed: Owed<&Self, T>) {
        let owed = owed.with_handle(Link(self.clone())).expect("it drains this task");
        let inline = self.is_inline();
        trampoline::put_off(move || drain(owed, inline));
    }
}

impl<T> Task<T> {
    /// True once the task has an outcome, also before its callbacks have run (R7). Takes no lock.
    pub fn is_done(&self) -> bool {
        self.cell().outcome().is_some()
    }

    /// True if the task was cancelled. Takes no lock.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.cell().outcome(), Some(Outcome::Cancelled))
    }

    /// How it ended, once it has; always the same (P2). Takes no lock.
    ///
    /// Whoever reads a panic here, or by awaiting, has retrieved it, and so has whoever is refused a
    /// cancel. One that nobody has is reported when the last handle goes (D8, R75).
    ///
    /// # Examples
    ///
    /// ```
    /// # use whendone::{Inline, Outcome};
    /// let (completer, task) = whendone::task(Inline);
    /// assert_eq!(task.outcome(), None);
    /// completer.complete("value").unwrap();
    /// assert_eq!(task.outcome(), Some(&Outcome::Finished("value")));
    /// ```
    pub fn outcome(&self) -> Option<&Outcome<T>> {
        let outcome = self.cell().outcome();
        if let Some(Outcome::Panicked(panic)) = outcome {
            panic.retrieve();
        }
        outcome
    }

    /// Its name, if it has one. Tasks of an event loop always do (D13).
    pub fn name(&self) -> Option<&str> {
        self.owner().name()
    }

    /// Takes a callback out before the task is done: true means that it will never run (P9).
    ///
    /// Once the task is done this is false and stops nothing, also for callbacks that have not run
    /// yet (R25, D2). Never waits for a running callback. The id of another task, or one that was
    /// removed, answers false (P10). The callback is dropped here, on this thread.
    ///
    /// # Re-entrancy
    ///
    /// What the callback captured is dropped with no lock held, and may call everything.
    pub fn remove_done_callback(&self, id: CallbackId) -> bool {
        self.cell().remove(id).map(|callback| callback.discard(self)).is_some()
    }

    /// True if the scheduler runs callbacks at once: then the drainer does so itself.
    #[inline]
    pub(crate) fn is_inline(&self) -> bool {
        self.owner().is_inline()
    }

    /// Hands a callback to the scheduler. A refused one is dropped unrun, and so reports itself (D4).
    pub(crate) fn schedule(&self, ready: Ready) {
        if let Err(panic) = contain(|| drop(self.owner().schedule(ready))) {
            self.tell(Report::new(Failure::SchedulerPanicked).panic(panic));
        }
    }

    /// Tells of a panic in a callback.
    #[cold]
    pub(crate) fn tell_of(&self, failure: Failure, callback: Origin, panic: Panic) {
        self.tell(Report::new(failure).callback(callback).panic(panic));
    }

    /// Tells the hook that belongs to this task.
    pub(crate) fn tell(&self, report: Report) {
        tell(self.owner(), &report.task(self.describe()));
    }

    #[inline]
    pub(crate) fn cell(&self) -> &Cell<Outcome<T>, Callback<T>> {
        &self.shared.cell
    }

    #[inline]
    fn owner(&self) -> &dyn Owner {
        &*self.shared.owner
    }

    /// What `Debug` prints, without the value.
    pub(crate) fn describe(&self) -> String {
        self.shared.describe()
    }
}

pub(crate) type Owed<B, T> = Drain<Link<B>, Callback<T>>;

#[inline]
fn drain<T: 'static, B: Borrow<Task<T>>>(owed: Owed<B, T>, inline: bool)
where
    Link<B>: Deref<Target = Cell<Outcome<T>, Callback<T>>>,
{
    owed.drain(|Link(task), callback| match inline {
        true => callback.call_now(task.borrow()),
        false => callback.hand_over(task.borrow()),
    });
}

impl<T> Shared<T> {
    fn describe(&self) -> String {
        let state = self.cell.outcome().map_or("pending", Outcome::state);
        match self.owner.name() {
            Some(name) => format!("<Task {state} name='{name}'>"),
            None => format!("<Task {state}>"),
        }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        if let Some(Outcome::Panicked(panic)) = self.cell.outcome()
            && !panic.is_retrieved()
        {
            let report = Report::new(Failure::PanicNeverRetrieved).task(self.describe());
            tell(&*self.owner, &report.panic(panic.clone()));
        }
    }
}

impl<T> Deref for Link<&Task<T>> {
    type Target = Cell<Outcome<T>, Callback<T>>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        self.0.cell()
    }
}

impl<T> Deref for Link<Task<T>> {
    type Target = Cell<Outcome<T>, Callback<T>>;

    fn deref(&self) -> &Self::Target {
        self.0.cell()
    }
}

impl<T> Clone for Task<T> {
    #[inline]
    fn clone(&self) -> Self {
        Task { shared: self.shared.clone() }
    }
}

super::sync::thread_local! {
    /// The tasks that this thread is printing, so that one that holds itself does not recur for ever.
    static PRINTING: RefCell<Vec<usize>> = RefCell::new(Vec::new());
}

/// Prints as in asyncio: `<Task finished name='Task-2' result=3>` (R102, R103).
impl<T: fmt::Debug> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let this = std::ptr::from_ref(self.cell()).addr();
        // A thread that is ending does not know any more what it prints.
        if PRINTING.try_with(|printing| printing.borrow().contains(&this)).unwrap_or(false) {
            return f.write_str("<Task ...>");
        }
        let _ = PRINTING.try_with(|printing| printing.borrow_mut().push(this));
        let _printing = Printing;
        let described = self.describe();
        f.write_str(described.trim_end_matches('>'))?;
        match self.cell().outcome() {
            Some(Outcome::Finished(value)) => write!(f, " result={value:?}>"),
            Some(Outcome::Panicked(panic)) => write!(f, " exception={:?}>", panic.message()),
            Some(_) => f.write_str(">"),
            None => match self.cell().snapshot() {
                snapshot if snapshot.phase == Phase::Pending && !snapshot.waiting.is_empty() => {
                    write!(f, " cb=[{} waiting]>", snapshot.waiting.len())
                }
                _ => f.write_str(">"),
            },
        }
    }
}

struct Printing;

impl Drop for Printing {
    fn drop(&mut self) {
        let _ = PRINTING.try_with(|printing| printing.borrow_mut().pop());
    }
}
