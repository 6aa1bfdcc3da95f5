//! Logs, reports and wakers that the tests of the loop share.

#[path = "../support/panics.rs"]
mod panics;
#[path = "../support/touchy.rs"]
mod touchy;

use std::any::Any;
use std::cell::RefCell;
use std::fmt::Display;
use std::future::{Future, IntoFuture, poll_fn};
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use whendone::{EventLoop, Failure, Handle, Report, Task, spawn};

pub(crate) use panics::{blamed, while_unwinding, with_panic_hook};
pub(crate) use touchy::{Touch, touchy_waker};

/// The events, in order.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn note(&self, what: impl Display) {
        self.0.lock().unwrap().push(what.to_string());
    }

    /// Returns all words in one line.
    pub(crate) fn read(&self) -> String {
        self.0.lock().unwrap().join(" ")
    }

    pub(crate) fn call(&self, what: &'static str) -> impl FnOnce() + Send + 'static + use<> {
        let log = self.clone();
        move || log.note(what)
    }

    pub(crate) fn callback<T>(&self, what: &'static str) -> impl FnOnce(&Task<T>) + Send + 'static + use<T> {
        let call = self.call(what);
        move |_: &Task<T>| call()
    }

    pub(crate) fn on_drop(&self, what: &'static str) -> impl Send + Sync + 'static + use<> {
        let log = self.clone();
        on_drop(move || log.note(what))
    }

    pub(crate) fn queue(&self, handle: &Handle, what: &'static str) {
        handle.call_soon(self.call(what)).unwrap();
    }

    /// Spawns a task that awaits something and then notes a word.
    pub(crate) fn task<F>(&self, what: impl Display + Send + 'static, awaited: F) -> Task<()>
    where
        F: IntoFuture<IntoFuture: Send> + Send + 'static,
    {
        let log = self.clone();
        spawn(async move {
            drop(awaited.await);
            log.note(what);
        })
    }
}

/// Runs a main on a new loop and returns the words noted until its end, reports included.
pub(crate) fn noted<F>(main: impl FnOnce(Log, Handle) -> F) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let log = Log::default();
    let hook = log.clone();
    let mut event_loop = EventLoop::with_exception_hook(move |report| hook.note(format!("{:?}", report.failure)));
    event_loop.run_until_complete(main(log.clone(), event_loop.handle()));
    log.read()
}

/// Does the same, and notes the number of each turn at its beginning; main's first step is in turn 1.
pub(crate) fn noted_by_turn<F>(main: impl FnOnce(Log, Handle) -> F) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    fn number(turn: u32, log: Log, handle: Handle, over: Arc<AtomicBool>) {
        let next = handle.clone();
        let call = move || {
            if !over.load(Ordering::Relaxed) {
                log.note(format!("{turn}:"));
                number(turn + 1, log, next, over);
            }
        };
        handle.call_soon(call).unwrap();
    }
    noted(|log, handle| {
        let over = Arc::new(AtomicBool::new(false));
        number(1, log.clone(), handle.clone(), over.clone());
        let main = main(log, handle);
        async move {
            main.await;
            over.store(true, Ordering::Relaxed);
        }
    })
}

/// Lets this number of turns pass.
pub(crate) async fn turns(mut turns: u32) {
    poll_fn(|context| {
        if turns == 0 {
            return Poll::Ready(());
        }
        turns -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

/// A waker that remembers its wake-up, and calls a function if it has one.
#[derive(Default)]
pub(crate) struct Bell {
    rang: AtomicBool,
    call: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Bell {
    pub(crate) fn calling(call: impl Fn() + Send + Sync + 'static) -> Self {
        Bell { call: Some(Box::new(call)), ..Bell::default() }
    }

    pub(crate) fn rang(&self) -> bool {
        self.rang.load(Ordering::Relaxed)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rang.store(true, Ordering::Relaxed);
        self.call.iter().for_each(|call| call());
    }
}

/// Polls a future once.
pub(crate) fn is_pending(future: &mut (impl Future + Unpin), waker: &Waker) -> bool {
    Pin::new(future).poll(&mut Context::from_waker(waker)).is_pending()
}

/// The reports that a hook received.
#[derive(Clone, Default)]
pub(crate) struct Reports(Arc<Mutex<Vec<Report>>>);

impl Reports {
    pub(crate) fn take(&self) -> Vec<Report> {
        mem::take(&mut self.0.lock().unwrap())
    }
}

/// A loop whose hook keeps its reports.
pub(crate) fn watched() -> (EventLoop, Reports) {
    let reports = Reports::default();
    let told = reports.clone();
    (EventLoop::with_exception_hook(move |report| told.0.lock().unwrap().push(report.clone())), reports)
}

thread_local! {
    static HEARD: RefCell<Vec<Report>> = const { RefCell::new(Vec::new()) };
}

/// Calls a function and returns the reports that the process hook receives meanwhile on this thread. A loop made by
/// `run` uses that hook.
pub(crate) fn heard(meanwhile: impl FnOnce()) -> Vec<Report> {
    // Refused if another test has set the same hook.
    let _ = whendone::set_exception_hook(|report| HEARD.with_borrow_mut(|heard| heard.push(report.clone())));
    meanwhile();
    HEARD.take()
}

pub(crate) fn failures(reports: &[Report]) -> Vec<Failure> {
    reports.iter().map(|report| report.failure).collect()
}

pub(crate) fn message(payload: &(dyn Any + Send)) -> &str {
    payload.downcast_ref::<String>().expect("it panicked with a text")
}

/// A value that makes a call when it is dropped.
pub(crate) fn on_drop<F: FnOnce() + Send + Sync + 'static>(call: F) -> impl Send + Sync + 'static {
    struct OnDrop<F: FnOnce()>(Option<F>);
    impl<F: FnOnce()> Drop for OnDrop<F> {
        fn drop(&mut self) {
            self.0.take().into_iter().for_each(|call| call());
        }
    }
    OnDrop(Some(call))
}

/// A value that panics when it is dropped. As a future it is ready at once, or never.
pub(crate) struct Explosive(pub(crate) Option<u32>);

impl Future for Explosive {
    type Output = u32;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u32> {
        self.0.map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for Explosive {
    fn drop(&mut self) {
        panic!("of the drop");
    }
}
