//! The future of an await, which waits in the task's own line, between the callbacks.

use super::kernel::{CallbackId, UNTAGGED};
use super::outcome::Outcome;
use super::task::Task;
use super::waiter::Waiter;
use std::borrow::Borrow;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::ptr;
use std::task::{Context, Poll, Waker};

/// The future of `(&task).await`, of [`Task::wait`] and of `task.await`.
///
/// Its first poll takes a place in the line of callbacks, and keeps it however often and with whatever
/// waker it is polled again; when its turn comes, it is woken ([R42], [R43], [D9]). The draining thread wakes
/// it, whatever the scheduler. Awaiting a done task continues at once, ahead of callbacks that have not
/// run yet ([R44]). A future that is dropped early gives its place up ([R106]). Awaiting counts as
/// retrieving the outcome ([R45]).
///
/// Allocates nothing. Polled again with the same waker, it neither clones the waker nor takes the lock.
///
/// # Panics
///
/// A task of an event loop that polls its own await panics, whether or not something else would end the wait
/// ([D27]). Another executor, or a combinator that polls with a waker of its own, hides that, and the await waits.
///
/// Panics of a waker in wake and drop are contained and reported. A panic in clone goes to the caller
/// of poll, and changes nothing.
///
/// # Re-entrancy
///
/// Wakers are cloned, woken and dropped with no lock held, and may call everything ([P13], [D1]).
///
/// An await of a task that is completed inside a callback which runs inline is woken when the outermost
/// callback of that thread has returned, so that callback must not block on it ([D11]). A task whose scheduler
/// [only queues](crate::Schedule::only_queues) wakes it at once ([D25]), unless this thread is inside a waker
/// or a scheduler that such a hand-over calls: then after that hand-over.
///
/// ```no_run
/// # use std::{future::IntoFuture, thread};
/// # use whendone::Inline;
/// let ((first, one), (second, two)) = (whendone::task(Inline), whendone::task(Inline));
/// let waiter = thread::spawn(|| futures::executor::block_on(two.into_future()));
/// one.add_done_callback(|_| {
///     drop(second); // the wake-up of `waiter` is put off ...
///     waiter.join().unwrap() == whendone::Outcome::<()>::Abandoned // ... until this callback returns: deadlock
/// });
/// first.complete(1).unwrap();
/// ```
///
/// [R42]: crate::rules#r42
/// [R43]: crate::rules#r43
/// [R44]: crate::rules#r44
/// [R45]: crate::rules#r45
/// [R106]: crate::rules#r106
/// [D1]: crate::rules#d1
/// [D9]: crate::rules#d9
/// [D11]: crate::rules#d11
/// [D25]: crate::rules#d25
/// [D27]: crate::rules#d27
/// [P13]: crate::kernel#properties
#[must_use = "futures do nothing unless you await them"]
pub struct Wait<T, B: Borrow<Task<T>>> {
    task: B,
    place: Option<Place>,
    over: bool,
    outcome: PhantomData<fn() -> T>,
}

/// The place of an await in its task's line, and the identity of the clone that waits there: it lives, so no other
/// waker has its identity.
struct Place {
    id: CallbackId,
    waker: [usize; 2],
}

/// The identity of a waker while it lives: what [`Waker::will_wake`] compares.
fn identity(waker: &Waker) -> [usize; 2] {
    [waker.data().addr(), ptr::from_ref(waker.vtable()).addr()]
}

impl<T, B: Borrow<Task<T>>> Wait<T, B> {
    fn new(task: B) -> Self {
        Wait { task, place: None, over: false, outcome: PhantomData }
    }

    /// True once a poll was ready.
    #[allow(dead_code, reason = "`select!` asks, with the event loop's feature")]
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    fn is_ready(&mut self, context: &Context<'_>) -> bool {
        self.over = self.is_done(context);
        self.over
    }

