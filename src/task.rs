//! The task's handle: where callbacks are admitted, and where an owed drain is performed or deferred.

use super::id::TaskId;
use super::kernel::{Added, Batch, CallbackId, Cell, Drain, Phase};
use super::outcome::Outcome;
use super::panic::{Panic, contain};
use super::quote::Quoted;
use super::report::{Failure, Origin, Report};
use super::schedule::{Inline, Owner, Ready, tell};
use super::sync::{self, Counted, Erased, fresh_serial};
use super::trampoline::{self, Doing};
use super::waiter::{Blamed, Waiter};
use std::any::TypeId;
use std::cell::RefCell;
use std::fmt;
use std::mem::{self, ManuallyDrop};
use std::num::NonZeroU64;
use std::task::Waker;

/// A handle of a task: work that will be done. Cheap to clone; any thread may use it at any time ([D1]).
///
/// A task owns the callbacks that wait in its line, and a callback that is queued owns its task until
/// it has run ([R18]). A callback is passed its task, so it need not capture a handle; one that does
/// keeps the task alive until the task is done or the callback is removed ([R108]).
///
/// [R18]: crate::rules#r18
/// [R108]: crate::rules#r108
/// [D1]: crate::rules#d1
pub struct Task<T> {
    shared: Counted<Shared<T>>,
}

struct Shared<T> {
    cell: Cell<Outcome<T>, Waiter<Task<T>>>,
    /// None if it is [`Inline`] without a name.
    owner: Option<Box<dyn Owner>>,
}

