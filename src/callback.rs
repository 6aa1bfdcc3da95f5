//! Where a callback is wrapped: boxed with the place where it was added and room for its task.

use super::contain::contain;
use super::report::{Failure, Origin, Report};
use super::schedule::Ready;
use super::sync::{Arc, fresh_serial};
use super::task::Task;
use std::any::type_name;
use std::fmt;
use std::panic::Location;

/// What stands in the line of a task: a callback, or the waker of an await.
pub(crate) type Callback<T> = Box<dyn InLine<T>>;

pub(crate) trait InLine<T>: Send {
    /// Its turn has come, here and now. Panics are contained and reported.
    fn call_now(self: Box<Self>, task: &Task<T>);
    /// Its turn has come, where the task's scheduler sees to it.
    fn hand_over(self: Box<Self>, task: &Task<T>) {
        self.call_now(task);
    }
    /// It is dropped, its turn will not come. Panics are contained and reported.
    fn discard(self: Box<Self>, task: &Task<T>);
}

/// What a scheduler is handed, whatever its task's type.
pub(crate) trait Work: Send {
    /// Calls it, panic contained and reported.
    fn run(self: Box<Self>);
    /// Reports it as lost and drops it.
    fn lose(self: Box<Self>);
    fn origin(&self) -> Origin;
}

/// What is behind the box: a closure, or a shared callback.
pub(crate) trait Call<T>: Send + 'static {
    fn call(self, task: &Task<T>);
    fn type_name(&self) -> &'static str;
}

/// A callback with the place where it was added and room for its task, of which a scheduler knows nothing.
pub(crate) struct Registered<T, F> {
    task: Option<Task<T>>,
    call: F,
    added_at: &'static Location<'static>,
}

impl<T: Send + Sync + 'static, F: Call<T>> Registered<T, F> {
    #[inline]
    pub(crate) fn boxed(call: F, added_at: &'static Location<'static>) -> Callback<T> {
        Box::new(Registered { task: None, call, added_at })
    }
}

impl<T: Send + Sync + 'static, F: Call<T>> InLine<T> for Registered<T, F> {
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
}

/// Drops what may be the last handle, and the outcome with it, whose panic has nobody left to tell.
fn let_go<T>(task: Task<T>) {
    let _ = contain(|| drop(task));
}

/// A closure, to be called once.
pub(crate) struct Once<F>(pub(crate) F);

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

/// A callback that can be added many times, to many tasks, and removed by itself (D3).
///
/// Clones are the same callback. Made from any `Fn(&Task<T>)` that threads may share.
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
pub struct SharedCallback<T> {
    call: Arc<Shareable<T>>,
    type_name: &'static str,
    tag: u64,
}

type Shareable<T> = dyn Fn(&Task<T>) + Send + Sync;

impl<T> SharedCallback<T> {
    /// Makes a callback that is distinct from all others, also from one of the same closure.
    pub fn new<F, R>(f: F) -> Self
    where
        F: Fn(&Task<T>) -> R + Send + Sync + 'static,
        R: DoneReturn,
    {
        let call = Arc::new(move |task: &Task<T>| drop(f(task)));
        SharedCallback { call, type_name: type_name::<F>(), tag: fresh_serial() }
    }

    /// By which a task knows all its registrations.
    pub(crate) fn tag(&self) -> u64 {
        self.tag
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

/// What a done callback may return: anything that is finished, which is then dropped (R17).
///
/// There is no implementation for futures: a callback is called, not awaited (D6).
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
done_return!(super::kernel::CallbackId);
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

/// Names the return type of a function pointer: the one way to say `!`, what `|_| panic!()` returns.
#[doc(hidden)]
pub trait Returns {
    type Output;
}

impl<R> Returns for fn() -> R {
    type Output = R;
}
