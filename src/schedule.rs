//! The scheduler: callbacks are handed over to it by value, in order.

use super::hook;
use super::id::TaskId;
use super::panic::contain;
use super::report::{Failure, Origin, Report};
use super::sync::{Arc, Erased};
use std::any::TypeId;
use std::fmt;
use std::panic::Location;
use std::task::Waker;

/// Decides where and when the callbacks of a task run.
///
/// [`Inline`], [`Serial`](crate::Serial), the event loop's handle, an `Arc` of a scheduler, and any
/// `Fn(Ready) -> Result<(), Ready>` implement it.
///
/// A task hands over one callback after another, in the order in which they were added ([P7], [P8]), on
/// the thread that completed it or added late. When and where they then run is up to the scheduler.
///
/// # Order
///
/// The callbacks of a task run in order, one after another, if the scheduler starts each of them only after the
/// one that it was handed before has ended, and drops none. One thread that takes callbacks from the front
/// of a queue does so; [`Inline`] and the event loop do so. A pool does not: several workers run callbacks of
/// one task at once, and even one worker may take the newest first, as those of tokio and rayon do. [`Serial`](crate::Serial)
/// keeps the order over any scheduler; to keep it yourself, see [`Ready::task_id`] ([D24]).
///
/// # Leaks
///
/// A task owns its scheduler, and a [`Ready`] owns its task. So a scheduler that owns its queue leaks
/// the queued callbacks when all other handles are gone: it should own only the sending end, as the
/// event loop's handle does.
///
/// [D24]: crate::rules#d24
/// [P7]: crate::kernel#properties
/// [P8]: crate::kernel#properties
pub trait Schedule: Send + Sync + 'static {
    /// Takes a callback, and calls [`Ready::run`] on it now or later, on this or another thread. This
    /// is called with no lock held ([P13]).
    ///
    /// # Errors
    ///
    /// A scheduler that refuses the callback gives it back; it is then reported and dropped ([D4]).
    ///
    /// # Panics
    ///
    /// A panic is contained and reported; the other callbacks are handed over all the same ([P14]).
    ///
    /// # Re-entrancy
    ///
    /// The scheduler may call everything on any task ([D1]). A hand-over that it causes comes after the
    /// current one, unless only that other task's scheduler [only queues](Self::only_queues).
    ///
    /// [D1]: crate::rules#d1
    /// [D4]: crate::rules#d4
    /// [P13]: crate::kernel#properties
    /// [P14]: crate::kernel#properties
    fn schedule(&self, ready: Ready) -> Result<(), Ready>;

    /// Returns true if [`schedule`](Self::schedule) never runs a callback on the calling thread before it
    /// returns, and is quick. The event loop's handle answers true; the default is false.
    ///
    /// A task that is completed inside a callback is then handed over at once, where it otherwise waits for the
    /// end of the outermost callback of the thread ([D25]). The answer must always be the same; it is
    /// asked for at each hand-over, with no lock held. A scheduler that says true and runs a callback in
    /// `schedule` nests it in another one.
    ///
    /// # Panics
    ///
    /// A panic is contained and counts as false.
    ///
    /// # Examples
    ///
    /// A closure says false, also if it only queues. A type of its own may say more:
    ///
    /// ```
    /// # use std::sync::mpsc;
    /// # use whendone::{Inline, Ready, Schedule};
    /// struct ToWorker(mpsc::Sender<Ready>);
    ///
    /// impl Schedule for ToWorker {
    ///     fn schedule(&self, ready: Ready) -> Result<(), Ready> {
    ///         self.0.send(ready).map_err(|refused| refused.0)
    ///     }
    ///
    ///     fn only_queues(&self) -> bool {
    ///         true
    ///     }
    /// }
    ///
    /// let ((sender, queue), (log, seen)) = (mpsc::channel(), mpsc::channel());
    /// let ((first, one), (second, two)) = (whendone::task(Inline), whendone::task(ToWorker(sender)));
    /// two.add_done_callback(|_| ());
    /// one.add_done_callback(move |_| {
    ///     second.complete(2).unwrap();
    ///     log.send(queue.try_iter().map(Ready::run).count()) // inside this callback
    /// });
    /// first.complete(1).unwrap();
    /// assert_eq!(seen.recv(), Ok(1));
    /// ```
    ///
    /// [D25]: crate::rules#d25
    fn only_queues(&self) -> bool {
        false
    }

    /// Returns true if a [`Ready`] of several callbacks is welcome. That is the event loop's business alone: nobody else
    /// can name the argument.
    #[doc(hidden)]
    fn takes_batches(&self, _: Sealed) -> bool {
        false
    }

    /// Receives reports of failures in callbacks of its tasks. The default passes them on to the hook
    /// of the process; see [`set_exception_hook`](crate::set_exception_hook) for the duties of a hook.
    fn report(&self, report: &Report) {
        hook::report(report);
    }
}