    /// Returns true once the task is done; otherwise the waker of this poll waits in line. The one that waits there
    /// already stays, and costs neither a clone nor a lock section.
    fn is_done(&mut self, context: &Context<'_>) -> bool {
        let task = self.task.borrow();
        if task.is_done() {
            return true;
        }
        assert!(!task.is_polled_by(context.waker()), "a task cannot await itself: {}", task.describe());
        if self.place.as_ref().is_some_and(|place| place.waker == identity(context.waker())) {
            return false;
        }
        // The identity is that of the clone, which lives while it waits: nobody else can have its address.
        let waker = context.waker().clone();
        let (waker, waiter) = (identity(&waker), Waiter::Await(waker));
        let (left, over) = match &mut self.place {
            None => match task.cell().add_waiting(UNTAGGED, waiter) {
                Ok(id) => {
                    self.place = Some(Place { id, waker });
                    return false;
                }
                Err(refused) => (refused, true),
            },
            Some(place) => match task.cell().replace(place.id, waiter) {
                Ok(old) => {
                    place.waker = waker;
                    (old, false)
                }
                Err(refused) => (refused, true),
            },
        };
        task.discard(left);
        over
    }
}

impl<'a, T> Future for Wait<T, &'a Task<T>> {
    type Output = &'a Outcome<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.is_ready(context).then(|| self.task.outcome()).flatten() {
            Some(outcome) => Poll::Ready(outcome),
            None => Poll::Pending,
        }
    }
}

impl<T: Clone> Future for Wait<T, Task<T>> {
    type Output = Outcome<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.is_ready(context).then(|| self.task.outcome().cloned()).flatten() {
            Some(outcome) => Poll::Ready(outcome),
            None => Poll::Pending,
        }
    }
}

// No field is pinned.
impl<T, B: Borrow<Task<T>>> Unpin for Wait<T, B> {}

impl<T, B: Borrow<Task<T>>> Drop for Wait<T, B> {
    fn drop(&mut self) {
        let task = self.task.borrow();
        if let Some(waker) = self.place.as_ref().and_then(|place| task.cell().remove(place.id)) {
            task.discard(waker);
        }
    }
}

impl<'a, T> IntoFuture for &'a Task<T> {
    type Output = &'a Outcome<T>;
    type IntoFuture = Wait<T, &'a Task<T>>;

    fn into_future(self) -> Self::IntoFuture {
        self.wait()
    }
}

// The compiler prints these lines when a task whose value is not `Clone` is awaited by value. No other text
// of ours reaches that message: std's impl for all futures also matches a task, so the bound is not blamed.
impl<T> IntoFuture for Task<T>
where
    T: Clone, // await a reference, `(&task).await`, or make the value `Clone`
{
    type Output = Outcome<T>;
    type IntoFuture = Wait<T, Task<T>>;

    fn into_future(self) -> Self::IntoFuture {
        Wait::new(self)
    }
}

impl<T> Task<T> {
    /// Waits for the task: the future of `(&task).await`, for functions and macros that take futures. With
    /// the feature `event-loop` it is a `FusedFuture`, as `select!` wants it ([D22]).
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::{executor::block_on, future::join_all};
    /// use whendone::{Inline, Task};
    ///
    /// let (completers, tasks): (Vec<_>, Vec<_>) = (0..3).map(|_| whendone::task::<u32>(Inline)).unzip();
    /// completers.into_iter().zip(1..).for_each(|(completer, n)| completer.complete(n).unwrap());
    /// let outcomes = block_on(join_all(tasks.iter().map(Task::wait))); // in the order of the tasks
    /// assert_eq!(outcomes.into_iter().map(|outcome| *outcome.as_ref().unwrap()).sum::<u32>(), 6);
    /// ```
    ///
    /// [D22]: crate::rules#d22
    pub fn wait(&self) -> Wait<T, &Task<T>> {
        Wait::new(self)
    }
}

impl<T, B: Borrow<Task<T>>> fmt::Debug for Wait<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Wait for {}>", self.task.borrow().describe())
    }
}
