//! Schedulers, wakers and logs that the tests of a task share.

use futures::FutureExt;
use std::cell::RefCell;
use std::future::{Future, IntoFuture};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, resume_unwind, set_hook, take_hook};
use std::ptr;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, Once, mpsc};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::thread;
use whendone::{Failure, Ready, Report, Schedule, SharedCallback, Task};

/// The events, in order.
#[derive(Clone, Default)]
pub(crate) struct Log(pub(crate) Arc<Mutex<Vec<&'static str>>>);

impl Log {
    pub(crate) fn note(&self, word: &'static str) {
        self.0.lock().unwrap().push(word);
    }

    /// A callback that notes a word.
    pub(crate) fn says<T>(&self, word: &'static str) -> impl Fn(&Task<T>) + Send + Sync + use<T> {
        let log = self.clone();
        move |_| log.note(word)
    }

    /// A waker that notes a word.
    pub(crate) fn waker(&self, word: &'static str) -> Waker {
        struct Noting(Log, &'static str);
        impl Wake for Noting {
            fn wake(self: Arc<Self>) {
                self.0.note(self.1);
            }
        }
        Arc::new(Noting(self.clone(), word)).into()
    }

    pub(crate) fn words(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }
}

/// A scheduler that keeps callbacks until the test runs them.
pub(crate) fn queue() -> (impl Schedule + Clone, Receiver<Ready>) {
    let (sender, queue) = mpsc::channel();
    (move |ready| sender.send(ready).map_err(|refused| refused.0), queue)
}

pub(crate) fn run_all(queue: &Receiver<Ready>) {
    queue.try_iter().for_each(Ready::run);
}

pub(crate) fn refusing(ready: Ready) -> Result<(), Ready> {
    Err(ready)
}

/// A scheduler with a hook that keeps its reports.
pub(crate) struct Watched<S>(S, Sender<Report>);

impl<S: Schedule> Schedule for Watched<S> {
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        self.0.schedule(ready)
    }

    fn report(&self, report: &Report) {
        let _ = self.1.send(report.clone());
    }
}

pub(crate) fn watched<S: Schedule>(scheduler: S) -> (Watched<S>, Receiver<Report>) {
    let (sender, reports) = mpsc::channel();
    (Watched(scheduler, sender), reports)
}

pub(crate) fn failures(reports: &Receiver<Report>) -> Vec<Failure> {
    reports.try_iter().map(|report| report.failure).collect()
}

/// A value that makes a call when it is dropped.
pub(crate) struct OnDrop<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Calls a function in a destructor, while this thread unwinds. A panic of the function goes to the caller.
pub(crate) fn while_unwinding<R>(call: impl FnOnce() -> R) -> R {
    let (mut call, mut answer) = (Some(call), None);
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _last = OnDrop(|| {
            assert!(thread::panicking());
            answer = call.take().map(|call| catch_unwind(AssertUnwindSafe(call)));
        });
        // As a panic, without a message.
        resume_unwind(Box::new("unwinds"));
    }));
    assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"unwinds"));
    answer.expect("it was called").unwrap_or_else(|panic| resume_unwind(panic))
}

/// Calls a function with a panic hook of this thread alone: the process has one hook, and tests run side by side.
fn with_panic_hook<R>(hook: impl Fn(&PanicHookInfo<'_>) + 'static, call: impl FnOnce() -> R) -> R {
    type Hook = Rc<dyn Fn(&PanicHookInfo<'_>)>;
    thread_local!(static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) });
    static SET: Once = Once::new();
    SET.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |info| {
            let hook = HOOK.try_with(|hook| hook.borrow().clone()).ok().flatten();
            hook.map_or_else(|| others(info), |hook| hook(info));
        }));
    });
    HOOK.set(Some(Rc::new(hook)));
    let answer = call();
    HOOK.set(None);
    answer
}

/// The file and line that a call blames for its panic.
pub(crate) fn blamed<R>(call: impl FnOnce() -> R) -> (String, u32) {
    let place = Rc::new(RefCell::new(None));
    let told = place.clone();
    let hook = move |info: &PanicHookInfo<'_>| {
        let place = info.location().expect("it has one");
        *told.borrow_mut() = Some((place.file().to_owned(), place.line()));
    };
    let panicked = with_panic_hook(hook, || catch_unwind(AssertUnwindSafe(call)).is_err());
    assert!(panicked);
    place.take().expect("the hook was told")
}

/// Performs every operation on a task; the last one completes it. Hangs if a lock is held.
pub(crate) fn use_all(task: &Task<u32>) {
    let shared = SharedCallback::new(|_: &Task<u32>| ());
    task.add_shared(&shared);
    let id = task.add_done_callback(|_| ());
    let done = task.is_done();
    assert_eq!((task.remove_done_callback(id), task.remove_shared(&shared)), (!done, usize::from(!done)));
    assert_eq!(poll(&mut task.into_future(), Waker::noop()).is_ready(), done);
    assert_eq!((task.cancel(), task.is_done()), (!done, true));
    assert!(format!("{task:?}{:?}{:?}", task.name(), task.outcome()).starts_with("<Task "));
}

pub(crate) fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    future.poll_unpin(&mut Context::from_waker(waker))
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Touch {
    Clone,
    Wake,
    Drop,
}

/// A waker that reports each operation on it to this thread. A thread has one such waker at a time.
pub(crate) fn touchy_waker(touched: impl Fn(Touch) + 'static) -> Waker {
    type Touched = Rc<dyn Fn(Touch)>;
    thread_local!(static TOUCHED: RefCell<Option<Touched>> = const { RefCell::new(None) });
    fn touch(touch: Touch) {
        let touched = TOUCHED.with_borrow(Clone::clone).unwrap();
        touched(touch);
    }
    fn touch_clone(_: *const ()) -> RawWaker {
        touch(Touch::Clone);
        RAW
    }
    // A static has one address: clones wake the same, and say so.
    static VTABLE: RawWakerVTable =
        RawWakerVTable::new(touch_clone, |_| touch(Touch::Wake), |_| touch(Touch::Wake), |_| touch(Touch::Drop));
    const RAW: RawWaker = RawWaker::new(ptr::null(), &VTABLE);
    TOUCHED.set(Some(Rc::new(touched)));
    // SAFETY: the functions of the table do not use the pointer.
    unsafe { Waker::from_raw(RAW) }
}