impl<F> Schedule for F
where
    F: Fn(Ready) -> Result<(), Ready> + Send + Sync + 'static,
{
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        self(ready)
    }
}

impl<S: Schedule + ?Sized> Schedule for Arc<S> {
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        (**self).schedule(ready)
    }

    fn only_queues(&self) -> bool {
        (**self).only_queues()
    }

    fn takes_batches(&self, sealed: Sealed) -> bool {
        (**self).takes_batches(sealed)
    }

    fn report(&self, report: &Report) {
        (**self).report(report);
    }
}

/// The seal of a method that only this crate's schedulers have.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Sealed(());

/// The scheduler that runs callbacks at once, on the draining thread: the thread that completes the
/// task, or the one that adds late while nobody drains ([D11]).
///
/// Callbacks never nest ([P8]). A task that is completed inside a callback runs its own callbacks after
/// the outermost drain of the thread: a chain of tasks needs no stack ([R36]), and such a `complete`
/// returns before its callbacks have run. Meanwhile its awaits, and late adds of other threads to it, wait for
/// this thread, too. So a callback must not block on callbacks or awaits that its own thread owes; a task
/// whose scheduler [only queues](Schedule::only_queues) is handed over at once ([D25]).
///
/// ```no_run
/// # use std::{sync::mpsc, thread};
/// # use whendone::Inline;
/// let ((first, one), (second, two)) = (whendone::task(Inline), whendone::task(Inline));
/// one.add_done_callback(move |_| {
///     second.complete(2).unwrap(); // `two` is drained when this callback has returned
///     let (sender, ran) = mpsc::channel();
///     thread::spawn(move || two.add_done_callback(move |_| sender.send(()))); // so this thread runs it
///     ran.recv().unwrap(); // deadlock
/// });
/// first.complete(1).unwrap();
/// ```
///
/// The draining thread also runs what other threads add late meanwhile, for as long as they add ([D16]).
///
/// # Examples
///
/// ```
/// let (completer, task) = whendone::task(whendone::Inline);
/// task.add_done_callback(|task| println!("{task:?}"));
/// completer.complete(3)?; // prints <Task finished result=3>
/// # Ok::<(), whendone::AlreadyDone<i32>>(())
/// ```
///
/// [R36]: crate::rules#r36
/// [D11]: crate::rules#d11
/// [D16]: crate::rules#d16
/// [D25]: crate::rules#d25
/// [P8]: crate::kernel#properties
#[derive(Clone, Copy, Debug, Default)]
pub struct Inline;

impl Schedule for Inline {
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        ready.run();
        Ok(())
    }
}

/// A callback whose turn has come, with its task. It is run once.
///
/// One that is dropped unrun reports itself as lost ([D4]).
///
/// [D4]: crate::rules#d4
#[must_use = "a callback that is dropped unrun is lost: run it, or give it back"]
pub struct Ready(Option<(Box<dyn Work>, Source)>);

/// The source of a queued callback.
pub(crate) struct Source {
    /// The callback's task; none of a function that was not added to a task.
    pub(crate) task: Option<Erased>,
    pub(crate) added_at: &'static Location<'static>,
}

impl Ready {
    #[inline]
    pub(crate) fn new(work: Box<dyn Work>, source: Source) -> Self {
        Ready(Some((work, source)))
    }

    /// Runs the callback on this thread, at most once.
    ///
    /// # Panics
    ///
    /// A panic of the callback is contained and reported ([D5]).
    ///
    /// # Re-entrancy
    ///
    /// The callback may call everything ([D1]).
    ///
    /// [D1]: crate::rules#d1
    /// [D5]: crate::rules#d5
    #[inline]
    pub fn run(mut self) {
        if let Some((work, source)) = self.0.take() {
            work.run(source);
        }
    }

    /// Returns the id of the task whose callback this is: a scheduler that many tasks share can keep a line
    /// for each, as [`Serial`](crate::Serial) does ([D24]). `None` for a function that a closed loop
    /// gives back.
    ///
    /// [D24]: crate::rules#d24
    #[must_use]
    pub fn task_id(&self) -> Option<TaskId> {
        self.0.as_ref().and_then(|(work, source)| work.task_id(source))
    }

