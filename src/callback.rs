//! Where a callback is born and wrapped: boxed, with its place of birth and room for its task.

use super::id::TaskId;
use super::kernel::{CallbackId, UNTAGGED};
use super::panic::contain;
use super::report::{Failure, Origin};
use super::schedule::{Ready, Source, Work};
use super::sync::{Arc, fresh_serial};
use super::task::Task;
use super::waiter::{Blamed, Call, Waiter};
use std::any::type_name;
use std::fmt;
use std::iter;
use std::marker::PhantomData;
use std::num::NonZeroU64;
use std::panic::Location;

impl<T: Send + Sync + 'static> Task<T> {
    /// Adds a callback that runs once when the task is done, after all callbacks added before it ([R12]).
    ///
    /// The task's scheduler decides on which thread it runs, and it is passed the task ([R17]). If the
    /// task is done already, the callback is scheduled at once, behind the callbacks that have not run
    /// yet ([R33], [P11]). This method never calls the callback itself, unless the scheduler runs
    /// it at once, as [`Inline`](crate::Inline) does ([R15], [D11]). The id that is returned removes this registration ([D3]).
    ///
    /// Costs one allocation for the callback, and amortised constant time in the line. The captures are moved
    /// several times: box large ones.
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
        self.add(UNTAGGED, Once(callback))
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

    #[inline]
    #[track_caller]
    fn add<F: Function<T>>(&self, tag: NonZeroU64, call: F) -> CallbackId {
        let (added_at, mut call) = (Location::caller(), Some(call));
        let call_now = || call.take().into_iter().for_each(|call| self.call_one(call, added_at));
        if let Some(id) = self.admit_late(call_now) {
            return id;
        }
        let call = call.expect("it was not called");
        self.admit(tag, Waiter::Callback(Box::new(Registered { call, task: PhantomData }), added_at))
    }

    #[inline(always)]
    fn call_one(&self, call: impl Function<T>, added_at: &'static Location<'static>) {
        let callback = call.type_name();
        if let Err(panic) = contain(|| call.call(self)) {
            self.tell_of(Failure::CallbackPanicked, Origin { callback, added_at }, panic);
        }
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
        removed.into_iter().map(|callback| self.discard(callback)).count()
    }
}

/// The function of a callback: a closure, or a shared callback.
trait Function<T>: Send + 'static {
    fn call(self, task: &Task<T>);
    fn type_name(&self) -> &'static str;
}

/// A function in the line of a task of this type, which is found again by a cast when a scheduler runs it.
struct Registered<T, F> {
    call: F,
    task: PhantomData<fn(&Task<T>)>,
}

impl<T: Send + Sync + 'static, F: Function<T>> Call<Task<T>> for Registered<T, F> {
    fn call(self: Box<Self>, task: &Task<T>, blamed: &Blamed) {
        blamed.watch(self.call.type_name(), || self.call.call(task));
    }

    fn discard(self: Box<Self>, task: &Task<T>, added_at: &'static Location<'static>) {
        let callback = self.call.type_name();
        if let Err(panic) = contain(|| drop(self)) {
            task.tell_of(Failure::DropPanicked, Origin { callback, added_at }, panic);
        }
    }

    fn hand_over(self: Box<Self>, task: &Task<T>, added_at: &'static Location<'static>) {
        task.schedule(Ready::new(self, Source { task: Some(task.clone().erase()), added_at }));
    }

    fn hand_over_with(
        self: Box<Self>,
        task: &Task<T>,
        added_at: &'static Location<'static>,
        others: Vec<Waiter<Task<T>>>,
    ) {
        if others.is_empty() {
            return self.hand_over(task, added_at);
        }
        let together = Together { first: self, others };
        task.schedule(Ready::new(Box::new(together), Source { task: Some(task.clone().erase()), added_at }));
    }
}

impl<T: Send + Sync + 'static, F: Function<T>> Work for Registered<T, F> {
    fn run(self: Box<Self>, source: Source) {
        let Some(task) = source.task.map(Task::<T>::restore) else { return };
        task.call_one(self.call, source.added_at);
        let_go(task);
    }

    fn lose(self: Box<Self>, source: Source) -> usize {
        let Some(task) = source.task.map(Task::<T>::restore) else { return 0 };
        task.lose(Waiter::Callback(self, source.added_at));
        let_go(task);
        1
    }

    fn type_name(&self) -> &'static str {
        self.call.type_name()
    }

    fn task_id(&self, source: &Source) -> Option<TaskId> {
        source.task.clone().map(|task| Task::<T>::restore(task).id())
    }
}

/// Callbacks of one task that its scheduler takes as one entry.
struct Together<T> {
    first: Box<dyn Call<Task<T>>>,
    others: Vec<Waiter<Task<T>>>,
}

impl<T> Together<T> {
    fn in_order(self, added_at: &'static Location<'static>) -> impl Iterator<Item = Waiter<Task<T>>> {
        iter::once(Waiter::Callback(self.first, added_at)).chain(self.others)
    }
}

impl<T: Send + Sync + 'static> Work for Together<T> {
    fn run(self: Box<Self>, source: Source) {
        let Some(task) = source.task.map(Task::<T>::restore) else { return };
        task.call_all(&mut self.in_order(source.added_at));
        let_go(task);
    }

    fn lose(self: Box<Self>, source: Source) -> usize {
        let Some(task) = source.task.map(Task::<T>::restore) else { return 0 };
        let lost = self.in_order(source.added_at).map(|callback| task.lose(callback)).count();
        let_go(task);
        lost
    }

    fn type_name(&self) -> &'static str {
        self.first.type_name()
    }

    fn task_id(&self, source: &Source) -> Option<TaskId> {
        self.first.task_id(source)
    }
}

/// Drops a handle that may be the last one. If dropping the outcome panics, nobody is left to report to.
fn let_go<T>(task: Task<T>) {
    let _ = contain(|| drop(task));
}

/// A closure that is called once.
struct Once<F>(F);

impl<T, F, R> Function<T> for Once<F>
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
    tag: NonZeroU64,
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
        let tag = NonZeroU64::new(fresh_serial()).expect("serials begin at one");
        SharedCallback { call, type_name: type_name::<F>(), tag }
    }
}

impl<T: 'static> Function<T> for SharedCallback<T> {
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
