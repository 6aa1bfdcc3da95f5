//! Where a callback is born and wrapped: boxed, with its place of birth and room for its task.

use super::id::TaskId;
use super::kernel::CallbackId;
use super::panic::contain;
use super::report::{Failure, Origin, Report};
use super::schedule::{Ready, Work};
use super::sync::{Arc, fresh_serial};
use super::task::{Callback, Task};
use super::waiter::Waiter;
use std::any::type_name;
use std::fmt;
use std::panic::Location;

impl<T: Send + Sync + 'static> Task<T> {
    /// Adds a callback that runs once when the task is done, after all callbacks added before it ([R12]).
    ///
    /// The task's scheduler decides on which thread it runs, and it is passed the task ([R17]). If the
    /// task is done already, the callback is scheduled at once, behind the callbacks that have not run
    /// yet ([R33], [P11]). This method never calls the callback itself, unless the scheduler runs
    /// it at once, as [`Inline`](crate::Inline) does ([R15], [D11]). The id that is returned removes this registration ([D3]).
    ///
    /// Costs one allocation for the callback, and amortised constant time in the line.
    ///
    /// # Panics
    ///
    /// A panic in the callback is contained and reported to the exception hook; the other callbacks
    /// run ([R60]-[R62]).
    ///
    /// # Re-entrancy
    ///
    /// The callback may call everything on any task ([D1]). It must not block on a callback that its own
    /// thread owes ([D11]).
    ///
    /// # Examples
    ///
    /// ```
    /// let (completer, task) = whendone::task(whendone::Inline);
    /// let id = task.add_done_callback(|_| unreachable!("it is removed"));
    /// task.add_done_callback(|task| assert!(task.is_done()));
    /// assert!(task.remove_done_callback(id));
    /// completer.complete(3).unwrap();
    /// ```
    ///
    /// [R12]: crate::rules#r12
    /// [R15]: crate::rules#r15
    /// [R17]: crate::rules#r17
    /// [R33]: crate::rules#r33
    /// [R60]: crate::rules#r60
    /// [R62]: crate::rules#r62
    /// [D1]: crate::rules#d1
    /// [D3]: crate::rules#d3
    /// [D11]: crate::rules#d11
    /// [P11]: crate::kernel#properties
    #[track_caller]
    pub fn add_done_callback<F, R>(&self, callback: F) -> CallbackId
    where
        F: FnOnce(&Task<T>) -> R + Send + 'static,
        R: DoneReturn,
    {
        self.add(0, Once(callback))
    }

    /// Adds a registration of a shared callback; see [`add_done_callback`](Self::add_done_callback).
    ///
    /// A shared callback may be added many times. Each registration runs once, at its own place ([R13]).
    ///
    /// [R13]: crate::rules#r13
    #[allow(clippy::must_use_candidate, reason = "the id is for those who remove")]
    #[track_caller]
    pub fn add_shared(&self, callback: &SharedCallback<T>) -> CallbackId {
        self.add(callback.tag, callback.clone())
    }

    #[track_caller]
    fn add(&self, tag: u64, call: impl Call<T>) -> CallbackId {
        self.admit(tag, Registered::boxed(call, Location::caller()))
    }
}

impl<T> Task<T> {
    /// Removes every registration of a shared callback from this task, in one step, and returns how
    /// many there were ([R19]): none once the task is done ([R25]).
    ///
    /// Costs a scan of the task's line under its lock, and memory for the callbacks that it finds: other
    /// threads that use the task wait meanwhile. On long lines remove by id instead.
    ///
    /// # Panics
    ///
    /// A panic in a drop of the callback is contained and reported ([D5]).
    ///
    /// # Re-entrancy
    ///
    /// The registrations are dropped with no lock held, on this thread ([P13]).
    ///
    /// [R19]: crate::rules#r19
    /// [R25]: crate::rules#r25
    /// [D5]: crate::rules#d5
    /// [P13]: crate::kernel#properties
    #[allow(clippy::must_use_candidate, reason = "it does something")]
    pub fn remove_shared(&self, callback: &SharedCallback<T>) -> usize {
        let removed = self.cell().remove_all(callback.tag);
        removed.into_iter().map(|callback| callback.discard(self)).count()
    }
}

/// The part behind the box: a closure, or a shared callback.
trait Call<T>: Send + 'static {
    fn call(self, task: &Task<T>);
    fn type_name(&self) -> &'static str;
}

/// A callback with the place where it was added and room for its task, whose type a scheduler does not know.
struct Registered<T, F> {
    task: Option<Task<T>>,
    call: F,
    added_at: &'static Location<'static>,
}

impl<T: Send + Sync + 'static, F: Call<T>> Registered<T, F> {
    #[inline]
    fn boxed(call: F, added_at: &'static Location<'static>) -> Callback<T> {
        Box::new(Registered { task: None, call, added_at })
    }
}

