//! The await as `select!` takes it: it says when it must not be polled again.

use super::super::task::Task;
use super::super::wait::Wait;
use futures_util::future::FusedFuture;
use std::borrow::Borrow;
use std::future::Future;

/// Terminated once a poll was ready. Such a future may still be polled, and is ready again.
impl<T, B: Borrow<Task<T>>> FusedFuture for Wait<T, B>
where
    Self: Future,
{
    fn is_terminated(&self) -> bool {
        self.is_over()
    }
}
