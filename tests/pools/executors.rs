//! Panics and cancels carried across executors: tokio, smol, rayon and plain threads, each under `Serial`.
//!
//! Read it as an example: work runs on the executor, and its outcome comes back through a task.

use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use whendone::{AlreadyDone, NoValue, Outcome, Schedule, Serial, Task};
use whendone_pools::on_each_pool;

const THREADS: usize = 2;

/// Runs a function on the executor. A task of it that is done schedules its callback there.
fn run_on(scheduler: &Arc<dyn Schedule>, work: impl FnOnce() + Send + 'static) {
    let (completer, start) = whendone::task(scheduler.clone());
    start.add_done_callback(move |_| work());
    completer.complete(()).unwrap();
}

/// Adds a callback that passes on the thread it runs on, and whether the task was cancelled or panicked.
fn observe(task: &Task<u32>) -> mpsc::Receiver<(thread::ThreadId, String)> {
    let (sender, seen) = mpsc::channel();
    task.add_done_callback(move |task: &Task<u32>| {
        let shown = match task.outcome() {
            Some(Outcome::Panicked(panic)) => format!("panicked: {}", panic.message()),
            outcome => format!("{outcome:?}"),
        };
        sender.send((thread::current().id(), shown)).unwrap();
    });
    seen
}

#[test]
fn a_panic_on_an_executor_comes_back_as_the_outcome_of_the_task() {
    on_each_pool(THREADS, |pool, scheduler| {
        let scheduler: Arc<dyn Schedule> = Arc::new(Serial::new(scheduler));
        let (completer, task) = whendone::task::<u32>(scheduler.clone());
        let seen = observe(&task);
        run_on(&scheduler, move || drop(completer.run(|| panic!("no luck"))));
        let (thread, shown) = seen.recv().unwrap();
        assert_eq!(shown, "panicked: no luck", "{pool}");
        assert_ne!(thread, thread::current().id(), "{pool}: the callback runs on the executor");
        assert!(matches!(task.outcome().unwrap().clone().into_result(), Err(NoValue::Panicked(_))), "{pool}");
        // The executor lives on.
        let (sender, ran) = mpsc::channel();
        run_on(&scheduler, move || sender.send(3).unwrap());
        assert_eq!(ran.recv(), Ok(3), "{pool}");
    });
}

#[test]
fn a_cancel_from_outside_reaches_the_work_on_an_executor_and_refuses_its_value() {
    on_each_pool(THREADS, |pool, scheduler| {
        let scheduler: Arc<dyn Schedule> = Arc::new(Serial::new(scheduler));
        let (completer, task) = whendone::task::<u32>(scheduler.clone());
        let (seen, both) = (observe(&task), Arc::new(Barrier::new(2)));
        let ((sender, told), within) = (mpsc::channel(), both.clone());
        run_on(&scheduler, move || {
            within.wait(); // the work has begun
            within.wait(); // and meanwhile it was cancelled
            let cancelled = completer.task().is_cancelled();
            sender.send((cancelled, completer.complete(3))).unwrap();
        });
        both.wait();
        assert!(task.cancel(), "{pool}");
        both.wait();
        assert_eq!(told.recv(), Ok((true, Err(AlreadyDone(3)))), "{pool}");
        assert_eq!(seen.recv().unwrap().1, "Some(Cancelled)", "{pool}");
    });
}

#[test]
fn work_that_an_executor_drops_leaves_an_abandoned_task() {
    on_each_pool(THREADS, |pool, scheduler| {
        let (completer, task) = whendone::task::<u32>(Arc::new(Serial::new(scheduler.clone())));
        let seen = observe(&task);
        run_on(&scheduler, move || drop(completer));
        assert_eq!(seen.recv().unwrap().1, "Some(Abandoned)", "{pool}");
    });
}
