//! The end of a thread: destructors of thread-locals may use tasks as any other code may.

use super::support::Log;
use std::cell::RefCell;
use std::sync::{OnceLock, mpsc};
use std::{fmt, mem, thread};
use whendone::{Completer, Inline, Outcome, Task};

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
