//! What waits in a task's line: a callback, or the waker of an await.

/// A waiter in the line of the task whose handle is `K`.
pub(crate) trait Waiter<K>: Send {
    /// Takes its turn here and now. Panics are contained and reported.
    fn call_now(self: Box<Self>, task: &K);
    /// Takes its turn where the task's scheduler decides.
    fn hand_over(self: Box<Self>, task: &K) {
        self.call_now(task);
    }
    /// Drops it, its turn will not come. Panics are contained and reported.
    fn discard(self: Box<Self>, task: &K);
}