    /// Reports it as lost and drops it. Returns the number of callbacks that it stands for: one, but in the queue of a
    /// loop (D31).
    pub(crate) fn lose(&mut self) -> usize {
        self.0.take().map_or(0, |(work, source)| work.lose(source))
    }

    /// Returns the callback's type and the place where it was added.
    ///
    /// # Examples
    ///
    /// ```
    /// use whendone::{Inline, Ready, Schedule};
    ///
    /// let (completer, task) = whendone::task(|ready: Ready| {
    ///     println!("task {:?}: {}", ready.task_id(), ready.origin());
    ///     Inline.schedule(ready)
    /// });
    /// task.add_done_callback(|_| ());
    /// completer.complete(3)?;
    /// # Ok::<(), whendone::AlreadyDone<i32>>(())
    /// ```
    #[must_use]
    pub fn origin(&self) -> Origin {
        let (work, source) = self.0.as_ref().expect("a callback that has not run");
        Origin { callback: work.type_name(), added_at: source.added_at }
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        self.lose();
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ready").field(&self.origin()).finish()
    }
}

/// The work behind a [`Ready`], whatever the type of its task.
pub(crate) trait Work: Send {
    /// Runs it. A panic is contained and reported.
    fn run(self: Box<Self>, source: Source);
    /// Reports it as lost and drops it. Returns the number of callbacks that it stands for.
    fn lose(self: Box<Self>, source: Source) -> usize;
    fn type_name(&self) -> &'static str;
    fn task_id(&self, source: &Source) -> Option<TaskId>;
}

/// The owner of a task: its scheduler and, if it has one, its name.
pub(crate) trait Owner: Send + Sync {
    fn schedule(&self, ready: Ready) -> Result<(), Ready>;

    /// True if it runs callbacks at once and does nothing else, so that the drainer may run them itself.
    fn is_inline(&self) -> bool;

    /// True if it never runs a callback on the calling thread, so that a nested drain may run at once (D25).
    fn only_queues(&self) -> bool;

    /// True if it takes several callbacks as one [`Ready`]. Then it also only queues.
    fn takes_batches(&self) -> bool;

    /// A caller's code, which may panic: call [`tell`] instead.
    fn report(&self, report: &Report);

    fn name(&self) -> Option<&str> {
        None
    }

    /// `None` if the task can be cancelled at once. Otherwise cancelling is a request, with this answer (D10).
    fn request_cancel(&self) -> Option<bool> {
        None
    }

    /// True while a request to cancel is open.
    fn is_cancelling(&self) -> bool {
        false
    }

    /// The place where a task of a loop was spawned.
    fn spawned_at(&self) -> Option<&'static Location<'static>> {
        None
    }

    /// True if this waker wakes the task itself: then an await of the task that is polled with it never ends (D27).
    fn is_polled_by(&self, _waker: &Waker) -> bool {
        false
    }
}

impl<S: Schedule> Owner for S {
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        Schedule::schedule(self, ready)
    }

    fn is_inline(&self) -> bool {
        TypeId::of::<S>() == TypeId::of::<Inline>()
    }

    fn only_queues(&self) -> bool {
        contain(|| Schedule::only_queues(self)).unwrap_or(false)
    }

    fn takes_batches(&self) -> bool {
        Schedule::takes_batches(self, Sealed(()))
    }

    fn report(&self, report: &Report) {
        Schedule::report(self, report);
    }
}

/// A scheduler with the name of the task that owns it.
pub(crate) struct Named<S> {
    pub(crate) name: Box<str>,
    pub(crate) scheduler: S,
}

impl<S: Schedule> Owner for Named<S> {
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        self.scheduler.schedule(ready)
    }

    fn is_inline(&self) -> bool {
        Owner::is_inline(&self.scheduler)
    }

    fn only_queues(&self) -> bool {
        Owner::only_queues(&self.scheduler)
    }

    fn takes_batches(&self) -> bool {
        Owner::takes_batches(&self.scheduler)
    }

    fn report(&self, report: &Report) {
        self.scheduler.report(report);
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }
}

/// Reports to the owner's hook. A panic of the hook is contained: both failures are printed (R68).
pub(crate) fn tell(owner: &(impl Owner + ?Sized), report: &Report) {
    if let Err(panic) = contain(|| owner.report(report)) {
        let _ = contain(|| hook::print(report));
        let _ = contain(|| hook::print(&Report::new(Failure::HookPanicked).panic(panic)));
    }
}
