//! The current loop of this thread, for code that runs inside it.

use super::super::task::Task;
use super::super::trampoline::Afresh;
use super::handle::Handle;
use super::timers::Sleep;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::mem::ManuallyDrop;
use std::time::Duration;

super::super::sync::thread_local! {
    static CURRENT: ManuallyDrop<RefCell<Option<Handle>>> = ManuallyDrop::new(RefCell::new(None));
}
super::super::sync::thread_local! {
    /// The run of the current loop ends with this turn.
    static STOPPED: Cell<bool> = Cell::new(false);
}

/// Makes a loop the current one of this thread, until the guard is dropped.
#[track_caller]
pub(super) fn enter(handle: &Handle) -> Inside {
    // Nothing is borrowed while this panics: a panic hook may ask for the loop, too.
    let is_free = CURRENT.with(|current| current.borrow().is_none());
    assert!(
        is_free,
        "an event loop is running on this thread already: spawn or await the future, or use another thread"
    );
    CURRENT.with(|current| current.replace(Some(handle.clone())));
    STOPPED.with(|stopped| stopped.set(false));
    Inside { _afresh: Afresh::new() }
}

pub(super) struct Inside {
    _afresh: Afresh,
}

impl Drop for Inside {
    fn drop(&mut self) {
        let left = CURRENT.with(|current| current.borrow_mut().take());
        drop(left);
    }
}

/// Ends the run of the current loop with this turn.
pub(super) fn stop() {
    STOPPED.with(|stopped| stopped.set(true));
}

pub(super) fn is_stopped() -> bool {
    STOPPED.with(Cell::get)
}

pub(super) fn is_inside(handle: &Handle) -> bool {
    CURRENT.with(|current| current.borrow().as_ref().is_some_and(|current| current.is_same(handle)))
}

#[track_caller]
fn current(wanted: &str, elsewhere: &str) -> Handle {
    // No closure panics: the panic blames the caller's line.
    let Some(handle) = try_handle() else {
        panic!(
            "no event loop is running on this thread: call whendone::{wanted} inside whendone::run, \
             or use the handle of a loop, EventLoop::handle(){elsewhere}"
        )
    };
    handle
}

/// Returns the handle of the loop that runs on this thread, as asyncio's `get_running_loop` does: for
/// tasks whose callbacks run on it, and for calls from other threads.
///
/// # Panics
///
/// Panics outside a running loop ([R48]); see [`try_handle`].
///
/// # Examples
///
/// ```
/// let sum = whendone::run(async {
///     let (completer, task) = whendone::task(whendone::handle());
///     std::thread::spawn(move || completer.complete(1 + 2));
///     (&task).await.value().copied()
/// });
/// assert_eq!(sum, Some(3));
/// ```
///
/// [R48]: crate::rules#r48
#[track_caller]
#[must_use]
pub fn handle() -> Handle {
    current("handle", "")
}

/// Returns the handle of the loop that runs on this thread, or `None` outside a running loop.
///
/// # Examples
///
/// ```
/// assert!(whendone::try_handle().is_none());
/// whendone::run(async { assert!(whendone::try_handle().is_some()) });
/// ```
#[must_use]
pub fn try_handle() -> Option<Handle> {
    CURRENT.with(|current| current.borrow().clone())
}

/// Spawns a future on the loop that runs on this thread; see [`Handle::spawn`].
///
/// # Panics
///
/// Panics outside a running loop ([R48]).
///
/// # Examples
///
/// ```
/// whendone::run(async {
///     let task = whendone::spawn(async { 3 });
///     task.add_done_callback(|task| println!("{task:?}")); // <Task finished name='Task-2' result=3>
///     (&task).await;
/// });
/// ```
///
/// [R48]: crate::rules#r48
#[track_caller]
pub fn spawn<F>(future: F) -> Task<F::Output>
where
    F: Future<Output: Send + Sync> + Send + 'static,
{
    current("spawn", ".spawn").start(None, Box::pin(future))
}

/// Spawns a future with a name on the loop that runs on this thread; see [`Handle::spawn_named`].
///
/// # Panics
///
/// Panics outside a running loop ([R48]).
///
/// [R48]: crate::rules#r48
#[track_caller]
pub fn spawn_named<F>(name: impl Into<String>, future: F) -> Task<F::Output>
where
    F: Future<Output: Send + Sync> + Send + 'static,
{
    current("spawn_named", ".spawn_named").start(Some(name.into()), Box::pin(future))
}

/// Sleeps on the loop that runs on this thread, without blocking it; see [`Handle::sleep`].
///
/// # Panics
///
/// Panics outside a running loop ([R48]).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// whendone::run(async { whendone::sleep(Duration::from_millis(1)).await });
/// ```
///
/// [R48]: crate::rules#r48
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    current("sleep", ".sleep").sleep(duration)
}
