//! The waiter in a task's line: a callback, or the waker of an await.

/// A waiter in the line of a task whose handle is `K`.
pub(crate) trait Waiter<K>: Send {
    /// Takes its turn here and now. Panics are contained and reported.
    fn call_now(self: Box<Self>, task: &K);
    /// Takes its turn where the task's scheduler decides.
    fn hand_over(self: Box<Self>, task: &K) {
        self.call_now(task);
    }
    /// Gives its turn up and drops it. Panics are contained and reported.
    fn discard(self: Box<Self>, task: &K);
}
