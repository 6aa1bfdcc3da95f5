//! The end of a thread: destructors of thread-locals may use tasks as any other code may.

use super::support::{Log, failures, poll, run_all, watched};
use std::any::Any;
use std::cell::RefCell;
use std::future::IntoFuture;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Wake, Waker};
use std::{fmt, mem, thread};
use whendone::{Completer, Failure, Inline, Outcome, Ready, Schedule, Task};

/// Calls a function on a thread with a small stack, once in a destructor that is registered before the thread uses
/// thread-locals of others, and once in a destructor that is registered after that. In every order of destructors one
/// of the two is the last.
fn as_a_thread_ends(registers_first: bool, last: impl FnOnce() + Send + 'static) {
    struct Last(RefCell<Option<Box<dyn FnOnce()>>>);
    impl Drop for Last {
        fn drop(&mut self) {
            self.0.take().into_iter().for_each(|call| call());
        }
    }
    thread_local!(static LAST: Last = const { Last(RefCell::new(None)) });
    let ending = move || {
        let register = || LAST.with(|kept| kept.0.replace(Some(Box::new(last))));
        if registers_first {
            register();
            use_tasks();
        } else {
            use_tasks();
            register();
        }
    };
    thread::Builder::new().stack_size(2 << 20).spawn(ending).unwrap().join().unwrap();
}

/// Completes a task inside a callback and prints one, so that this thread has deferred a drain and printed before.
fn use_tasks() {
    let ((first, task), (second, nested)) = (whendone::task(Inline), whendone::task(Inline));
    nested.add_done_callback(|_| ());
    task.add_done_callback(move |_| second.complete(()));
    first.complete(()).unwrap();
    assert_eq!(format!("{nested:?}"), "<Task finished result=()>");
}

/// Makes a chain of tasks: the callback of each abandons the next task, and the last callback calls `end`.
fn chain(links: usize, end: impl FnOnce(&Task<()>) + Send + 'static) -> Completer<()> {
    let (mut first, last) = whendone::task(Inline);
    last.add_done_callback(end);
    for _ in 0..links {
        let (completer, task) = whendone::task(Inline);
        let next = mem::replace(&mut first, completer);
        task.add_done_callback(move |_| drop(next));
    }
    first
}

/// R36, D11, D29
#[test]
fn a_chain_of_100_000_tasks_abandoned_as_a_thread_ends_needs_no_stack() {
    for registers_first in [true, false] {
        let (sender, ended) = mpsc::channel();
        let first = chain(100_000, move |task| sender.send(task.outcome().cloned()).unwrap());
        as_a_thread_ends(registers_first, move || drop(first));
        assert_eq!(ended.try_recv(), Ok(Some(Outcome::Abandoned)));
    }
}

/// D11, D29, P8
#[test]
fn callbacks_do_not_nest_as_a_thread_ends() {
    for registers_first in [true, false] {
        let log = Log::default();
        let ((first, task), (second, nested)) = (whendone::task::<()>(Inline), whendone::task::<()>(Inline));
        nested.add_done_callback(log.says("of the second task"));
        let (begins, ends) = (log.says("begins"), log.says("ends"));
        task.add_done_callback(move |task| {
            begins(task);
            drop(second);
            ends(task);
        });
        as_a_thread_ends(registers_first, move || drop(first));
        assert_eq!(log.words(), ["begins", "ends", "of the second task"]);
        assert_eq!(nested.outcome(), Some(&Outcome::Abandoned));
    }
}

/// R103, D29
#[test]
fn a_task_that_holds_itself_is_printed_as_its_thread_ends() {
    struct Holder(OnceLock<Task<Holder>>);
    impl fmt::Debug for Holder {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt(f)
        }
    }
    for registers_first in [true, false] {
        let (sender, printed) = mpsc::channel();
        let (completer, task) = whendone::task(Inline);
        completer.complete(Holder(OnceLock::new())).unwrap();
        let Some(Outcome::Finished(holder)) = task.outcome() else { unreachable!("it is finished") };
        assert!(holder.0.set(task.clone()).is_ok());
        let print = move || sender.send(format!("{task:?}")).unwrap();
        print();
        as_a_thread_ends(registers_first, print);
        let twice: Vec<String> = printed.try_iter().collect();
        assert!(twice[0] == twice[1] && twice[0].contains("<Task ...>"), "{twice:?}");
    }
}

/// A scheduler that only queues, and notes it.
struct Queueing(Log, Sender<Ready>);

impl Schedule for Queueing {
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        self.0.note("queued");
        self.1.send(ready).map_err(|refused| refused.0)
    }

    fn only_queues(&self) -> bool {
        true
    }
}

fn queueing(log: &Log) -> (Queueing, Receiver<Ready>) {
    let (sender, queue) = mpsc::channel();
    (Queueing(log.clone(), sender), queue)
}

/// A waker that makes a call.
struct Calls<F>(Mutex<Option<F>>);