impl<T: Send + Sync + 'static, F: Call<T>> Waiter<Task<T>> for Registered<T, F> {
    fn call_now(self: Box<Self>, task: &Task<T>) {
        let (callback, added_at) = (self.call.type_name(), self.added_at);
        if let Err(panic) = contain(|| self.call.call(task)) {
            task.tell_of(Failure::CallbackPanicked, Origin { callback, added_at }, panic);
        }
    }

    fn hand_over(mut self: Box<Self>, task: &Task<T>) {
        self.task = Some(task.clone());
        task.schedule(Ready::new(self));
    }

    fn discard(self: Box<Self>, task: &Task<T>) {
        let (callback, added_at) = (self.call.type_name(), self.added_at);
        if let Err(panic) = contain(|| drop(self)) {
            task.tell_of(Failure::DropPanicked, Origin { callback, added_at }, panic);
        }
    }
}

impl<T: Send + Sync + 'static, F: Call<T>> Work for Registered<T, F> {
    fn run(mut self: Box<Self>) {
        let Some(task) = self.task.take() else { return };
        self.call_now(&task);
        let_go(task);
    }

    fn lose(mut self: Box<Self>) {
        let Some(task) = self.task.take() else { return };
        task.tell(Report::new(Failure::CallbackLost).callback(self.origin()));
        self.discard(&task);
        let_go(task);
    }

    fn origin(&self) -> Origin {
        Origin { callback: self.call.type_name(), added_at: self.added_at }
    }

    fn task_id(&self) -> Option<TaskId> {
        self.task.as_ref().map(Task::id)
    }
}

/// Drops a handle that may be the last one. If dropping the outcome panics, nobody is left to report to.
fn let_go<T>(task: Task<T>) {
    let _ = contain(|| drop(task));
}

/// A closure that is called once.
struct Once<F>(F);

impl<T, F, R> Call<T> for Once<F>
where
    F: FnOnce(&Task<T>) -> R + Send + 'static,
{
    fn call(self, task: &Task<T>) {
        drop((self.0)(task));
    }

    fn type_name(&self) -> &'static str {
        type_name::<F>()
    }
}

/// A callback that can be added many times, to many tasks, and removed without an id ([D3]).
///
/// Clones are the same callback ([R22]). It is made of any `Fn(&Task<T>)` that threads may share.
///
/// # Examples
///
/// ```
/// use whendone::{Inline, SharedCallback, Task};
///
/// let tell = SharedCallback::new(|task: &Task<u32>| println!("{task:?}"));
/// let (_completer, task) = whendone::task(Inline);
/// task.add_shared(&tell);
/// task.add_shared(&tell);
/// assert_eq!(task.remove_shared(&tell), 2);
/// assert_eq!(task.remove_shared(&tell), 0);
/// ```
///
/// [R22]: crate::rules#r22
/// [D3]: crate::rules#d3
pub struct SharedCallback<T> {
    call: Arc<Shareable<T>>,
    type_name: &'static str,
    /// Marks all its registrations in the line of a task.
    tag: u64,
}

type Shareable<T> = dyn Fn(&Task<T>) + Send + Sync;

impl<T> SharedCallback<T> {
    /// Makes a callback that is distinct from all others, also from one made of the same closure ([R22]).
    ///
    /// [R22]: crate::rules#r22
    pub fn new<F, R>(f: F) -> Self
    where
        F: Fn(&Task<T>) -> R + Send + Sync + 'static,
        R: DoneReturn,
    {
        let call = Arc::new(move |task: &Task<T>| drop(f(task)));
        SharedCallback { call, type_name: type_name::<F>(), tag: fresh_serial() }
    }
}

impl<T: 'static> Call<T> for SharedCallback<T> {
    fn call(self, task: &Task<T>) {
        (self.call)(task);
    }

    fn type_name(&self) -> &'static str {
        self.type_name
    }
}

impl<T> Clone for SharedCallback<T> {
    fn clone(&self) -> Self {
        SharedCallback { call: self.call.clone(), ..*self }
    }
}

impl<T> fmt::Debug for SharedCallback<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedCallback").field(&self.type_name).finish()
    }
}

/// The types that a done callback may return: finished values, which are dropped (R17).
///
/// Futures do not implement it: a callback is called, not awaited (D6).
#[diagnostic::on_unimplemented(
    message = "a done callback cannot return `{Self}`",
    label = "this callback returns `{Self}`, which would be dropped unused",
    note = "an `async` callback would never be awaited: spawn a task from it, `|task| {{ whendone::spawn(async move {{ .. }}); }}`",
    note = "to drop another value, end the callback with a semicolon: `|task| {{ ..; }}`"
)]
pub trait DoneReturn {}

macro_rules! done_return {
    ($($done:ty)*) => { $(#[diagnostic::do_not_recommend] impl DoneReturn for $done {})* };
}

done_return!(() bool char String u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64);
done_return!(CallbackId);
#[diagnostic::do_not_recommend]
impl DoneReturn for &str {}
#[diagnostic::do_not_recommend]
impl<R: DoneReturn> DoneReturn for Option<R> {}
#[diagnostic::do_not_recommend]
impl<R: DoneReturn, E> DoneReturn for Result<R, E> {}
#[diagnostic::do_not_recommend]
impl<T> DoneReturn for Task<T> {}
#[diagnostic::do_not_recommend]
impl DoneReturn for <fn() -> ! as Returns>::Output {}

/// Names the return type of a function pointer: the only way to name `!`, the type of `|_| panic!()`.
#[doc(hidden)]
pub trait Returns {
    type Output;
}

impl<R> Returns for fn() -> R {
    type Output = R;
}