impl<T: 'static> Task<T> {
    #[inline]
    pub(crate) fn new<O: Owner + 'static>(owner: O) -> Self {
        let is_plain = TypeId::of::<O>() == TypeId::of::<Inline>();
        let owner = (!is_plain).then(|| -> Box<dyn Owner> { Box::new(owner) });
        Task { shared: Counted::new(Shared { cell: Cell::new(fresh_serial()), owner }) }
    }

    /// Cancels the task and returns true, unless it is done: then nothing changes, and this is false.
    ///
    /// A task of [`whendone::task`](crate::task()) is cancelled at once, and its callbacks are
    /// handed over before this returns ([R50]). For a task of an event loop this is a request, which is
    /// granted until the task is done: the loop then drops its future, on the loop's thread, and hands
    /// the callbacks over ([R51], [D10]). A refused cancel counts as retrieving the outcome ([R75]).
    ///
    /// # Re-entrancy
    ///
    /// Inside a callback that runs inline, the hand-over is deferred until the outermost callback of
    /// this thread has returned ([D11]), unless the scheduler
    /// [only queues](crate::Schedule::only_queues) ([D25]). Awaits stand in the same line: a callback must
    /// not block on one of them.
    ///
    /// ```no_run
    /// # use std::{future::IntoFuture, thread};
    /// # use whendone::Inline;
    /// let ((first, one), (_second, two)) = (whendone::task(Inline), whendone::task::<()>(Inline));
    /// let awaited = two.clone();
    /// let waiter = thread::spawn(|| futures::executor::block_on(awaited.into_future()));
    /// one.add_done_callback(move |_| {
    ///     two.cancel(); // the wake-up of `waiter` is put off ...
    ///     waiter.join().unwrap(); // ... until this callback returns: deadlock
    /// });
    /// first.complete(1).unwrap();
    /// ```
    ///
    /// # Examples
    ///
    /// ```
    /// let (_completer, task) = whendone::task::<()>(whendone::Inline);
    /// assert!(task.cancel());
    /// assert!(task.is_cancelled() && !task.cancel());
    /// ```
    ///
    /// [R50]: crate::rules#r50
    /// [R51]: crate::rules#r51
    /// [R75]: crate::rules#r75
    /// [D10]: crate::rules#d10
    /// [D11]: crate::rules#d11
    /// [D25]: crate::rules#d25
    pub fn cancel(&self) -> bool {
        let granted = match self.owner().request_cancel() {
            None => self.complete(Outcome::Cancelled).is_ok(),
            Some(granted) => granted,
        };
        if !granted {
            // A refused cancel counts as retrieving the outcome (R50, R75).
            let _ = self.outcome();
        }
        granted
    }

    /// Admits a waiter to the line, and performs the drain if one is owed.
    #[inline]
    pub(crate) fn admit(&self, tag: NonZeroU64, callback: Waiter<Task<T>>) -> CallbackId {
        match self.cell().add(tag, callback) {
            Added::Waits(id) => id,
            Added::YouDrain(id, owed) => {
                self.hand_over_late(owed);
                id
            }
        }
    }

    /// Calls a late callback where it is, if its turn is now: then it needs no box.
    #[inline]
    pub(crate) fn admit_late(&self, callback: impl FnOnce()) -> Option<CallbackId> {
        if !self.is_done() || !self.is_inline() {
            return None;
        }
        let _inside = trampoline::enter(Doing::Calls)?;
        self.cell().add_late(callback, |batch| self.call_all(batch))
    }

    /// Completes the task and hands over its callbacks.
    #[inline]
    pub(crate) fn complete(&self, outcome: Outcome<T>) -> Result<(), Outcome<T>> {
        self.publish(outcome).map(|owed| self.hand_over_all(owed))
    }

    /// Completes the task. The caller owes the drain, see [`hand_over_all`](Self::hand_over_all).
    #[inline]
    pub(crate) fn publish(&self, outcome: Outcome<T>) -> Result<Owed<T>, Outcome<T>> {
        self.cell().complete(outcome)
    }

    /// Performs an owed drain: now or, inside another drain of this thread, when that one allows it.
    ///
    /// It is inlined, as all on the way of an inline task, so that the token is moved less.
    #[inline(always)]
    pub(crate) fn hand_over_all(&self, owed: Owed<T>) {
        if !self.is_inline() {
            return self.hand_over_to_scheduler(owed);
        }
        match trampoline::enter(Doing::Calls) {
            Some(_inside) => self.drain_inline(owed),
            None => self.put_off(Doing::Calls, owed, Self::drain_inline),
        }
    }

    /// The hand-over of an add, which seldom owes one: a function of its own keeps the add small.
    #[inline(never)]
    fn hand_over_late(&self, owed: Owed<T>) {
        self.hand_over_all(owed);
    }

    #[inline(never)]
    fn hand_over_to_scheduler(&self, owed: Owed<T>) {
        let kind = if self.owner().only_queues() { Doing::Queues } else { Doing::Calls };
        match trampoline::enter(kind) {
            Some(_inside) => self.drain_to_scheduler(owed),
            None => self.put_off(kind, owed, Self::drain_to_scheduler),
        }
    }

    #[cold]
    fn put_off(&self, kind: Doing, owed: Owed<T>, drain: fn(&Self, Owed<T>)) {
        let task = self.clone();
        trampoline::put_off(kind, move || drain(&task, owed));
    }

    /// The drainer calls the callbacks itself.
    #[inline(always)]
    fn drain_inline(&self, owed: Owed<T>) {
        self.cell().drain(owed, |batch| self.call_all(batch));
    }

    /// The scheduler is handed each callback or, if it takes batches, all of them as one entry (D31).
    fn drain_to_scheduler(&self, owed: Owed<T>) {
        if self.owner().takes_batches() {
            return self.cell().drain(owed, |batch| self.hand_over_together(batch));
        }
        self.cell().drain(owed, |batch| batch.for_each(|waiter| self.hand_over(waiter)));
    }
}

impl<T> Task<T> {
    /// Returns the task's id, which is the same for all its handles and never given to another task ([D23]).
    ///
    /// [D23]: crate::rules#d23
    #[must_use]
    pub fn id(&self) -> TaskId {
        TaskId::new(self.cell().serial())
    }

