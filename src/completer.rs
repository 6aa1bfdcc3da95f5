//! Where a task is completed: its completer.

use super::outcome::Outcome;
use super::panic::contain;
use super::schedule::{Named, Schedule};
use super::task::Task;
use std::fmt;

/// Makes a pending task and its only completer ([D7]).
///
/// # Examples
///
/// ```
/// let (completer, task) = whendone::task(whendone::Inline);
/// task.add_done_callback(|task| println!("{task:?}"));
/// std::thread::spawn(move || completer.complete(3)).join().unwrap().unwrap();
/// assert!(task.is_done());
/// ```
///
/// [D7]: crate::rules#d7
pub fn task<T: 'static>(scheduler: impl Schedule) -> (Completer<T>, Task<T>) {
    pair(Task::new(scheduler))
}

/// Makes a pending task with a name, which its `Debug` and reports show ([D13]).
///
/// # Examples
///
/// ```
/// let (_completer, task) = whendone::task_named::<()>("fetch", whendone::Inline);
/// assert_eq!(format!("{task:?}"), "<Task pending name='fetch'>");
/// ```
///
/// [D13]: crate::rules#d13
pub fn task_named<T: 'static>(name: impl Into<String>, scheduler: impl Schedule) -> (Completer<T>, Task<T>) {
    pair(Task::new(Named { name: name.into().into(), scheduler }))
}

pub(crate) fn pair<T: 'static>(task: Task<T>) -> (Completer<T>, Task<T>) {
    (Completer { task: task.clone() }, task)
}

/// The right to complete one task. Each task has exactly one completer, which is not `Clone` ([D7]).
///
/// A completer that is dropped while the task is pending completes it as
/// [`Abandoned`](Outcome::Abandoned): callbacks run and see that outcome, and nobody waits for ever ([P16]).
///
/// [D7]: crate::rules#d7
/// [P16]: crate::rules#p16
pub struct Completer<T: 'static> {
    task: Task<T>,
}

impl<T> Completer<T> {
    /// Completes the task and hands its callbacks over to the scheduler, in the order of their adds ([P7]).
    ///
    /// The scheduler decides on which thread the callbacks run. On [`Inline`](crate::Inline) they run
    /// on this thread, before this returns. Costs one call of the scheduler for each callback, or for all of
    /// them on a loop ([D31]), and several moves of the value: box a large one.
    ///
    /// # Errors
    ///
    /// If the task was cancelled before, the value is given back ([P1]).
    ///
    /// # Panics
    ///
    /// Panics if the completer is the last handle and dropping the value panics; panics of callbacks
    /// are contained ([D5]).
    ///
    /// # Re-entrancy
    ///
    /// Inside a callback that runs inline, the hand-over is deferred until the outermost callback of
    /// this thread has returned ([D11]), unless the scheduler [only queues](Schedule::only_queues)
    /// ([D25]). Awaits stand in the same line: a callback must not block on one of them.
    ///
    /// ```no_run
    /// # use std::{future::IntoFuture, thread};
    /// # use whendone::Inline;
    /// let ((first, one), (second, two)) = (whendone::task(Inline), whendone::task(Inline));
    /// let waiter = thread::spawn(|| futures::executor::block_on(two.into_future()));
    /// one.add_done_callback(|_| {
    ///     second.complete(2).unwrap(); // the wake-up of `waiter` is put off ...
    ///     waiter.join().unwrap(); // ... until this callback returns: deadlock
    /// });
    /// first.complete(1).unwrap();
    /// ```
    ///
    /// Inline, a callback that takes a lock which the caller of this method holds waits for ever, too.
    ///
    /// [D5]: crate::rules#d5
    /// [D11]: crate::rules#d11
    /// [D25]: crate::rules#d25
    /// [D31]: crate::rules#d31
    /// [P1]: crate::kernel#properties
    /// [P7]: crate::kernel#properties
    pub fn complete(self, value: T) -> Result<(), AlreadyDone<T>> {
        match self.task.complete(Outcome::Finished(value)) {
            Err(Outcome::Finished(value)) => Err(AlreadyDone(value)),
            _ => Ok(()),
        }
    }

