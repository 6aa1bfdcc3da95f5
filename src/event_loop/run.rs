//! The run of a loop: turn after turn, until its main task is done.

use super::super::hook;
use super::super::outcome::Outcome;
use super::super::panic::{Panic, contain};
use super::super::report::{Failure, Report};
use super::super::schedule::tell;
use super::super::sync::Mutex;
use super::super::sync::channel::{self, Receiver};
use super::super::trampoline::Afresh;
use super::current;
use super::entry::Entry;
use super::handle::Handle;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::fmt;
use std::future::Future;
use std::mem;
use std::panic::resume_unwind;
use std::task::Waker;

/// Runs a future to its end on a new event loop, as `asyncio.run` does, and returns its value.
///
/// Once the future is done, and the callbacks that were queued by then have run ([R87]), the tasks that
/// are left are cancelled, oldest first, and run to their end ([R92]). Their callbacks get one more turn,
/// and the loop is closed. Each callback that can no longer run is reported ([R91], [D12]).
///
/// The future is a task of the loop, `Task-1`. It must be `Send`, for the reasons in
/// [`Handle::spawn`].
///
/// # Panics
///
/// Panics with the payload of the future, if the future panics, after the tasks that are left have
/// ended ([R77]). Panics if a loop runs on this thread already.
///
/// # Examples
///
/// ```
/// let value = whendone::run(async { whendone::spawn(async { 3 }).await });
/// assert_eq!(value.into_value(), Some(3));
/// ```
///
/// [R77]: crate::rules#r77
/// [R87]: crate::rules#r87
/// [R91]: crate::rules#r91
/// [R92]: crate::rules#r92
/// [D12]: crate::rules#d12
#[track_caller]
pub fn run<F>(main: F) -> F::Output
where
    F: Future<Output: Send> + Send + 'static,
{
    EventLoop::new().run_boxed(Box::pin(main))
}

/// An event loop. It runs on the thread that calls [`run_until_complete`](Self::run_until_complete);
/// between runs, queued entries wait.
///
/// Dropping it closes it: tasks that are not done are abandoned, callbacks that have not run are
/// dropped, and each is reported ([P16], [D4]).
///
/// [D4]: crate::rules#d4
/// [P16]: crate::rules#p16
pub struct EventLoop {
    handle: Handle,
    ready: Receiver<Entry>,
}

impl EventLoop {
    /// Makes a loop whose failures are reported to the exception hook of the process.
    pub fn new() -> Self {
        Self::with_exception_hook(hook::report)
    }

    /// Makes a loop with an exception hook of its own ([D5]); see
    /// [`set_exception_hook`](crate::set_exception_hook) for the duties of a hook.
    ///
    /// # Examples
    ///
    /// ```
    /// use whendone::{EventLoop, Failure};
    ///
    /// let mut event_loop = EventLoop::with_exception_hook(|report| {
    ///     assert_eq!(report.failure, Failure::CallbackPanicked);
    /// });
    /// event_loop.handle().call_soon(|| panic!("contained"))?;
    /// event_loop.run_until_complete(async {});
    /// # Ok::<(), whendone::Closed>(())
    /// ```
    ///
    /// [D5]: crate::rules#d5
    pub fn with_exception_hook(hook: impl Fn(&Report) + Send + Sync + 'static) -> Self {
        let (sender, ready) = channel::unbounded();
        EventLoop { handle: Handle::new(sender, Box::new(hook)), ready }
    }

