//! The identity of a task: handles are equal if they are of one task, also those that do not know the type of its value.

use super::id::TaskId;
use super::sync::Arc;
use super::task::Task;
use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};

/// Handles are equal if they are of the same task ([D23]).
///
/// # Examples
///
/// ```
/// use std::collections::HashSet;
/// use std::sync::{Arc, Mutex};
///
/// let tasks = Arc::new(Mutex::new(HashSet::new()));
/// let (completer, task) = whendone::task::<u32>(whendone::Inline);
/// tasks.lock().unwrap().insert(task.clone());
/// let running = tasks.clone();
/// task.add_done_callback(move |task| running.lock().unwrap().remove(task));
/// completer.complete(3)?;
/// assert!(tasks.lock().unwrap().is_empty());
/// # Ok::<(), whendone::AlreadyDone<u32>>(())
/// ```
///
/// [D23]: crate::rules#d23
impl<T> PartialEq for Task<T> {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl<T> Eq for Task<T> {}

impl<T> Hash for Task<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

/// A handle of a task whose value may be of any type, to cancel and count tasks of several types ([D23]).
///
/// It keeps its task alive, as every handle does. It is made of a [`Task`] by [`From`], with one
/// allocation; clones share it. In a set or map it is found by its [`TaskId`].
///
/// # Examples
///
/// ```
/// use std::collections::HashSet;
/// use whendone::{AnyTask, Inline};
///
/// let (completer, number) = whendone::task::<u32>(Inline);
/// let (_completer, text) = whendone::task::<String>(Inline);
/// let mut tasks = HashSet::from([AnyTask::from(&number), AnyTask::from(&text)]);
/// completer.complete(3)?;
/// assert!(tasks.remove(&number.id()));
/// assert_eq!(tasks.iter().filter(|task| task.cancel()).count(), 1);
/// assert!(text.is_cancelled());
/// # Ok::<(), whendone::AlreadyDone<u32>>(())
/// ```
///
/// [D23]: crate::rules#d23
#[derive(Clone)]
pub struct AnyTask {
    id: TaskId,
    task: Arc<dyn Handle + Send + Sync>,
}

/// A handle behind which the type of the value is not known.
trait Handle {
    fn name(&self) -> Option<&str>;
    fn is_done(&self) -> bool;
    fn is_cancelled(&self) -> bool;
    fn cancel(&self) -> bool;
    fn describe(&self) -> String;
}

impl<T: 'static> Handle for Task<T> {
    fn name(&self) -> Option<&str> {
        self.name()
    }

    fn is_done(&self) -> bool {
        self.is_done()
    }

    fn is_cancelled(&self) -> bool {
        self.is_cancelled()
    }

    fn cancel(&self) -> bool {
        self.cancel()
    }

    fn describe(&self) -> String {
        self.describe()
    }
}

impl AnyTask {
    /// Returns the task's id; see [`Task::id`].
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// Returns the task's name, if it has one; see [`Task::name`].
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.task.name()
    }

    /// Returns true once the task has an outcome; see [`Task::is_done`]. Takes no lock.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.task.is_done()
    }

    /// Returns true if the task was cancelled; see [`Task::is_cancelled`]. Takes no lock.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.task.is_cancelled()
    }

    /// Cancels the task; see [`Task::cancel`].
    #[allow(clippy::must_use_candidate, reason = "it does something")]
    pub fn cancel(&self) -> bool {
        self.task.cancel()
    }
}

impl<T: Send + Sync + 'static> From<&Task<T>> for AnyTask {
    fn from(task: &Task<T>) -> Self {
        AnyTask { id: task.id(), task: Arc::new(task.clone()) }
    }
}

impl PartialEq for AnyTask {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for AnyTask {}

impl Hash for AnyTask {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl Borrow<TaskId> for AnyTask {
    fn borrow(&self) -> &TaskId {
        &self.id
    }
}

/// Prints the task without its value: `<Task finished name='Task-2'>`.
impl fmt::Debug for AnyTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.task.describe())
    }
}
