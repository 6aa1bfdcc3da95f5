//! Where a task is completed, by its one completer.

use super::outcome::Outcome;
use super::schedule::{Named, Schedule};
use super::task::Task;
use std::fmt;

/// Makes a pending task and the one completer of it (D7).
///
/// # Examples
///
/// ```
/// let (completer, task) = whendone::task(whendone::Inline);
/// task.add_done_callback(|task| println!("{task:?}"));
/// std::thread::spawn(move || completer.complete(3)).join().unwrap().unwrap();
/// assert!(task.is_done());
/// ```
pub fn task<T: 'static>(scheduler: impl Schedule) -> (Completer<T>, Task<T>) {
    pair(Task::new(scheduler))
}

/// Makes a pending task with a name, which its `Debug` and reports show (D13).
///
/// # Examples
///
/// ```
/// let (_completer, task) = whendone::task_named::<()>("fetch", whendone::Inline);
/// assert_eq!(format!("{task:?}"), "<Task pending name='fetch'>");
/// ```
pub fn task_named<T: 'static>(name: impl Into<String>, scheduler: impl Schedule) -> (Completer<T>, Task<T>) {
    pair(Task::new(Named { name: name.into().into(), scheduler }))
}

fn pair<T: 'static>(task: Task<T>) -> (Completer<T>, Task<T>) {
    (Completer { task: task.clone() }, task)
}

/// Completes one task. There is exactly one for each task, and it is not `Clone`.
///
/// Dropped while the task is pending, it completes the task as
/// [`Abandoned`](Outcome::Abandoned): callbacks run and see it, and nobody waits for ever (D7).
pub struct Completer<T: 'static> {
    task: Task<T>,
}

impl<T> Completer<T> {
    /// Completes the task and hands its callbacks to the scheduler, in the order of their adds.
    ///
    /// On which thread callbacks run is the scheduler's choice; on [`Inline`](crate::Inline) it is
    /// this one, now, and so complete returns when they have run.
    ///
    /// # Errors
    ///
    /// If the task was cancelled, the value is given back.
    ///
    /// # Panics
    ///
    /// Only if the completer was the last handle, and the value's own drop panics.
    ///
    /// # Re-entrancy
    ///
    /// Inside a callback that runs inline, the hand-over is put off until that callback has returned.
    pub fn complete(self, value: T) -> Result<(), AlreadyDone<T>> {
        match self.task.complete(Outcome::Finished(value)) {
            Err(Outcome::Finished(value)) => Err(AlreadyDone(value)),
            _ => Ok(()),
        }
    }

    /// A handle of the task.
    pub fn task(&self) -> &Task<T> {
        &self.task
    }
}

impl<T> Drop for Completer<T> {
    fn drop(&mut self) {
        if !self.task.is_done() {
            // Refused if the task is cancelled just now, which is as good.
            let _ = self.task.complete(Outcome::Abandoned);
        }
    }
}

impl<T> fmt::Debug for Completer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Completer of {}>", self.task.describe())
    }
}

/// The task was done already. Gives the value back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlreadyDone<T>(pub T);

impl<T> fmt::Display for AlreadyDone<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("task is already done")
    }
}

impl<T: fmt::Debug> std::error::Error for AlreadyDone<T> {}