impl<F: FnOnce() + Send + 'static> Wake for Calls<F> {
    fn wake(self: Arc<Self>) {
        let call = self.0.lock().unwrap().take();
        call.into_iter().for_each(|call| call());
    }
}

fn calls(call: impl FnOnce() + Send + 'static) -> Waker {
    Arc::new(Calls(Mutex::new(Some(call)))).into()
}

/// A task with a callback that says `ran` and an await that says `woken`.
fn awaited(log: &Log, scheduler: impl Schedule) -> (Completer<()>, Box<dyn Send>) {
    let (completer, task) = whendone::task::<()>(scheduler);
    task.add_done_callback(log.says("ran"));
    let mut wait = task.into_future();
    assert!(poll(&mut wait, &log.waker("woken")).is_pending());
    (completer, Box::new(wait))
}

/// Code of a caller, which completes another task.
type Inside = Box<dyn FnOnce() + Send>;

/// Ends a thread that completes a task, amid whose hand-over another one is completed: by its callback, or by its waker.
/// The words are those for another task that calls at once, and for one that only queues.
fn drains_within(task: impl Fn(&Log, Inside) -> (Completer<()>, Box<dyn Any>), expected: [&[&str]; 2]) {
    for (registers_first, queues) in [(true, false), (true, true), (false, false), (false, true)] {
        let log = Log::default();
        let (scheduler, queue) = queueing(&log);
        let (second, _wait) = if queues { awaited(&log, scheduler) } else { awaited(&log, Inline) };
        let noting = log.clone();
        let inside = move || {
            noting.note("begins");
            drop(second);
            noting.note("ends");
        };
        let (first, _held) = task(&log, Box::new(inside));
        as_a_thread_ends(registers_first, move || drop(first));
        run_all(&queue);
        assert_eq!(log.words(), expected[usize::from(queues)]);
    }
}

/// P5, P17, D11, D25, D29
#[test]
fn a_drain_within_a_callback_is_performed_as_a_thread_ends() {
    let task = |_: &Log, inside: Inside| {
        let (completer, task) = whendone::task::<()>(Inline);
        task.add_done_callback(move |_| inside());
        (completer, Box::new(()) as Box<dyn Any>)
    };
    drains_within(task, [&["begins", "ends", "ran", "woken"], &["begins", "queued", "woken", "ends", "ran"]]);
}

/// P5, P17, D25, D29
#[test]
fn a_drain_within_a_waker_is_performed_as_a_thread_ends() {
    let task = |log: &Log, inside: Inside| {
        let (scheduler, queue) = queueing(log);
        let (completer, task) = whendone::task::<()>(scheduler);
        let mut wait = task.into_future();
        assert!(poll(&mut wait, &calls(inside)).is_pending());
        (completer, Box::new((wait, queue)) as Box<dyn Any>)
    };
    drains_within(task, [&["begins", "ends", "ran", "woken"], &["begins", "ends", "queued", "woken", "ran"]]);
}

/// P5, P14, D29
#[test]
fn a_drain_put_off_by_a_callback_that_panics_is_performed_as_a_thread_ends() {
    for registers_first in [true, false] {
        let (log, (scheduler, reports)) = (Log::default(), watched(Inline));
        let (second, _wait) = awaited(&log, Inline);
        let (first, task) = whendone::task::<()>(scheduler);
        task.add_done_callback(move |_| -> () {
            drop(second);
            panic!("as the thread ends");
        });
        task.add_done_callback(log.says("behind"));
        as_a_thread_ends(registers_first, move || drop(first));
        assert_eq!(
            (log.words(), failures(&reports)),
            (vec!["behind", "ran", "woken"], vec![Failure::CallbackPanicked])
        );
    }
}

/// P5, P9, D29: each kind of completion, and a late add, inside a drain of the ending thread.
#[test]
fn whatever_completes_or_adds_within_a_drain_is_handed_over_as_a_thread_ends() {
    type Does = fn(Completer<()>, &Task<()>, &Log);
    let kinds: [(Does, &[&str]); 4] = [
        (|completer, _, _| completer.complete(()).unwrap(), &["ends", "ran"]),
        (|completer, _, _| assert!(completer.cancel()), &["ends", "ran"]),
        (|_completer, task, _| assert!(task.cancel()), &["ends", "ran"]),
        (
            |completer, task, log| {
                drop(completer);
                task.add_done_callback(log.says("late"));
            },
            &["ends", "ran", "late"],
        ),
    ];
    for (registers_first, (does, expected)) in
        [true, false].into_iter().flat_map(|first| kinds.map(|kind| (first, kind)))
    {
        let log = Log::default();
        let ((first, task), (second, nested)) = (whendone::task::<()>(Inline), whendone::task(Inline));
        nested.add_done_callback(log.says("ran"));
        let removed = nested.add_done_callback(log.says("removed"));
        let noting = log.clone();
        task.add_done_callback(move |_| {
            assert!(nested.remove_done_callback(removed));
            does(second, &nested, &noting);
            noting.note("ends");
        });
        as_a_thread_ends(registers_first, move || drop(first));
        assert_eq!(log.words(), expected);
    }
}