    /// Returns true once the task has an outcome, also before its callbacks have run ([R7]). Takes no lock.
    ///
    /// [R7]: crate::rules#r7
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.cell().outcome().is_some()
    }

    /// Returns true if the task was cancelled. Takes no lock.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self.cell().outcome(), Some(Outcome::Cancelled))
    }

    /// Returns the outcome once there is one, and then always the same ([P2], [P3]). Takes no lock.
    ///
    /// `None` means that the task was pending. Another thread may be completing it at this moment.
    ///
    /// A panic counts as retrieved once it is read here or by an await, or a cancel is refused ([R75]).
    /// A panic that was never retrieved is reported when the last handle is dropped ([D8]).
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
    ///
    /// [R75]: crate::rules#r75
    /// [D8]: crate::rules#d8
    /// [P2]: crate::kernel#properties
    /// [P3]: crate::kernel#properties
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome<T>> {
        let outcome = self.cell().outcome();
        if let Some(Outcome::Panicked(panic)) = outcome {
            panic.retrieve();
        }
        outcome
    }

    /// Takes the outcome out, by value, if the task is done and this is its last handle ([D22]), as
    /// [`Arc::try_unwrap`](std::sync::Arc::try_unwrap) does: for values that are not `Clone`.
    ///
    /// Counts as retrieving the outcome ([R75]). A queued callback holds a handle until it has run
    /// ([R18]), and the thread that completes the task until its `complete` returns. If two threads try
    /// with the last two handles at once, both may get theirs back.
    ///
    /// # Errors
    ///
    /// The task is given back if it is pending, or if there are other handles.
    ///
    /// # Panics
    ///
    /// Panics if the task's scheduler panics in its drop.
    ///
    /// # Examples
    ///
    /// ```
    /// struct Connection; // not Clone
    ///
    /// let (completer, task) = whendone::task(whendone::Inline);
    /// let Err(task) = task.try_into_outcome() else { unreachable!("it is pending") };
    /// completer.complete(Connection).ok();
    /// let Ok(outcome) = task.try_into_outcome() else { unreachable!("it is done, and there is no other handle") };
    /// let _connection: Connection = outcome.unwrap();
    /// ```
    ///
    /// [R18]: crate::rules#r18
    /// [R75]: crate::rules#r75
    /// [D22]: crate::rules#d22
    pub fn try_into_outcome(self) -> Result<Outcome<T>, Self> {
        if !self.is_done() {
            return Err(self);
        }
        let mut shared = Counted::try_unwrap(self.shared).map_err(|shared| Task { shared })?;
        // `Shared` has a drop of its own, which a pending cell leaves nothing to report.
        let cell = mem::replace(&mut shared.cell, Cell::new(0));
        Ok(cell.into_outcome().expect("the task is done"))
    }

    /// Returns the task's name, if it has one. A task of an event loop always has one ([D13]).
    ///
    /// [D13]: crate::rules#d13
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.owner().name()
    }

    /// Removes a callback that waits: true means that it will never run ([P9]).
    ///
    /// Once the task is done this returns false and stops nothing, also if the callback has not run
    /// yet ([R25], [D2]). It never waits for a running callback. For an id of another task, or of a callback
    /// that was removed already, it returns false ([P10]). The removed callback is dropped on this thread.
    ///
    /// Costs amortised constant time in the order of the adds, and O(log n) at worst.
    ///
    /// # Panics
    ///
    /// A panic in the drop of the callback is contained and reported ([D5]).
    ///
    /// # Re-entrancy
    ///
    /// The callback is dropped with no lock held; its captures may call everything when they are
    /// dropped ([P13]).
    ///
    /// [R25]: crate::rules#r25
    /// [D2]: crate::rules#d2
    /// [D5]: crate::rules#d5
    /// [P9]: crate::kernel#properties
    /// [P10]: crate::kernel#properties
    /// [P13]: crate::kernel#properties
    #[allow(clippy::must_use_candidate, reason = "it does something")]
    pub fn remove_done_callback(&self, id: CallbackId) -> bool {
        let Some(removed) = self.cell().remove(id) else { return false };
        self.discard(removed);
        true
    }

    /// True if the scheduler runs callbacks at once: then the drainer runs them itself.
    #[inline]
    pub(crate) fn is_inline(&self) -> bool {
        self.shared.owner.as_ref().is_none_or(|owner| owner.is_inline())
    }

    /// True if the waker is the one of this task itself.
    pub(crate) fn is_polled_by(&self, waker: &Waker) -> bool {
        self.owner().is_polled_by(waker)
    }

    /// Calls each waiter, in order. After a panic, which is reported, it goes on with the rest.
    #[inline(never)]
    pub(crate) fn call_all(&self, batch: &mut impl Iterator<Item = Waiter<Task<T>>>) {
        let blamed = Blamed::default();
        while let Err(panic) = contain(|| batch.for_each(|waiter| waiter.call(self, &blamed))) {
            self.tell_of_blamed(&blamed, panic);
        }
    }

    #[cold]
    fn tell_of_blamed(&self, blamed: &Blamed, panic: Panic) {
        match blamed.take() {
            Some(origin) => self.tell_of(Failure::CallbackPanicked, origin, panic),
            None => self.tell(Report::new(Failure::WakerPanicked).panic(panic)),
        }
    }

    /// Hands a waiter over: a callback to the scheduler; an await is woken.
    fn hand_over(&self, waiter: Waiter<Task<T>>) {
        match waiter {
            Waiter::Callback(callback, added_at) => callback.hand_over(self, added_at),
            Waiter::Await(waker) => self.attend(|| waker.wake()),
        }
    }

    /// Hands over the callbacks up to the next await together, as one entry, and wakes that await.
    fn hand_over_together(&self, batch: &mut Batch<Waiter<Task<T>>>) {
        let (mut first, mut others) = (None, Vec::new());
        let awaiting = batch.find_map(|waiter| {
            match waiter {
                Waiter::Await(waker) => return Some(waker),
                Waiter::Callback(callback, added_at) if first.is_none() => first = Some((callback, added_at)),
                callback => others.push(callback),
            }
            None
        });
        if let Some((first, added_at)) = first {
            first.hand_over_with(self, added_at, others);
        }
        // ORDER: an await is woken between the callbacks around it (P7).
        if let Some(waker) = awaiting {
            self.attend(|| waker.wake());
        }
    }

    /// Reports a waiter that its scheduler lost, and drops it. An await is in no scheduler.
    pub(crate) fn lose(&self, waiter: Waiter<Task<T>>) {
        if let Waiter::Callback(callback, added_at) = &waiter {
            let origin = Origin { callback: callback.type_name(), added_at };
            self.tell(Report::new(Failure::CallbackLost).callback(origin));
        }
        self.discard(waiter);
    }

    /// Drops a waiter that was taken out.
    #[inline]
    pub(crate) fn discard(&self, waiter: Waiter<Task<T>>) {
        match waiter {
            Waiter::Callback(callback, added_at) => callback.discard(self, added_at),
            Waiter::Await(waker) => self.attend(|| drop(waker)),
        }
    }

    /// Runs code of a waker.
    #[cold]
    fn attend(&self, code: impl FnOnce()) {
        if let Err(panic) = contain(code) {
            self.tell(Report::new(Failure::WakerPanicked).panic(panic));
        }
    }

    /// Hands a callback over to the scheduler. A refused callback is dropped unrun, and so reports itself (D4).
    pub(crate) fn schedule(&self, ready: Ready) {
        let origin = ready.origin();
        if let Err(panic) = contain(|| drop(self.owner().schedule(ready))) {
            self.tell_of(Failure::SchedulerPanicked, origin, panic);
        }
    }

    /// Reports a panic of a callback.
    #[cold]
    pub(crate) fn tell_of(&self, failure: Failure, callback: Origin, panic: Panic) {
        self.tell(Report::new(failure).callback(callback).panic(panic));
    }

    /// Reports to the hook of this task.
    pub(crate) fn tell(&self, report: Report) {
        tell(self.owner(), &report.task(self.describe(), self.owner().spawned_at()));
    }

    #[inline]
    pub(crate) fn cell(&self) -> &Cell<Outcome<T>, Waiter<Task<T>>> {
        &self.shared.cell
    }

    fn owner(&self) -> &dyn Owner {
        self.shared.owner()
    }

    /// The task as `Debug` prints it, without the value.
    pub(crate) fn describe(&self) -> String {
        self.shared.describe()
    }
}

