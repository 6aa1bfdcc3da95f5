//! The end of a thread: destructors of thread-locals may run loops, spawn and sleep.

use super::support::{failures, is_pending, watched};
use std::cell::RefCell;
use std::panic::catch_unwind;
use std::sync::mpsc;
use std::task::Waker;
use std::thread;
use std::time::Duration;
use whendone::{Failure, handle, run, sleep, spawn, try_handle};

/// Calls a function in a destructor of a thread-local, registered before or after a loop ran on that thread, and
/// returns its answer.
fn as_a_thread_ends<R: Send + 'static>(registers_first: bool, last: fn() -> R) -> R {
    struct Last(RefCell<Option<Box<dyn FnOnce()>>>);
    impl Drop for Last {
        fn drop(&mut self) {
            self.0.take().into_iter().for_each(|call| call());
        }
    }
    thread_local!(static LAST: Last = const { Last(RefCell::new(None)) });
    let (sender, answer) = mpsc::channel();
    let ending = thread::spawn(move || {
        let register = || LAST.with(|kept| kept.0.replace(Some(Box::new(move || sender.send(last()).unwrap()))));
        let use_a_loop = || run(async { sleep(Duration::from_millis(1)).await });
        if registers_first {
            register();
            use_a_loop();
        } else {
            use_a_loop();
            register();
        }
    });
    ending.join().unwrap();
    answer.try_recv().unwrap()
}

/// D29
#[test]
fn a_loop_runs_spawns_sleeps_and_is_woken_as_its_thread_ends() {
    async fn main() -> Option<u32> {
        let spawned = spawn(async { 1 });
        sleep(Duration::from_millis(1)).await;
        let (completer, task) = whendone::task(handle());
        thread::spawn(move || completer.complete(2));
        Some((&spawned).await.value()? + (&task).await.value()?)
    }
    for registers_first in [true, false] {
        assert_eq!(as_a_thread_ends(registers_first, || run(main())), Some(3));
    }
}

/// D29
#[test]
fn a_loop_that_does_not_run_takes_tasks_and_sleeps_as_a_thread_ends() {
    fn last() -> (String, bool, usize, Vec<Failure>) {
        let (event_loop, reports) = watched();
        let task = event_loop.handle().spawn(async { 3 });
        let mut nap = event_loop.handle().sleep(Duration::ZERO);
        let answers = (format!("{task:?}"), is_pending(&mut nap, Waker::noop()), event_loop.close());
        (answers.0, answers.1, answers.2, failures(&reports.take()))
    }
    for registers_first in [true, false] {
        let answer = as_a_thread_ends(registers_first, last);
        let expected = ("<Task pending name='Task-1'>".to_owned(), true, 0, vec![Failure::TaskAbandoned]);
        assert_eq!(answer, expected);
    }
}

/// R48, D29
#[test]
fn outside_a_loop_the_panics_are_the_same_as_a_thread_ends() {
    fn last() -> String {
        assert!(try_handle().is_none());
        let panicked = catch_unwind(|| drop(spawn(async {})));
        *panicked.unwrap_err().downcast().unwrap()
    }
    for registers_first in [true, false] {
        assert!(as_a_thread_ends(registers_first, last).starts_with("no event loop is running on this thread"));
    }
}