    /// Completes the task with any outcome: one that is passed on from another task, or was caught by
    /// another executor ([D20]); see [`complete`](Self::complete).
    ///
    /// A panic that is passed on must be retrieved from this task, too, or it is reported ([D8]).
    ///
    /// # Errors
    ///
    /// If the task was cancelled before, the outcome is given back ([P1]).
    ///
    /// # Panics
    ///
    /// As [`complete`](Self::complete) does.
    ///
    /// # Re-entrancy
    ///
    /// As for [`complete`](Self::complete).
    ///
    /// # Examples
    ///
    /// ```
    /// # use whendone::{Inline, Outcome};
    /// let (completer, inner) = whendone::task::<u32>(Inline);
    /// let (forward, outer) = whendone::task::<u32>(Inline);
    /// inner.add_done_callback(move |inner| {
    ///     let outcome = inner.outcome().expect("a callback sees its task done");
    ///     forward.complete_with(outcome.clone()).ok(); // refused if `outer` was cancelled
    /// });
    /// completer.run(|| panic!("passed on")).unwrap();
    /// let Some(Outcome::Panicked(panic)) = outer.outcome() else { unreachable!() };
    /// assert_eq!(panic.message(), "passed on");
    /// ```
    ///
    /// [D8]: crate::rules#d8
    /// [D20]: crate::rules#d20
    /// [P1]: crate::kernel#properties
    pub fn complete_with(self, outcome: Outcome<T>) -> Result<(), AlreadyDone<Outcome<T>>> {
        let outcome = match outcome {
            Outcome::Panicked(panic) => Outcome::Panicked(panic.forward()),
            outcome => outcome,
        };
        self.task.complete(outcome).map_err(AlreadyDone)
    }

    /// Calls a function here and completes the task with its value or, if it panics, with its panic
    /// ([D20]): the body of a job on any thread pool.
    ///
    /// The function is always called, once. A job that has not begun when its task is cancelled is
    /// skipped by asking first: `completer.task().is_done()`.
    ///
    /// # Errors
    ///
    /// If the task was cancelled before the function returned, the outcome is given back ([P1]).
    ///
    /// # Panics
    ///
    /// A panic of the function is contained: it is the outcome. Otherwise as [`complete`](Self::complete) does.
    ///
    /// # Re-entrancy
    ///
    /// The function may call everything ([D1]). The hand-over is as for [`complete`](Self::complete).
    ///
    /// # Examples
    ///
    /// ```
    /// let (completer, task) = whendone::task(whendone::Inline);
    /// std::thread::spawn(move || completer.run(|| 6 * 7)).join().unwrap().unwrap();
    /// assert_eq!(task.outcome().and_then(|outcome| outcome.value()), Some(&42));
    /// ```
    ///
    /// [D1]: crate::rules#d1
    /// [D20]: crate::rules#d20
    /// [P1]: crate::kernel#properties
    pub fn run(self, function: impl FnOnce() -> T) -> Result<(), AlreadyDone<Outcome<T>>> {
        self.complete_with(match contain(function) {
            Ok(value) => Outcome::Finished(value),
            Err(panic) => Outcome::Panicked(panic),
        })
    }

    /// Cancels the task and returns true, unless it is done: then nothing changes, and this is false.
    /// See [`Task::cancel`] ([R50]).
    ///
    /// [R50]: crate::rules#r50
    #[allow(clippy::must_use_candidate, reason = "it does something")]
    pub fn cancel(self) -> bool {
        self.task.cancel()
    }

    /// Returns a handle of the task.
    #[must_use]
    pub fn task(&self) -> &Task<T> {
        &self.task
    }

    /// Completes the task because its completer is gone. Refused if it was cancelled just now: then it is done, too.
    #[cold]
    fn abandon(&self) {
        let _ = self.task.complete(Outcome::Abandoned);
    }
}

impl<T> Drop for Completer<T> {
    #[inline]
    fn drop(&mut self) {
        if !self.task.is_done() {
            self.abandon();
        }
    }
}

impl<T> fmt::Debug for Completer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Completer of {}>", self.task.describe())
    }
}

/// The error of completing a task that is done already. Gives the value or outcome back ([P1]).
///
/// [P1]: crate::kernel#properties
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlreadyDone<T>(pub T);

impl<T> fmt::Display for AlreadyDone<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("task is already done")
    }
}

impl<T: fmt::Debug> std::error::Error for AlreadyDone<T> {}
