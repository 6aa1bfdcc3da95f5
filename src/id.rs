//! The id of a task.

use std::fmt;

/// The identity of a task: of all handles of one task the same, and never again in this process ([D23]).
///
/// Ids grow in the order in which the tasks were made by one thread. It is displayed as a number.
///
/// [D23]: crate::rules#d23
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(u64);

impl TaskId {
    pub(crate) fn new(serial: u64) -> Self {
        TaskId(serial)
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