impl<T: Send + Sync + 'static> Task<T> {
    /// The handle without the type of its value, for a queue.
    pub(crate) fn erase(self) -> Erased {
        sync::erase(self.shared)
    }

    /// The handle that was [erased](Self::erase).
    pub(crate) fn restore(erased: Erased) -> Self {
        Task { shared: sync::restore(erased).expect("a callback is queued with its own task") }
    }
}

pub(crate) type Owed<T> = Drain<Waiter<Task<T>>>;

impl<T> Shared<T> {
    #[inline]
    fn owner(&self) -> &dyn Owner {
        self.owner.as_deref().unwrap_or(&Inline)
    }

    fn describe(&self) -> String {
        let state = match self.cell.outcome() {
            Some(outcome) => outcome.state(),
            None if self.owner().is_cancelling() => "cancelling",
            None => "pending",
        };
        match self.owner().name().map(Quoted) {
            Some(name) => format!("<Task {state} name={name}>"),
            None => format!("<Task {state}>"),
        }
    }
}

impl<T> Shared<T> {
    /// Reports a panic that nobody has retrieved.
    #[cold]
    fn report_unretrieved(&self) {
        if let Some(Outcome::Panicked(panic)) = self.cell.outcome()
            && !panic.is_retrieved()
        {
            let report = Report::new(Failure::PanicNeverRetrieved).task(self.describe(), self.owner().spawned_at());
            tell(self.owner(), &report.panic(panic.clone()));
        }
    }
}