    /// Returns a handle of this loop, for any thread.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Runs the loop on this thread until the future is done, and returns its value. Callbacks that its
    /// completion queued have run by then; entries that those queued have not ([R87]). Tasks that are not
    /// done stay, and go on in the next run.
    ///
    /// # Panics
    ///
    /// Panics with the payload of the future, if the future panics ([R77]). Panics if a loop runs on this
    /// thread already.
    ///
    /// [R77]: crate::rules#r77
    /// [R87]: crate::rules#r87
    #[track_caller]
    pub fn run_until_complete<F>(&mut self, main: F) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.drive(Box::pin(main)).unwrap_or_else(|panic| rethrow(&panic))
    }

    /// Runs a future to its end, as [`whendone::run`](run) does, on this loop: then the tasks that are left
    /// are cancelled and run to their end, and the loop is closed ([`finish`](Self::finish)).
    ///
    /// # Panics
    ///
    /// As [`whendone::run`](run).
    ///
    /// # Examples
    ///
    /// `run` with an exception hook of its own:
    ///
    /// ```
    /// let event_loop = whendone::EventLoop::with_exception_hook(|report| eprintln!("{report}"));
    /// assert_eq!(event_loop.run(async { 3 }), 3);
    /// ```
    #[track_caller]
    pub fn run<F>(self, main: F) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.run_boxed(Box::pin(main))
    }

    #[track_caller]
    fn run_boxed<T: Send + 'static>(mut self, main: BoxFuture<'static, T>) -> T {
        let ended = self.drive(main);
        self.finish();
        ended.unwrap_or_else(|panic| rethrow(&panic))
    }

    /// Ends the loop gracefully: cancels the tasks that are left, oldest first, runs them to their end
    /// ([R92]), gives their callbacks one more turn, and closes the loop. Returns what [`close`](Self::close)
    /// returns: the number of queued callbacks and functions that will never run ([R91], [D12]).
    ///
    /// # Panics
    ///
    /// Panics if a loop runs on this thread already. Panics of tasks and callbacks are contained and reported.
    ///
    /// # Re-entrancy
    ///
    /// As [`close`](Self::close). Tasks that are spawned meanwhile are not waited for: if they are
    /// not done at the end, they are abandoned and reported ([P16]).
    ///
    /// # Examples
    ///
    /// ```
    /// let mut event_loop = whendone::EventLoop::new();
    /// let server = event_loop.handle().spawn(std::future::pending::<()>());
    /// event_loop.run_until_complete(async {});
    /// assert!(!server.is_done());
    /// assert_eq!(event_loop.finish(), 0);
    /// assert!(server.is_cancelled());
    /// ```
    ///
    /// [R91]: crate::rules#r91
    /// [R92]: crate::rules#r92
    /// [D12]: crate::rules#d12
    /// [P16]: crate::rules#p16
    #[track_caller]
    #[allow(clippy::must_use_candidate, reason = "it does something")]
    pub fn finish(mut self) -> usize {
        self.finish_leftovers();
        self.close()
    }

    /// Closes the loop and returns the number of queued callbacks and functions that will never run.
    /// Each of them is reported to the hook ([R89], [D12]). Tasks that are not done are abandoned and
    /// reported, or cancelled if that was requested, and their callbacks are counted, too ([P16]). Sleeps that others wait for end ([D26]). Callbacks
    /// that are scheduled later, for example by the drop of another, are refused: they are reported but not
    /// counted.
    ///
    /// # Panics
    ///
    /// Panics in the drops of futures, callbacks and functions, and of wakers, are contained and reported.
    ///
    /// # Re-entrancy
    ///
    /// Futures, callbacks and functions are dropped, and sleepers woken, with no lock held, and may call
    /// everything ([D1]).
    ///
    /// [R89]: crate::rules#r89
    /// [D1]: crate::rules#d1
    /// [D12]: crate::rules#d12
    /// [D26]: crate::rules#d26
    /// [P16]: crate::rules#p16
    #[allow(clippy::must_use_candidate, reason = "it does something")]
    pub fn close(mut self) -> usize {
        self.abandon()
    }

    #[track_caller]
    fn drive<T: Send + 'static>(&mut self, main: BoxFuture<'static, T>) -> Result<T, Panic> {
        let _inside = current::enter(&self.handle);
        // Boxed before it is wrapped, so that a large future is moved once.
        let task = self.handle.start(None, Box::pin(main.map(keep)));
        // Added before main's first step, so that no other callback of main precedes it (D12).
        task.add_done_callback(|_| current::stop());
        while !current::is_stopped() {
            let woken = self.sleep();
            self.turn(woken);
        }
        match task.outcome() {
            Some(Outcome::Finished(value)) => Ok(value.lock().take().expect("taken once")),
            Some(Outcome::Panicked(panic)) => Err(panic.clone()),
            _ => panic!("the future that the loop ran for has no value: {}", task.describe()),
        }
    }

    /// Cancels the tasks that are left and runs until they are done, and then one more turn for
    /// their callbacks.
    #[track_caller]
    fn finish_leftovers(&mut self) {
        let _inside = current::enter(&self.handle);
        let leftovers = self.handle.shared().tasks.lock().steppers();
        for leftover in &leftovers {
            leftover.clone().request_cancel();
        }
        while !leftovers.iter().all(|leftover| leftover.is_done()) {
            self.turn(None);
        }
        self.turn(None);
    }

    /// Waits until there is an entry, or a timer is due.
    fn sleep(&self) -> Option<Entry> {
        let deadline = self.handle.shared().timers.lock().fall_asleep();
        match deadline {
            None => self.ready.recv().ok(),
            Some(deadline) => self.ready.recv_deadline(deadline).ok(),
        }
    }

    /// Runs one turn: the entries that are queued now, and behind them the timers that are due (R32).
    fn turn(&mut self, woken: Option<Entry>) {
        let due = self.handle.shared().timers.lock().due();
        if let Some(due) = due {
            self.wake(due);
        }
        let batch = self.ready.len();
        for entry in woken.into_iter().chain(self.ready.try_iter().take(batch)) {
            match entry {
                Entry::Ready(ready) => ready.run(),
                Entry::Step(stepper) => stepper.step(),
                Entry::Nudge => {}
            }
        }
    }

    fn wake(&self, sleepers: impl Iterator<Item = Waker>) {
        for waker in sleepers {
            if let Err(panic) = contain(|| waker.wake()) {
                tell(&self.handle, &Report::new(Failure::WakerPanicked).panic(panic));
            }
        }
    }

    /// Ends all tasks and sleeps, and drops all entries; a second call finds none. An entry that another thread
    /// pushes meanwhile is refused or dropped with the channel, and reports itself (D4).
    fn abandon(&mut self) -> usize {
        let _afresh = Afresh::new();
        let tasks = self.handle.shared().tasks.lock().close();
        tasks.for_each(|task| task.abandon());
        let sleepers = self.handle.shared().timers.lock().close();
        self.wake(sleepers);
        let ready = mem::replace(&mut self.ready, channel::never());
        let queued: Vec<Entry> = ready.try_iter().take(ready.len()).collect();
        // ORDER: the queue is closed before the drops below, whose pushes would otherwise be lost uncounted (P16).
        drop(ready);
        let unrun = queued.into_iter().map(Entry::lose).sum();
        if unrun > 0 {
            tell(&self.handle, &Report::new(Failure::LoopClosed(unrun)));
        }
        unrun
    }
}

impl Default for EventLoop {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        self.abandon();
    }
}

impl fmt::Debug for EventLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tasks = self.handle.shared().tasks.lock().len();
        let plural = if tasks == 1 { "" } else { "s" };
        write!(f, "<EventLoop with {tasks} task{plural}>")
    }
}

/// The value of main until the run returns it: that of a task can be shared, and main's need not.
type Kept<T> = Mutex<Option<T>>;

fn keep<T>(value: T) -> Kept<T> {
    Mutex::new(Some(value))
}

/// Resumes a panic of the caller's future in the caller.
fn rethrow(panic: &Panic) -> ! {
    resume_unwind(panic.take_payload().unwrap_or_else(|| Box::new(panic.message().to_owned())))
}