impl<T> Drop for Shared<T> {
    #[inline]
    fn drop(&mut self) {
        if !matches!(self.cell.outcome(), Some(Outcome::Finished(_))) {
            self.report_unretrieved();
        }
    }
}

impl<T> Clone for Task<T> {
    #[inline]
    fn clone(&self) -> Self {
        Task { shared: self.shared.clone() }
    }
}

super::sync::thread_local! {
    /// The tasks that this thread is printing, so that a task that holds itself does not recur for ever.
    static PRINTING: ManuallyDrop<RefCell<Vec<usize>>> = ManuallyDrop::new(RefCell::new(Vec::new()));
}

/// Prints as in asyncio: `<Task finished name='Task-2' result=3>` ([R102], [R103]).
///
/// [R102]: crate::rules#r102
/// [R103]: crate::rules#r103
impl<T: fmt::Debug> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let this = std::ptr::from_ref(self.cell()).addr();
        if PRINTING.with(|printing| RefCell::borrow(printing).contains(&this)) {
            return f.write_str("<Task ...>");
        }
        PRINTING.with(|printing| printing.borrow_mut().push(this));
        let _printing = Printing;
        let described = self.describe();
        f.write_str(described.trim_end_matches('>'))?;
        match self.cell().outcome() {
            Some(Outcome::Finished(value)) => write!(f, " result={value:?}>"),
            Some(Outcome::Panicked(panic)) => write!(f, " exception={:?}>", panic.message()),
            Some(_) => f.write_str(">"),
            None => match self.cell().phase() {
                (Phase::Pending, waiting @ 1..) => write!(f, " cb=[{waiting} waiting]>"),
                _ => f.write_str(">"),
            },
        }
    }
}

struct Printing;

impl Drop for Printing {
    fn drop(&mut self) {
        PRINTING.with(|printing| {
            let mut printing = printing.borrow_mut();
            printing.pop();
            if printing.is_empty() {
                *printing = Vec::new();
            }
        });
    }
}
