//! What a task promises without an event loop, rule by rule.

use futures::FutureExt;
use futures::executor::block_on;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::fmt;
use std::future::{Future, IntoFuture, poll_fn};
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::ptr;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Barrier, Mutex, OnceLock};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::thread;
use whendone::{
    AlreadyDone, CallbackId, Completer, Failure, Inline, Outcome, Ready, Report, Schedule, SharedCallback, Task,
};

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<&'static str>>>);

impl Log {
    fn note(&self, word: &'static str) {
        self.0.lock().unwrap().push(word);
    }

    /// A callback that notes a word.
    fn says<T>(&self, word: &'static str) -> impl Fn(&Task<T>) + Send + Sync + use<T> {
        let log = self.clone();
        move |_| log.note(word)
    }

    /// A waker that notes a word.
    fn waker(&self, word: &'static str) -> Waker {
        struct Noting(Log, &'static str);
        impl Wake for Noting {
            fn wake(self: Arc<Self>) {
                self.0.note(self.1);
            }
        }
        Arc::new(Noting(self.clone(), word)).into()
    }

    fn words(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }
}

/// A scheduler that keeps callbacks until the test runs them.
fn queue() -> (impl Schedule + Clone, Receiver<Ready>) {
    let (sender, queue) = mpsc::channel();
    (move |ready| sender.send(ready).map_err(|refused| refused.0), queue)
}

fn run_all(queue: &Receiver<Ready>) {
    queue.try_iter().for_each(Ready::run);
}

fn refusing(ready: Ready) -> Result<(), Ready> {
    Err(ready)
}

/// A scheduler with a hook that keeps what it is told.
struct Watched<S>(S, Sender<Report>);

impl<S: Schedule> Schedule for Watched<S> {
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        self.0.schedule(ready)
    }

    fn report(&self, report: &Report) {
        let _ = self.1.send(report.clone());
    }
}

fn watched<S: Schedule>(scheduler: S) -> (Watched<S>, Receiver<Report>) {
    let (sender, reports) = mpsc::channel();
    (Watched(scheduler, sender), reports)
}

fn failures(reports: &Receiver<Report>) -> Vec<Failure> {
    reports.try_iter().map(|report| report.failure).collect()
}

/// Does something when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Does everything that can be done to a task, ending with its completion. Hangs if a lock is held.
fn use_all(task: &Task<u32>) {
    let shared = SharedCallback::new(|_: &Task<u32>| ());
    task.add_shared(&shared);
    let id = task.add_done_callback(|_| ());
    let done = task.is_done();
    assert_eq!((task.remove_done_callback(id), task.remove_shared(&shared)), (!done, usize::from(!done)));
    assert_eq!(poll(&mut task.into_future(), Waker::noop()).is_ready(), done);
    assert_eq!((task.cancel(), task.is_done()), (!done, true));
    assert!(format!("{task:?}{:?}{:?}", task.name(), task.outcome()).starts_with("<Task "));
}

fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    future.poll_unpin(&mut Context::from_waker(waker))
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Touch {
    Clone,
    Wake,
    Drop,
}

/// A waker that says on this thread what is done to it. One at a time.
fn touchy_waker(touched: impl Fn(Touch) + 'static) -> Waker {
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
    const VTABLE: &RawWakerVTable =
        &RawWakerVTable::new(touch_clone, |_| touch(Touch::Wake), |_| touch(Touch::Wake), |_| touch(Touch::Drop));
    const RAW: RawWaker = RawWaker::new(ptr::null(), VTABLE);
    TOUCHED.set(Some(Rc::new(touched)));
    // SAFETY: the functions of the table have no use for the pointer.
    unsafe { Waker::from_raw(RAW) }
}

// State and completion

/// R1, R2, R57, P1
#[test]
fn second_completion_is_refused_and_hands_the_value_back() {
    let (completer, task) = whendone::task(Inline);
    assert!(task.cancel());
    let value = Box::new(3);
    let address = &raw const *value;
    let AlreadyDone(returned) = completer.complete(value).unwrap_err();
    assert!(ptr::eq(&*returned, address));
    assert_eq!(task.outcome(), Some(&Outcome::Cancelled));
    assert_eq!(AlreadyDone(returned).to_string(), "task is already done");
}

/// R1, R50, R57, P1
#[test]
fn cancelling_a_done_task_is_refused_and_changes_nothing() {
    let (scheduler, queue) = queue();
    let (completer, task) = whendone::task(scheduler);
    completer.complete(1).unwrap();
    assert!(!task.cancel());
    assert_eq!((task.outcome(), task.is_cancelled()), (Some(&Outcome::Finished(1)), false));
    assert_eq!(queue.try_iter().count(), 0);
}

/// R50
#[test]
fn cancelling_completes_at_once_and_hands_the_callbacks_over() {
    let (scheduler, queue) = queue();
    let (_completer, task) = whendone::task::<u32>(scheduler);
    task.add_done_callback(|task| assert!(task.is_cancelled()));
    assert!(task.cancel());
    assert_eq!((task.outcome(), task.is_cancelled()), (Some(&Outcome::Cancelled), true));
    assert_eq!(queue.try_iter().count(), 1);
    assert!(!task.cancel());
}

/// R57, P1
#[test]
fn of_a_cancel_and_a_completion_that_race_exactly_one_wins() {
    for _ in 0..100 {
        let (completer, task) = whendone::task(Inline);
        let start = Arc::new(Barrier::new(2));
        let canceller = thread::spawn({
            let (task, start) = (task.clone(), start.clone());
            move || {
                start.wait();
                task.cancel()
            }
        });
        start.wait();
        let completed = completer.complete(1);
        let cancelled = canceller.join().unwrap();
        assert_eq!(completed, if cancelled { Err(AlreadyDone(1)) } else { Ok(()) });
        assert_eq!(task.is_cancelled(), cancelled);
    }
}

/// R3, P2, P3
#[test]
fn outcome_is_none_while_pending_and_then_always_the_same() {
    let (completer, task) = whendone::task(Inline);
    assert_eq!((task.outcome(), task.is_done()), (None, false));
    completer.complete("value").unwrap();
    let outcome = task.outcome().unwrap();
    assert_eq!((outcome, outcome.value()), (&Outcome::Finished("value"), Some(&"value")));
    assert!(!task.cancel() && ptr::eq(task.outcome().unwrap(), outcome));
    assert_eq!(outcome.clone().into_value(), Some("value"));
}

/// R6, P2, P6
#[test]
fn every_callback_sees_the_task_done_with_its_final_outcome() {
    let (sender, seen) = mpsc::channel();
    let (completer, task) = whendone::task(Inline);
    for _ in 0..3 {
        let sender = sender.clone();
        task.add_done_callback(move |task| sender.send((task.is_done(), task.outcome().cloned())));
    }
    assert!(seen.try_recv().is_err());
    completer.complete(7).unwrap();
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), vec![(true, Some(Outcome::Finished(7))); 3]);
}

/// R7, R30, P6
#[test]
fn completion_hands_over_one_entry_per_callback_in_order_and_runs_nothing() {
    let (log, (scheduler, queue)) = (Log::default(), queue());
    let (completer, task) = whendone::task(scheduler);
    for word in ["a", "b", "c"] {
        task.add_done_callback(log.says(word));
    }
    assert!(queue.try_recv().is_err());
    completer.complete(()).unwrap();
    assert!(task.is_done() && log.words().is_empty());
    let entries: Vec<Ready> = queue.try_iter().collect();
    assert_eq!(entries.len(), 3);
    entries.into_iter().for_each(Ready::run);
    assert_eq!(log.words(), ["a", "b", "c"]);
}

// Adding

/// R12, P7
#[test]
fn callbacks_run_in_the_order_in_which_they_were_added() {
    let log = Log::default();
    let (completer, task) = whendone::task(Inline);
    for word in ["a", "b", "c", "d", "e"] {
        task.add_done_callback(log.says(word));
    }
    completer.complete(()).unwrap();
    assert_eq!(log.words(), ["a", "b", "c", "d", "e"]);
}

/// R13, D3, P4, P5
#[test]
fn a_callback_added_again_runs_again_each_at_its_own_place() {
    let log = Log::default();
    let (completer, task) = whendone::task::<()>(Inline);
    let a = SharedCallback::new(log.says("a"));
    task.add_shared(&a);
    task.add_done_callback(log.says("b"));
    task.add_shared(&a);
    task.add_done_callback(log.says("c"));
    task.add_shared(&a.clone());
    completer.complete(()).unwrap();
    assert_eq!(log.words(), ["a", "b", "a", "c", "a"]);
}

/// R14, R27, P7
#[test]
fn adding_again_after_removal_goes_to_the_end_and_survivors_keep_their_order() {
    let log = Log::default();
    let (completer, task) = whendone::task(Inline);
    let a = task.add_done_callback(log.says("a"));
    task.add_done_callback(log.says("b"));
    task.add_done_callback(log.says("c"));
    assert!(task.remove_done_callback(a));
    task.add_done_callback(log.says("d"));
    task.add_done_callback(log.says("a"));
    completer.complete(()).unwrap();
    assert_eq!(log.words(), ["b", "c", "d", "a"]);
}

/// R15, R33, P11
#[test]
fn a_late_add_is_handed_over_at_once_behind_earlier_ones_and_not_run() {
    let (log, (scheduler, queue)) = (Log::default(), queue());
    let (completer, task) = whendone::task(scheduler);
    task.add_done_callback(log.says("early"));
    completer.complete(()).unwrap();
    task.add_done_callback(log.says("late"));
    task.add_done_callback(log.says("later"));
    assert!(log.words().is_empty());
    run_all(&queue);
    assert_eq!(log.words(), ["early", "late", "later"]);
}

/// D11
#[test]
fn inline_runs_a_late_callback_before_add_returns() {
    let log = Log::default();
    let (completer, task) = whendone::task(Inline);
    completer.complete(()).unwrap();
    task.add_done_callback(log.says("late"));
    log.note("added");
    assert_eq!(log.words(), ["late", "added"]);
}

/// R16
#[test]
fn adding_to_a_pending_task_does_not_ask_the_scheduler() {
    let (scheduler, reports) = watched(refusing);
    let (completer, task) = whendone::task(scheduler);
    task.add_done_callback(|_| ());
    assert_eq!(failures(&reports), []);
    completer.complete(()).unwrap();
    assert_eq!(failures(&reports), [Failure::CallbackLost]);
}

/// R10, D3, P10
#[test]
fn ids_never_repeat() {
    let pairs: [_; 3] = std::array::from_fn(|_| whendone::task::<()>(Inline));
    let ids = pairs.iter().flat_map(|(_, task)| {
        (0..50).map(|at| {
            let id = task.add_done_callback(|_| ());
            assert!(at % 2 == 0 || task.remove_done_callback(id));
            id
        })
    });
    assert_eq!(ids.collect::<HashSet<CallbackId>>().len(), 150);
}

/// R17
#[test]
fn a_callback_is_passed_its_own_task_and_its_return_value_is_dropped() {
    let (log, same) = (Log::default(), Arc::new(AtomicBool::new(false)));
    let (completer, task) = whendone::task(Inline);
    task.add_done_callback({
        let (log, same, task) = (log.clone(), same.clone(), task.clone());
        move |passed| -> Result<(), _> {
            same.store(ptr::eq(passed.outcome().unwrap(), task.outcome().unwrap()), SeqCst);
            Err(OnDrop(move || log.note("return value dropped")))
        }
    });
    completer.complete(1).unwrap();
    assert!(same.load(SeqCst));
    assert_eq!(log.words(), ["return value dropped"]);
}

/// R18, R107: the entry alone has them, though the task is still there.
#[test]
fn captures_move_to_the_queued_entry_on_completion_and_go_when_it_has_run() {
    let ((scheduler, queue), held) = (queue(), Arc::new(()));
    let (scheduler, reports) = watched(scheduler);
    let (completer, task) = whendone::task(scheduler);
    let [once, shared, lost] = std::array::from_fn(|_| held.clone());
    task.add_done_callback(move |_| _ = &once);
    task.add_shared(&SharedCallback::new(move |_: &Task<_>| _ = &shared));
    task.add_shared(&SharedCallback::new(move |_: &Task<_>| _ = &lost));
    completer.complete(()).unwrap();
    let ends: [fn(Ready); 3] = [Ready::run, Ready::run, drop];
    for (end, left) in ends.into_iter().zip([3, 2, 1]) {
        assert_eq!(Arc::strong_count(&held), left + 1);
        end(queue.recv().unwrap());
        assert_eq!(Arc::strong_count(&held), left);
    }
    assert_eq!((task.is_done(), failures(&reports)), (true, vec![Failure::CallbackLost]));
}

// Removing

/// R19, R22, D3, P9
#[test]
fn removal_of_a_shared_callback_takes_out_every_registration_and_counts_them() {
    let log = Log::default();
    let (completer, task) = whendone::task::<()>(Inline);
    let (a, twin) = (SharedCallback::new(log.says("a")), SharedCallback::new(log.says("twin")));
    for shared in [&a, &twin, &a.clone(), &a] {
        task.add_shared(shared);
    }
    task.add_done_callback(log.says("b"));
    assert_eq!((task.remove_shared(&a), task.remove_shared(&a)), (3, 0));
    completer.complete(()).unwrap();
    assert_eq!(log.words(), ["twin", "b"]);
}

/// D3, D5, P14
#[test]
fn a_panic_in_a_shared_callback_is_reported_with_the_place_where_it_was_added() {
    let (scheduler, reports) = watched(Inline);
    let (completer, task) = whendone::task::<()>(scheduler);
    let shared = SharedCallback::new(|_: &Task<()>| panic!("shared"));
    let line = line!() + 1;
    task.add_shared(&shared);
    completer.complete(()).unwrap();
    let added_at = reports.try_recv().unwrap().callback.unwrap().added_at;
    assert_eq!((added_at.file(), added_at.line()), (file!(), line));
}

/// R19, D3, P9
#[test]
fn one_registration_of_a_shared_callback_is_removed_by_its_id() {
    let log = Log::default();
    let (completer, task) = whendone::task::<()>(Inline);
    let a = SharedCallback::new(log.says("a"));
    let ids = [task.add_shared(&a), task.add_shared(&a)];
    assert!(task.remove_done_callback(ids[0]) && !task.remove_done_callback(ids[0]));
    assert_eq!(task.remove_shared(&a), 1);
    assert!(!task.remove_done_callback(ids[1]));
    completer.complete(()).unwrap();
    assert!(log.words().is_empty());
}

/// D3, P10
#[test]
fn removal_of_a_shared_callback_leaves_other_tasks_alone() {
    let log = Log::default();
    let (shared, [one, other]) = (SharedCallback::new(log.says("ran")), [(); 2].map(|()| whendone::task::<()>(Inline)));
    one.1.add_shared(&shared);
    other.1.add_shared(&shared);
    assert_eq!(one.1.remove_shared(&shared), 1);
    assert!(one.1.cancel() && other.1.cancel());
    assert_eq!(log.words(), ["ran"]);
}

/// R21, P10
#[test]
fn unknown_stale_and_foreign_ids_remove_nothing() {
    let log = Log::default();
    let ((completer, task), (_other_completer, other)) = (whendone::task::<()>(Inline), whendone::task::<()>(Inline));
    other.add_done_callback(log.says("first of the other"));
    let foreign = other.add_done_callback(log.says("second of the other"));
    let stale = task.add_done_callback(log.says("removed"));
    assert!(task.remove_done_callback(stale));
    task.add_done_callback(log.says("in its place"));
    assert!(!task.remove_done_callback(stale) && !task.remove_done_callback(foreign));
    assert_eq!(task.remove_shared(&SharedCallback::new(|_: &Task<()>| ())), 0);
    completer.complete(()).unwrap();
    assert!(other.remove_done_callback(foreign));
    assert_eq!(log.words(), ["in its place"]);
}

/// R25, D2, P9
#[test]
fn removal_after_completion_is_refused_and_stops_nothing() {
    let (log, (scheduler, queue)) = (Log::default(), queue());
    let (completer, task) = whendone::task::<()>(scheduler);
    let shared = SharedCallback::new(log.says("shared"));
    let ids = [task.add_done_callback(log.says("a")), task.add_shared(&shared)];
    completer.complete(()).unwrap();
    assert!(ids.iter().all(|id| !task.remove_done_callback(*id)));
    assert_eq!(task.remove_shared(&shared), 0);
    run_all(&queue);
    assert_eq!(log.words(), ["a", "shared"]);
}

/// R25, R35, D2, P9
#[test]
fn an_earlier_callback_cannot_remove_a_later_one_also_inline() {
    let log = Log::default();
    let (completer, task) = whendone::task::<()>(Inline);
    let shared = SharedCallback::new(log.says("shared"));
    let later = Arc::new(OnceLock::new());
    task.add_done_callback({
        let (log, shared, later) = (log.clone(), shared.clone(), later.clone());
        move |task| {
            let removed = task.remove_done_callback(*later.get().unwrap()) || task.remove_shared(&shared) > 0;
            log.note(if removed { "removed" } else { "not removed" });
        }
    });
    later.set(task.add_done_callback(log.says("later"))).unwrap();
    task.add_shared(&shared);
    completer.complete(()).unwrap();
    assert_eq!(log.words(), ["not removed", "later", "shared"]);
}

/// R26, D2
#[test]
fn a_late_callback_cannot_be_removed() {
    let (log, (scheduler, queue)) = (Log::default(), queue());
    let (completer, task) = whendone::task(scheduler);
    completer.complete(()).unwrap();
    let late = task.add_done_callback(log.says("late"));
    assert!(!task.remove_done_callback(late));
    run_all(&queue);
    assert_eq!(log.words(), ["late"]);
}

/// R27, P9, P15
#[test]
fn what_a_removed_callback_captured_is_released_at_once() {
    let held = Arc::new(());
    let (_completer, task) = whendone::task::<()>(Inline);
    let (capture, shared_capture) = (held.clone(), held.clone());
    let id = task.add_done_callback(move |_| drop(capture));
    let shared = SharedCallback::new(move |_: &Task<()>| _ = Arc::strong_count(&shared_capture));
    task.add_shared(&shared);
    assert!(task.remove_done_callback(id));
    assert_eq!((Arc::strong_count(&held), task.remove_shared(&shared)), (2, 1));
    drop(shared);
    assert_eq!(Arc::strong_count(&held), 1);
}

// Scheduling and order

/// R38, P7
#[test]
fn across_tasks_order_is_by_completion_then_by_registration() {
    let (log, (scheduler, queue)) = (Log::default(), queue());
    let (x_completer, x) = whendone::task(scheduler.clone());
    let (y_completer, y) = whendone::task(scheduler);
    x.add_done_callback(log.says("x1"));
    y.add_done_callback(log.says("y1"));
    x.add_done_callback(log.says("x2"));
    y_completer.complete(()).unwrap();
    x_completer.complete(()).unwrap();
    y.add_done_callback(log.says("y2"));
    run_all(&queue);
    assert_eq!(log.words(), ["y1", "x1", "x2", "y2"]);
}

/// Adds itself to its task until the task's value has been counted down.
fn add_again(task: &Task<AtomicU32>) {
    if task.outcome().unwrap().value().unwrap().fetch_sub(1, SeqCst) > 1 {
        task.add_done_callback(add_again);
    }
}

/// R34, P11
#[test]
fn a_callback_that_adds_itself_again_runs_once_a_turn() {
    let (scheduler, queue) = queue();
    let (completer, task) = whendone::task(scheduler);
    task.add_done_callback(add_again);
    completer.complete(AtomicU32::new(5)).unwrap();
    for turn in 1..=5 {
        let batch: Vec<Ready> = queue.try_iter().collect();
        assert_eq!(batch.len(), 1, "in turn {turn}");
        batch.into_iter().for_each(Ready::run);
    }
    assert!(queue.try_recv().is_err());
}

/// D11, P8, P11, P19
#[test]
fn a_callback_that_adds_itself_again_inline_needs_no_stack_and_ends() {
    let (completer, task) = whendone::task(Inline);
    task.add_done_callback(add_again);
    completer.complete(AtomicU32::new(100_000)).unwrap();
    assert_eq!(task.outcome().unwrap().value().unwrap().load(SeqCst), 0);
}

/// D7: an abandoned task is done, and nobody cancelled it.
#[test]
fn an_abandoned_task_is_not_a_cancelled_one() {
    let (completer, task) = whendone::task::<()>(Inline);
    drop(completer);
    assert!(task.is_done() && !task.is_cancelled() && !task.cancel());
}

/// D11, P8: whatever owes the drain, a callback is never called inside another.
#[test]
fn late_adds_cancels_and_drops_inside_a_callback_are_put_off_too() {
    let log = Log::default();
    let (outer, task) = whendone::task(Inline);
    let (done, late) = whendone::task(Inline);
    done.complete(()).unwrap();
    let (_kept, cancelled) = whendone::task::<()>(Inline);
    let (dropped, abandoned) = whendone::task::<()>(Inline);
    cancelled.add_done_callback(log.says("cancelled"));
    abandoned.add_done_callback(log.says("abandoned"));
    let callback = log.clone();
    task.add_done_callback(move |_| {
        late.add_done_callback(callback.says("late"));
        cancelled.cancel();
        drop(dropped);
        callback.note("outer");
    });
    outer.complete(()).unwrap();
    assert_eq!(log.words(), ["outer", "late", "cancelled", "abandoned"]);
}

/// R38, D11
#[test]
fn tasks_completed_in_a_callback_have_theirs_run_in_the_order_of_completion() {
    let log = Log::default();
    let (outer, task) = whendone::task(Inline);
    let (first, second) = (whendone::task(Inline), whendone::task(Inline));
    first.1.add_done_callback(log.says("first"));
    second.1.add_done_callback(log.says("second"));
    let callback = log.clone();
    task.add_done_callback(move |_| {
        first.0.complete(()).unwrap();
        second.0.complete(()).unwrap();
        callback.note("outer");
    });
    task.add_done_callback(log.says("outer again"));
    outer.complete(()).unwrap();
    assert_eq!(log.words(), ["outer", "outer again", "first", "second"]);
}

/// R36, D11
#[test]
fn a_chain_of_100_000_tasks_each_completing_the_next_needs_no_stack() {
    let (first, mut last) = whendone::task(Inline);
    for _ in 1..100_000 {
        let (completer, next) = whendone::task(Inline);
        last.add_done_callback(move |task| completer.complete(task.outcome().unwrap().value().unwrap() + 1));
        last = next;
    }
    first.complete(1).unwrap();
    assert_eq!(last.outcome(), Some(&Outcome::Finished(100_000)));
}

/// R36, D4, D7, D11, P16
#[test]
fn a_chain_of_100_000_tasks_each_abandoning_the_next_needs_no_stack() {
    let (scheduler, reports) = watched(refusing);
    let scheduler = Arc::new(scheduler);
    let (first, mut last) = whendone::task::<u32>(scheduler.clone());
    for _ in 1..100_000 {
        let (completer, next) = whendone::task(scheduler.clone());
        last.add_done_callback(move |_| completer.complete(1));
        last = next;
    }
    drop(first);
    assert_eq!(last.outcome(), Some(&Outcome::Abandoned));
    assert_eq!(reports.try_iter().count(), 99_999);
}

/// R36, D11, P8
#[test]
fn a_task_completed_inside_an_inline_callback_runs_its_own_callbacks_after_it() {
    let log = Log::default();
    let ((outer_completer, outer), (completer, task)) = (whendone::task(Inline), whendone::task(Inline));
    task.add_done_callback(log.says("completed inside"));
    outer.add_done_callback({
        let (log, task) = (log.clone(), task.clone());
        move |_| {
            completer.complete(()).unwrap();
            task.add_done_callback(log.says("late"));
            log.note(if task.is_done() { "first goes on" } else { "pending" });
        }
    });
    outer.add_done_callback(log.says("second"));
    outer_completer.complete(()).unwrap();
    assert_eq!(log.words(), ["first goes on", "second", "completed inside", "late"]);
}

/// R30, R36
#[test]
fn a_task_completed_inside_a_queued_callback_has_its_own_callbacks_queued_at_once() {
    let (log, (scheduler, queue)) = (Log::default(), queue());
    let ((outer_completer, outer), (completer, task)) = (whendone::task(scheduler.clone()), whendone::task(scheduler));
    task.add_done_callback(log.says("completed inside"));
    outer.add_done_callback({
        let (log, task) = (log.clone(), task.clone());
        move |_| {
            completer.complete(()).unwrap();
            task.add_done_callback(log.says("late"));
            log.note("first goes on");
        }
    });
    outer.add_done_callback(log.says("second"));
    outer_completer.complete(()).unwrap();
    queue.recv().unwrap().run();
    assert_eq!((log.words(), queue.try_iter().map(Ready::run).count()), (vec!["first goes on"], 3));
    assert_eq!(log.words(), ["first goes on", "second", "completed inside", "late"]);
}

/// R37, P1
#[test]
fn inside_a_callback_the_own_task_can_neither_be_completed_nor_cancelled() {
    let (sender, answers) = mpsc::channel();
    let (completer, task) = whendone::task(Inline);
    task.add_done_callback(move |task| sender.send((completer.complete(1), task.cancel())));
    assert!(task.cancel());
    assert_eq!(answers.recv(), Ok((Err(AlreadyDone(1)), false)));
}

/// R40, P11, P12
#[test]
fn the_scheduler_may_add_and_its_add_comes_last_and_it_removes_nothing() {
    let (log, slot) = (Log::default(), Arc::new(Mutex::new(None::<(Task<u32>, CallbackId)>)));
    let scheduler = {
        let (log, slot) = (log.clone(), slot.clone());
        move |ready: Ready| {
            let taken = slot.lock().unwrap().take();
            if let Some((task, id)) = taken {
                task.add_done_callback(log.says("c"));
                log.note(if task.remove_done_callback(id) { "removed" } else { "not removed" });
                use_all(&task);
            }
            Inline.schedule(ready)
        }
    };
    let (completer, task) = whendone::task(scheduler);
    task.add_done_callback(log.says("a"));
    let id = task.add_done_callback(log.says("b"));
    *slot.lock().unwrap() = Some((task, id));
    completer.complete(1).unwrap();
    assert_eq!(log.words(), ["not removed", "a", "b", "c"]);
}

/// R41, D4, P5, P14
#[test]
fn a_refused_callback_is_reported_and_the_others_run() {
    let (log, count) = (Log::default(), AtomicU32::new(0));
    let (scheduler, reports) =
        watched(move |ready: Ready| if count.fetch_add(1, SeqCst) == 1 { Err(ready) } else { Inline.schedule(ready) });
    let (completer, task) = whendone::task_named("job", scheduler);
    task.add_done_callback(log.says("first"));
    let line = line!() + 1;
    task.add_done_callback(|_| unreachable!("refused"));
    task.add_done_callback(log.says("third"));
    assert_eq!(completer.complete(3), Ok(()));
    assert_eq!(log.words(), ["first", "third"]);
    let report = reports.try_recv().unwrap();
    let origin = report.callback.unwrap();
    assert_eq!((report.failure, report.task.as_deref()), (Failure::CallbackLost, Some("<Task finished name='job'>")));
    assert!(origin.callback.contains("a_refused_callback_is_reported"), "{origin}");
    assert_eq!((origin.added_at.file(), origin.added_at.line()), (file!(), line));
    assert!(reports.try_recv().is_err() && report.panic.is_none());
}

/// R41, R90, D4
#[test]
fn a_refused_late_add_is_reported() {
    let (scheduler, reports) = watched(refusing);
    let (completer, task) = whendone::task(scheduler);
    completer.complete(()).unwrap();
    let late = task.add_done_callback(|_| unreachable!("refused"));
    assert_eq!(failures(&reports), [Failure::CallbackLost]);
    assert!(!task.remove_done_callback(late));
}

/// D4
#[test]
fn a_callback_that_is_queued_and_then_dropped_reports_itself_once_and_one_that_ran_does_not() {
    let (scheduler, queue) = queue();
    let (scheduler, reports) = watched(scheduler);
    let (completer, task) = whendone::task(scheduler);
    task.add_done_callback(|_| ());
    task.add_done_callback(|_| unreachable!("dropped"));
    completer.complete(()).unwrap();
    queue.recv().unwrap().run();
    assert_eq!(failures(&reports), []);
    drop(queue);
    assert_eq!(failures(&reports), [Failure::CallbackLost]);
}

/// D5
#[test]
fn an_arc_of_a_scheduler_schedules_and_reports_as_it_does() {
    let (scheduler, reports) = watched(refusing);
    let scheduler: Arc<dyn Schedule> = Arc::new(scheduler);
    let (completer, task) = whendone::task(scheduler);
    task.add_done_callback(|_| ());
    completer.complete(()).unwrap();
    assert_eq!(failures(&reports), [Failure::CallbackLost]);
}

// Threads

/// D1, D11, D15
#[test]
fn inline_callbacks_run_on_the_thread_that_completes() {
    let (sender, ran_on) = mpsc::channel();
    let (completer, task) = whendone::task(Inline);
    task.add_done_callback(move |task| sender.send((thread::current().id(), task.outcome().cloned())));
    let completing = thread::spawn(move || completer.complete("value"));
    let id = completing.thread().id();
    completing.join().unwrap().unwrap();
    assert_eq!(ran_on.recv(), Ok((id, Some(Outcome::Finished("value")))));
}

/// D2, D11, D16, P7, P8
#[test]
fn a_late_add_while_another_thread_drains_returns_at_once_and_runs_there_in_its_turn() {
    let (log, (completer, task)) = (Log::default(), whendone::task(Inline));
    let (entered, in_first) = mpsc::channel();
    let (leave, may_leave) = mpsc::channel();
    let (sender, ran_on) = mpsc::channel();
    task.add_done_callback({
        let log = log.clone();
        move |_| {
            entered.send(()).unwrap();
            may_leave.recv().unwrap();
            log.note("first ends");
        }
    });
    task.add_done_callback(log.says("second"));
    let drainer = thread::spawn(move || completer.complete(()));
    in_first.recv().unwrap();
    task.add_done_callback(log.says("late"));
    let later = task.add_done_callback(move |_| sender.send(thread::current().id()));
    assert!(!task.remove_done_callback(later) && log.words().is_empty());
    leave.send(()).unwrap();
    let id = drainer.thread().id();
    drainer.join().unwrap().unwrap();
    assert_eq!(log.words(), ["first ends", "second", "late"]);
    assert_eq!(ran_on.recv(), Ok(id));
}

/// D11, P7, P8
#[test]
fn a_late_add_to_a_task_whose_drain_is_put_off_waits_for_that_thread() {
    let log = Log::default();
    let ((outer_completer, outer), (completer, task)) = (whendone::task(Inline), whendone::task(Inline));
    let (completed, is_completed) = mpsc::channel();
    let (leave, may_leave) = mpsc::channel();
    task.add_done_callback(log.says("early"));
    outer.add_done_callback({
        let log = log.clone();
        move |_| {
            completer.complete(()).unwrap();
            completed.send(()).unwrap();
            may_leave.recv().unwrap();
            log.note("outer ends");
        }
    });
    let drainer = thread::spawn(move || outer_completer.complete(()));
    is_completed.recv().unwrap();
    assert!(task.is_done());
    task.add_done_callback(log.says("late"));
    assert!(log.words().is_empty());
    leave.send(()).unwrap();
    drainer.join().unwrap().unwrap();
    assert_eq!(log.words(), ["outer ends", "early", "late"]);
}

/// R39, R99, D1, D15, P4, P5, P7, P8
#[test]
fn adds_that_race_with_completion_run_once_each_one_at_a_time_and_in_each_threads_order() {
    let (inside, overlapped) = (AtomicBool::new(false), Arc::new(AtomicBool::new(false)));
    let scheduler = {
        let overlapped = overlapped.clone();
        move |ready: Ready| {
            overlapped.fetch_or(inside.swap(true, SeqCst), SeqCst);
            ready.run();
            inside.store(false, SeqCst);
            Ok(())
        }
    };
    let (completer, task) = whendone::task(scheduler);
    let (sender, ran) = mpsc::channel();
    let start = Barrier::new(3);
    thread::scope(|scope| {
        for adder in 0..2 {
            let (task, start, sender) = (&task, &start, sender.clone());
            scope.spawn(move || {
                start.wait();
                for at in 0..500 {
                    let sender = sender.clone();
                    task.add_done_callback(move |_| sender.send((adder, at)));
                }
            });
        }
        start.wait();
        completer.complete(()).unwrap();
    });
    let ran: Vec<(usize, usize)> = ran.try_iter().collect();
    for adder in 0..2 {
        let of_one = ran.iter().filter(|(by, _)| *by == adder).map(|(_, at)| *at);
        assert!(of_one.eq(0..500));
    }
    assert!(!overlapped.load(SeqCst));
}

/// D7, P16
#[test]
fn a_completer_dropped_when_its_thread_ends_still_runs_the_callbacks() {
    thread_local!(static KEPT: RefCell<Option<Completer<()>>> = const { RefCell::new(None) });
    let drain_something = || whendone::task::<()>(Inline).1.cancel();
    for drain_first in [true, false] {
        let (log, (completer, task)) = (Log::default(), whendone::task(Inline));
        task.add_done_callback(log.says("abandoned"));
        let ending = thread::spawn(move || {
            let _ = drain_first && drain_something();
            KEPT.set(Some(completer));
            drain_something();
        });
        ending.join().unwrap();
        assert_eq!((task.outcome(), log.words()), (Some(&Outcome::Abandoned), vec!["abandoned"]));
    }
}

// Awaiting

/// R42, R43, D9, P7
#[test]
fn awaits_and_callbacks_stand_in_one_line() {
    let (log, (completer, task)) = (Log::default(), whendone::task(Inline));
    let (mut first, mut second) = ((&task).into_future(), (&task).into_future());
    task.add_done_callback(log.says("cb0"));
    assert!(poll(&mut first, &log.waker("w1")).is_pending());
    task.add_done_callback(log.says("cb1"));
    assert!(poll(&mut second, &log.waker("w2")).is_pending());
    task.add_done_callback(log.says("cb2"));
    completer.complete(3).unwrap();
    assert_eq!(log.words(), ["cb0", "w1", "cb1", "w2", "cb2"]);
    assert_eq!(poll(&mut first, Waker::noop()), Poll::Ready(&Outcome::Finished(3)));
    assert_eq!(poll(&mut second, Waker::noop()), Poll::Ready(&Outcome::Finished(3)));
}

/// R43
#[test]
fn an_await_takes_its_place_at_its_first_poll() {
    let (log, (_completer, task)) = (Log::default(), whendone::task::<()>(Inline));
    let mut wait = (&task).into_future();
    task.add_done_callback(log.says("added after the await was made"));
    assert!(poll(&mut wait, &log.waker("woken")).is_pending());
    task.cancel();
    assert_eq!(log.words(), ["added after the await was made", "woken"]);
}

/// D9, P4
#[test]
fn an_await_polled_with_another_waker_keeps_its_place_and_wakes_only_the_new_one() {
    let (log, (completer, task)) = (Log::default(), whendone::task(Inline));
    let mut wait = (&task).into_future();
    assert!(poll(&mut wait, &log.waker("old")).is_pending());
    task.add_done_callback(log.says("callback"));
    assert!(poll(&mut wait, &log.waker("new")).is_pending());
    assert_eq!(format!("{task:?}"), "<Task pending cb=[2 waiting]>");
    completer.complete(()).unwrap();
    assert_eq!(log.words(), ["new", "callback"]);
}

/// R106, D9, P15
#[test]
fn a_dropped_await_gives_its_place_and_its_waker_up() {
    let (log, (completer, task)) = (Log::default(), whendone::task(Inline));
    let mut wait = (&task).into_future();
    assert!(poll(&mut wait, &log.waker("woken")).is_pending());
    assert_eq!((format!("{task:?}").as_str(), Arc::strong_count(&log.0)), ("<Task pending cb=[1 waiting]>", 2));
    drop(wait);
    assert_eq!((format!("{task:?}").as_str(), Arc::strong_count(&log.0)), ("<Task pending>", 1));
    completer.complete(()).unwrap();
    assert!(log.words().is_empty());
}

/// R44, P17
#[test]
fn awaiting_a_done_task_is_ready_at_once_ahead_of_callbacks_that_have_not_run() {
    let (log, (scheduler, queue)) = (Log::default(), queue());
    let (completer, task) = whendone::task(scheduler);
    task.add_done_callback(log.says("callback"));
    completer.complete(3).unwrap();
    assert_eq!(poll(&mut (&task).into_future(), Waker::noop()), Poll::Ready(&Outcome::Finished(3)));
    log.note("awaited");
    run_all(&queue);
    assert_eq!(log.words(), ["awaited", "callback"]);
}

/// D9, P17
#[test]
fn a_refusing_scheduler_cannot_lose_an_await() {
    let (log, (scheduler, reports)) = (Log::default(), watched(refusing));
    let (completer, task) = whendone::task(scheduler);
    let mut wait = (&task).into_future();
    assert!(poll(&mut wait, &log.waker("woken")).is_pending());
    completer.complete(3).unwrap();
    assert_eq!((log.words(), failures(&reports)), (vec!["woken"], vec![]));
}

/// R45, R50, D7
#[test]
fn an_await_answers_by_reference_or_by_value_however_the_task_ended() {
    let (completer, finished) = whendone::task(Inline);
    completer.complete("value").unwrap();
    let (_, abandoned) = whendone::task::<u32>(Inline);
    let (_completer, cancelled) = whendone::task::<u32>(Inline);
    cancelled.cancel();
    block_on(async {
        assert_eq!(
            ((&finished).await, finished.clone().await),
            (&Outcome::Finished("value"), Outcome::Finished("value"))
        );
        assert_eq!(((&abandoned).await, abandoned.clone().await), (&Outcome::Abandoned, Outcome::Abandoned));
        assert_eq!(((&cancelled).await, cancelled.clone().await), (&Outcome::Cancelled, Outcome::Cancelled));
    });
}

/// D1, D9, P17
#[test]
fn a_completion_on_another_thread_wakes_an_await() {
    let (completer, task) = whendone::task(Inline);
    let (polled, is_polled) = mpsc::channel();
    let waiting = thread::spawn(move || {
        let mut wait = task.into_future();
        block_on(poll_fn(|context| {
            let answer = wait.poll_unpin(context);
            polled.send(()).unwrap();
            answer
        }))
    });
    is_polled.recv().unwrap();
    completer.complete(3).unwrap();
    assert_eq!(waiting.join().unwrap(), Outcome::Finished(3));
}

/// P21
#[test]
fn a_task_of_a_value_that_cannot_be_sent_is_awaited_on_its_own_thread() {
    let (log, (completer, task)) = (Log::default(), whendone::task::<Rc<u32>>(Inline));
    let mut wait = (&task).into_future();
    assert!(poll(&mut wait, &log.waker("woken")).is_pending());
    completer.complete(Rc::new(3)).unwrap();
    assert_eq!((log.words(), block_on(wait)), (vec!["woken"], &Outcome::Finished(Rc::new(3))));
}

// Callbacks that panic

/// R60, R61, R62, R64, D5, P14
#[test]
fn a_panic_in_a_callback_is_reported_with_its_origin_its_task_and_its_message_and_the_others_run() {
    let (log, (scheduler, reports)) = (Log::default(), watched(Inline));
    let (completer, task) = whendone::task_named("job", scheduler);
    task.add_done_callback(log.says("before"));
    let line = line!() + 1;
    task.add_done_callback(|_| panic!("went {}", "wrong"));
    task.add_done_callback(log.says("after"));
    assert_eq!(completer.complete(3), Ok(()));
    task.add_done_callback(log.says("late"));
    assert_eq!((log.words(), task.outcome()), (vec!["before", "after", "late"], Some(&Outcome::Finished(3))));
    let report = reports.try_recv().unwrap();
    let panic = report.panic.as_ref().unwrap();
    assert_eq!((report.failure, panic.message()), (Failure::CallbackPanicked, "went wrong"));
    let (file, callback) = (file!(), report.callback.unwrap().callback);
    assert!(callback.contains("a_panic_in_a_callback_is_reported"));
    assert_eq!(
        report.to_string(),
        format!(
            "whendone: exception in callback\n  callback  {callback} added at {file}:{line}:10\n  \
             task      <Task finished name='job'>\n  panic     went wrong"
        )
    );
    assert!(reports.try_recv().is_err());
}

/// R60
#[test]
fn every_kind_of_panic_is_caught_and_its_payload_can_be_taken_once() {
    let (scheduler, reports) = watched(Inline);
    let (completer, task) = whendone::task(scheduler);
    task.add_done_callback(|_| panic!("text"));
    task.add_done_callback(|_| panic_any(7_u8));
    completer.complete(()).unwrap();
    let panics: Vec<_> = reports.try_iter().map(|report| report.panic.unwrap()).collect();
    assert_eq!(panics[0].message(), "text");
    assert_eq!(panics[1].message(), "a payload that is not text");
    assert_eq!(*panics[1].take_payload().unwrap().downcast::<u8>().unwrap(), 7);
    assert!(panics[1].clone().take_payload().is_none());
    assert!(panics[0] == panics[0].clone() && panics[0] != panics[1]);
}

/// D5, P14
#[test]
fn a_panic_in_the_drop_of_what_a_callback_captured_or_returned_is_the_callbacks_panic() {
    let (log, (scheduler, reports)) = (Log::default(), watched(Inline));
    let (completer, task) = whendone::task(scheduler);
    let bomb = OnDrop(|| panic!("captured"));
    task.add_done_callback(move |_| _ = &bomb);
    task.add_done_callback(|_| -> Result<(), _> { Err(OnDrop(|| panic!("returned"))) });
    task.add_done_callback(log.says("after"));
    completer.complete(()).unwrap();
    let reports: Vec<Report> = reports.try_iter().collect();
    assert!(reports.iter().all(|report| report.failure == Failure::CallbackPanicked));
    assert_eq!(
        reports.iter().map(|report| report.panic.as_ref().unwrap().message()).collect::<Vec<_>>(),
        ["captured", "returned"]
    );
    assert_eq!(log.words(), ["after"]);
}

/// P9, P14
#[test]
fn a_panic_in_the_drop_of_a_removed_callback_is_reported_and_the_removal_stands() {
    let (log, (scheduler, reports)) = (Log::default(), watched(Inline));
    let (completer, task) = whendone::task(scheduler);
    let bomb = OnDrop(|| panic!("captured"));
    let id = task.add_done_callback(move |_| _ = &bomb);
    task.add_done_callback(log.says("after"));
    assert!(task.remove_done_callback(id));
    completer.complete(()).unwrap();
    assert_eq!((failures(&reports), log.words()), (vec![Failure::DropPanicked], vec!["after"]));
}

/// D4, P14, P15
#[test]
fn a_scheduler_that_panics_loses_only_what_it_was_given_which_reports_itself_while_unwinding() {
    let (count, log) = (AtomicU32::new(0), Log::default());
    let (scheduler, reports) = watched(move |ready: Ready| {
        if count.fetch_add(1, SeqCst) == 0 {
            panic!("scheduler");
        }
        Inline.schedule(ready)
    });
    let (completer, task) = whendone::task(scheduler);
    let bomb = OnDrop(|| panic!("captured"));
    task.add_done_callback(move |_| _ = &bomb);
    task.add_done_callback(log.says("after"));
    completer.complete(()).unwrap();
    let expected = [Failure::CallbackLost, Failure::DropPanicked, Failure::SchedulerPanicked];
    assert_eq!((failures(&reports), log.words()), (expected.to_vec(), vec!["after"]));
}

/// D4, P14
#[test]
fn a_callback_that_is_dropped_while_its_holder_unwinds_reports_itself() {
    let (scheduler, queue) = queue();
    let (scheduler, reports) = watched(scheduler);
    let (completer, task) = whendone::task(scheduler);
    let bomb = OnDrop(|| panic!("captured"));
    task.add_done_callback(move |_| _ = &bomb);
    completer.complete(()).unwrap();
    let ready = queue.recv().unwrap();
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _ready = ready;
        panic!("holder");
    }));
    assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"holder"));
    assert_eq!(failures(&reports), [Failure::CallbackLost, Failure::DropPanicked]);
}

/// D7, P14
#[test]
fn a_completer_that_is_dropped_while_its_holder_unwinds_abandons_its_task() {
    let (log, (completer, task)) = (Log::default(), whendone::task::<()>(Inline));
    task.add_done_callback(log.says("abandoned"));
    let holder = thread::spawn(move || {
        let _completer = completer;
        panic!("holder");
    });
    assert!(holder.join().is_err());
    assert_eq!((task.outcome(), log.words()), (Some(&Outcome::Abandoned), vec!["abandoned"]));
}

/// P14
#[test]
fn a_panic_in_the_drop_of_a_payload_does_no_harm() {
    let (log, (scheduler, reports)) = (Log::default(), watched(Inline));
    let (completer, task) = whendone::task(scheduler);
    task.add_done_callback(|_| panic_any(OnDrop(|| panic!("payload"))));
    task.add_done_callback(log.says("after"));
    completer.complete(()).unwrap();
    assert_eq!((failures(&reports), log.words()), (vec![Failure::CallbackPanicked], vec!["after"]));
}

/// R68, D5, P14
#[test]
fn a_hook_that_panics_does_no_harm() {
    struct Clumsy;
    impl Schedule for Clumsy {
        fn schedule(&self, ready: Ready) -> Result<(), Ready> {
            Inline.schedule(ready)
        }
        fn report(&self, _: &Report) {
            panic!("hook");
        }
    }
    let (log, (completer, task)) = (Log::default(), whendone::task(Clumsy));
    task.add_done_callback(|_| panic!("callback"));
    task.add_done_callback(log.says("after"));
    completer.complete(()).unwrap();
    task.add_done_callback(log.says("late"));
    assert_eq!(log.words(), ["after", "late"]);
}

/// D5
#[test]
fn a_scheduler_without_a_hook_reports_to_that_of_the_process_which_is_set_once() {
    let (sender, reports) = mpsc::channel();
    let hook = move |report: &Report| {
        if report.task.as_deref() == Some("<Task finished name='no hook'>") {
            sender.send(report.failure).unwrap();
        }
    };
    assert!(whendone::set_exception_hook(hook).is_ok());
    let second = |_: &Report| unreachable!("refused");
    assert!(whendone::set_exception_hook(second).is_err());
    let (completer, task) = whendone::task_named("no hook", refusing);
    task.add_done_callback(|_| ());
    completer.complete(()).unwrap();
    assert_eq!(reports.try_iter().collect::<Vec<_>>(), [Failure::CallbackLost]);
}

/// D9, P14
#[test]
fn a_panic_in_wake_is_reported_and_the_others_run() {
    let (log, (scheduler, reports)) = (Log::default(), watched(Inline));
    let (completer, task) = whendone::task(scheduler);
    let waker = touchy_waker(|touch| assert_ne!(touch, Touch::Wake, "wake"));
    let mut wait = (&task).into_future();
    assert!(poll(&mut wait, &waker).is_pending());
    task.add_done_callback(log.says("after"));
    completer.complete(3).unwrap();
    assert_eq!((failures(&reports), log.words()), (vec![Failure::WakerPanicked], vec!["after"]));
    assert!(poll(&mut wait, Waker::noop()).is_ready());
}

/// D9, P14
#[test]
fn a_panic_in_the_drop_of_a_waker_is_reported() {
    let (scheduler, reports) = watched(Inline);
    let (_completer, task) = whendone::task::<()>(scheduler);
    let mut wait = (&task).into_future();
    let waker = ManuallyDrop::new(touchy_waker(|touch| assert_ne!(touch, Touch::Drop, "drop")));
    assert!(poll(&mut wait, &waker).is_pending());
    assert!(poll(&mut wait, Waker::noop()).is_pending());
    assert_eq!(failures(&reports), [Failure::WakerPanicked]);
    assert!(poll(&mut wait, &waker).is_pending());
    drop(wait);
    assert_eq!((failures(&reports), format!("{task:?}").as_str()), (vec![Failure::WakerPanicked], "<Task pending>"));
}

/// D9, P14
#[test]
fn a_panic_in_the_clone_of_a_waker_goes_to_the_caller_of_poll_and_changes_nothing() {
    let (log, (completer, task)) = (Log::default(), whendone::task(Inline));
    let mut wait = (&task).into_future();
    let waker = touchy_waker(|touch| assert_ne!(touch, Touch::Clone, "clone"));
    assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut wait, &waker))).is_err());
    assert_eq!(format!("{task:?}"), "<Task pending>");
    assert!(poll(&mut wait, &log.waker("woken")).is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut wait, &waker))).is_err());
    completer.complete(()).unwrap();
    assert_eq!(log.words(), ["woken"]);
}

/// P14: run or dropped unrun, a queued callback can hold the last handle of its task.
#[test]
fn a_panic_in_the_drop_of_a_value_that_a_queued_callback_lets_go_stays_in_the_queue() {
    let log = Log::default();
    let (scheduler, queue) = queue();
    for run in [true, false] {
        let (completer, task) = whendone::task(scheduler.clone());
        task.add_done_callback(log.says("callback"));
        drop(task);
        completer.complete(OnDrop(|| panic!("value"))).ok().unwrap();
        let ready = queue.recv().unwrap();
        let let_go = catch_unwind(AssertUnwindSafe(|| if run { ready.run() } else { drop(ready) }));
        assert!(let_go.is_ok());
    }
    assert_eq!(log.words(), ["callback"]);
}

/// P14
#[test]
fn a_panic_in_the_drop_of_a_value_that_a_put_off_drain_lets_go_loses_no_callback() {
    for others in 0..2 {
        let log = Log::default();
        let ((outer_completer, outer), (doomed, _)) = (whendone::task(Inline), whendone::task(Inline));
        let behind: Vec<Completer<()>> = (0..others)
            .map(|_| {
                let (completer, task) = whendone::task(Inline);
                task.add_done_callback(log.says("behind"));
                completer
            })
            .collect();
        outer.add_done_callback(move |_| {
            doomed.complete(OnDrop(|| panic!("value"))).ok().unwrap();
            drop(behind);
        });
        let completed = catch_unwind(AssertUnwindSafe(|| outer_completer.complete(())));
        assert_eq!(completed.ok(), Some(Ok(())));
        outer.add_done_callback(log.says("late"));
        assert_eq!(log.words(), ["behind", "late"][1 - others..]);
    }
}

// Re-entrancy

/// D1, P12, P13
#[test]
fn a_callback_may_do_everything_on_its_own_and_on_other_tasks() {
    let (log, (scheduler, reports)) = (Log::default(), watched(Inline));
    let ((completer, task), (_pending, other)) = (whendone::task(scheduler), whendone::task(Inline));
    let of_other = other.clone();
    task.add_done_callback(move |task| {
        use_all(task);
        use_all(&of_other);
    });
    task.add_done_callback(log.says("after"));
    completer.complete(3).unwrap();
    assert_eq!((failures(&reports), log.words()), (vec![], vec!["after"]));
    assert!(other.is_cancelled());
}

/// R29, D1, P12, P13
#[test]
fn what_a_removed_callback_captured_may_do_everything_when_dropped() {
    let (log, (_completer, task)) = (Log::default(), whendone::task(Inline));
    let own = task.clone();
    let capture = OnDrop(move || use_all(&own));
    let id = task.add_done_callback(move |_| _ = &capture);
    task.add_done_callback(log.says("survivor"));
    assert!(task.remove_done_callback(id));
    assert_eq!((task.is_cancelled(), log.words()), (true, vec!["survivor"]));
}

/// R28, R29, D1, P12, P13
#[test]
fn what_a_removed_shared_callback_captured_may_do_everything_when_dropped() {
    let (log, (_completer, task)) = (Log::default(), whendone::task(Inline));
    let own = task.clone();
    let capture = OnDrop(move || use_all(&own));
    let shared = SharedCallback::new(move |_: &Task<u32>| _ = &capture);
    let removed_by = shared.clone();
    task.add_shared(&shared);
    task.add_shared(&shared);
    task.add_done_callback(log.says("survivor"));
    drop(shared);
    assert_eq!(task.remove_shared(&removed_by), 2);
    drop(removed_by);
    assert_eq!((task.is_cancelled(), log.words()), (true, vec!["survivor"]));
}

/// D1, D4, P12, P13
#[test]
fn what_a_refused_callback_captured_may_do_everything_when_dropped() {
    let (scheduler, reports) = watched(refusing);
    let ((completer, task), (_pending, other)) = (whendone::task(scheduler), whendone::task(Inline));
    let of_other = other.clone();
    let own = task.clone();
    let capture = OnDrop(move || {
        use_all(&own);
        use_all(&of_other);
    });
    task.add_done_callback(move |_| _ = &capture);
    completer.complete(3).unwrap();
    assert!(other.is_cancelled());
    assert_eq!(failures(&reports), [Failure::CallbackLost; 3]);
}

/// D1, D7, P12, P16
#[test]
fn a_completer_that_a_dropped_callback_captured_abandons_its_task_and_that_may_do_everything() {
    let (log, (completer, task)) = (Log::default(), whendone::task::<u32>(Inline));
    let (_holder, holder) = whendone::task::<u32>(Inline);
    let of_holder = holder.clone();
    task.add_done_callback(move |_| use_all(&of_holder));
    task.add_done_callback(log.says("abandoned"));
    let id = holder.add_done_callback(move |_| completer.complete(1));
    assert!(holder.remove_done_callback(id));
    assert_eq!((task.outcome(), log.words()), (Some(&Outcome::Abandoned), vec!["abandoned"]));
    assert!(holder.is_cancelled());
}

/// D5, P12, P13
#[test]
fn the_hook_may_do_everything() {
    struct Curious(OnceLock<Task<u32>>, Log);
    impl Schedule for Curious {
        fn schedule(&self, ready: Ready) -> Result<(), Ready> {
            Inline.schedule(ready)
        }
        fn report(&self, _: &Report) {
            use_all(self.0.get().unwrap());
            self.1.note("told");
        }
    }
    let (log, (_pending, other)) = (Log::default(), whendone::task(Inline));
    let scheduler = Arc::new(Curious(OnceLock::new(), log.clone()));
    let (_completer, task) = whendone::task::<u32>(scheduler.clone());
    let _ = scheduler.0.set(other.clone());
    let bomb = OnDrop(|| panic!("captured"));
    let id = task.add_done_callback(move |_| _ = &bomb);
    task.add_done_callback(|_| panic!("callback"));
    assert!(task.remove_done_callback(id) && task.cancel());
    assert_eq!((log.words(), other.is_cancelled()), (vec!["told", "told"], true));
}

/// R5, R28, D1, D9, P12, P13, P17
#[test]
fn a_waker_may_do_everything_when_it_is_cloned_woken_or_dropped() {
    for at in [Touch::Clone, Touch::Wake, Touch::Drop] {
        let (log, (completer, task)) = (Log::default(), whendone::task(Inline));
        let waker = touchy_waker({
            let (log, task) = (log.clone(), task.clone());
            move |touch| {
                if touch == at {
                    use_all(&task);
                    log.note("touched");
                }
            }
        });
        let mut wait = (&task).into_future();
        let completed_by_clone = poll(&mut wait, &waker).is_ready();
        assert_eq!(completed_by_clone, at == Touch::Clone);
        let mut again = (&task).into_future();
        assert_eq!(poll(&mut again, Waker::noop()).is_ready(), completed_by_clone);
        if at == Touch::Drop {
            drop(wait);
        }
        assert_eq!(completer.complete(1).is_ok(), at == Touch::Wake);
        assert_eq!((poll(&mut again, Waker::noop()).is_ready(), log.words()), (true, vec!["touched"]));
    }
}

/// D9, P12, P13, P17
#[test]
fn a_waker_that_is_swapped_out_may_complete_the_task() {
    for at in [Touch::Clone, Touch::Drop] {
        let (log, (_completer, task)) = (Log::default(), whendone::task::<u32>(Inline));
        let (mut wait, armed) = ((&task).into_future(), Rc::new(Cell::new(false)));
        let waker = touchy_waker({
            let (armed, task) = (armed.clone(), task.clone());
            move |touch| {
                if touch == at && armed.get() {
                    use_all(&task);
                }
            }
        });
        let swapped_in = log.waker("swapped in");
        let (first, second) = if at == Touch::Drop { (&waker, &swapped_in) } else { (&swapped_in, &waker) };
        assert!(poll(&mut wait, first).is_pending());
        armed.set(true);
        let ready = poll(&mut wait, second).is_ready();
        assert!(task.is_cancelled());
        assert!(ready || log.words() == ["swapped in"], "{at:?}");
    }
}

// Completers, handles and drops

/// R80, D7, P16
#[test]
fn a_dropped_completer_abandons_its_pending_task_and_callbacks_and_awaits_see_it() {
    let (log, (completer, task)) = (Log::default(), whendone::task::<u32>(Inline));
    let mut wait = (&task).into_future();
    assert!(poll(&mut wait, &log.waker("woken")).is_pending());
    let says = log.says("abandoned");
    task.add_done_callback(move |task| {
        assert_eq!(task.outcome(), Some(&Outcome::Abandoned));
        says(task);
    });
    drop(completer);
    assert_eq!(poll(&mut wait, Waker::noop()), Poll::Ready(&Outcome::Abandoned));
    assert_eq!(log.words(), ["woken", "abandoned"]);
}

/// R1, D7, P1
#[test]
fn a_completer_that_is_dropped_after_a_cancel_changes_nothing() {
    let (completer, task) = whendone::task::<u32>(Inline);
    assert!(completer.task().cancel());
    drop(completer);
    assert!(task.is_cancelled());
}

/// R80, D7
#[test]
fn callbacks_run_though_all_handles_were_dropped() {
    let (log, (completer, task)) = (Log::default(), whendone::task(Inline));
    task.add_done_callback(log.says("ran"));
    drop(task);
    completer.complete(()).unwrap();
    assert_eq!(log.words(), ["ran"]);
}

/// R59, D8: of a task that ends without a panic, the last handle goes in silence.
#[test]
fn a_task_that_finished_or_was_cancelled_or_abandoned_is_dropped_without_a_report() {
    let ends: [fn(Completer<u32>); 3] =
        [|completer| completer.complete(3).unwrap(), |completer| assert!(completer.task().cancel()), drop];
    for end in ends {
        let (scheduler, reports) = watched(Inline);
        let (completer, task) = whendone::task(scheduler);
        task.add_done_callback(|_| ());
        end(completer);
        drop(task);
        assert_eq!(failures(&reports), []);
    }
}

/// R18, R76, P15
#[test]
fn the_value_lives_until_the_last_handle_is_gone_and_queued_callbacks_have_one() {
    let ((scheduler, queue), value) = (queue(), Arc::new(()));
    let (completer, task) = whendone::task(scheduler);
    task.add_done_callback(|task| assert!(task.is_done()));
    completer.complete(value.clone()).unwrap();
    drop(task);
    assert_eq!(Arc::strong_count(&value), 2);
    run_all(&queue);
    assert_eq!(Arc::strong_count(&value), 1);
}

/// P15
#[test]
fn captures_and_values_are_released_on_every_path() {
    let held = Arc::new(());
    let refuse: fn(Ready) -> Result<(), Ready> = refusing;
    for scheduler in [refuse, |ready| Inline.schedule(ready), |_| Ok(()), |_| panic!("scheduler")] {
        for end in [|completer: Completer<_>, value| _ = completer.complete(value), |completer, _| drop(completer)] {
            let (scheduler, reports) = watched(scheduler);
            let (completer, task) = whendone::task(scheduler);
            let [early, removed, panicking, waiting, late] = std::array::from_fn(|_| held.clone());
            task.add_done_callback(move |_| drop(early));
            let id = task.add_done_callback(move |_| drop(removed));
            assert!(task.remove_done_callback(id));
            task.add_done_callback(move |_| panic_any(panicking));
            let shared = SharedCallback::new(move |_: &Task<_>| _ = &waiting);
            let (_, _, _) = (task.add_shared(&shared), task.remove_shared(&shared), task.add_shared(&shared));
            end(completer, held.clone());
            task.add_done_callback(move |_| drop(late));
            drop((task, shared, reports));
            assert_eq!(Arc::strong_count(&held), 1);
        }
    }
    let (completer, task) = whendone::task(Inline);
    task.cancel();
    drop((completer.complete(held.clone()), task));
    assert_eq!(Arc::strong_count(&held), 1);
}

/// R108, P15
#[test]
fn a_callback_that_captures_its_own_task_keeps_it_until_completion_or_removal() {
    let held = Arc::new(());
    for complete in [true, false] {
        let (completer, task) = whendone::task(watched(Inline).0);
        let (own, capture) = (task.clone(), held.clone());
        let id = task.add_done_callback(move |_| drop((own, capture)));
        assert_eq!(Arc::strong_count(&held), 2);
        if complete {
            completer.complete(()).unwrap();
        } else {
            assert!(task.remove_done_callback(id));
        }
        assert_eq!(Arc::strong_count(&held), 1);
    }
}

// Debug

/// R102, R103, D13
#[test]
fn a_task_prints_its_state_its_name_its_result_and_how_many_callbacks_wait() {
    let (completer, task) = whendone::task(Inline);
    assert_eq!((format!("{task:?}").as_str(), task.name()), ("<Task pending>", None));
    let id = task.add_done_callback(|task| assert_eq!(format!("{task:?}"), "<Task finished result=\"text\">"));
    assert_eq!(format!("{task:?}"), "<Task pending cb=[1 waiting]>");
    task.add_done_callback(|_| ());
    assert_eq!(format!("{task:?}"), "<Task pending cb=[2 waiting]>");
    assert!(task.remove_done_callback(id));
    assert_eq!(format!("{task:?} {completer:?}"), "<Task pending cb=[1 waiting]> <Completer of <Task pending>>");
    completer.complete("text").unwrap();
    assert_eq!(format!("{task:?}"), "<Task finished result=\"text\">");

    let (completer, task) = whendone::task_named("job", Inline);
    assert_eq!((format!("{task:?}").as_str(), task.name()), ("<Task pending name='job'>", Some("job")));
    task.add_done_callback(|_| ());
    assert_eq!(format!("{task:?}"), "<Task pending name='job' cb=[1 waiting]>");
    completer.complete(3).unwrap();
    assert_eq!(format!("{task:?}"), "<Task finished name='job' result=3>");

    let (completer, cancelled) = whendone::task::<u32>(Inline);
    cancelled.cancel();
    assert_eq!(format!("{cancelled:?} {completer:?}"), "<Task cancelled> <Completer of <Task cancelled>>");
    let (_, abandoned) = whendone::task_named::<u32>("job", Inline);
    assert_eq!(format!("{abandoned:?}"), "<Task abandoned name='job'>");
}

/// R102
#[test]
fn a_done_task_prints_no_callbacks_though_some_have_not_run() {
    let (sender, printed) = mpsc::channel();
    let (completer, task) = whendone::task(Inline);
    task.add_done_callback(move |task| {
        task.add_done_callback(|_| ());
        sender.send(format!("{task:?}"))
    });
    completer.complete(3).unwrap();
    assert_eq!(printed.recv().unwrap(), "<Task finished result=3>");
}

/// R103
#[test]
fn printing_survives_a_task_that_holds_itself() {
    struct Holder(OnceLock<Task<Holder>>);
    impl fmt::Debug for Holder {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "holds {:?}", self.0.get())
        }
    }
    let (completer, task) = whendone::task::<Holder>(Inline);
    completer.complete(Holder(OnceLock::from(task.clone()))).unwrap();
    assert_eq!(format!("{task:?}"), "<Task finished result=holds Some(<Task ...>)>");
}

/// R103
#[test]
fn printing_survives_a_task_that_holds_itself_twice() {
    struct Twice([OnceLock<Task<Twice>>; 2]);
    impl fmt::Debug for Twice {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{:?} and {:?}", self.0[0].get(), self.0[1].get())
        }
    }
    let (completer, task) = whendone::task::<Twice>(Inline);
    completer.complete(Twice([(), ()].map(|()| OnceLock::from(task.clone())))).unwrap();
    assert_eq!(format!("{task:?}"), "<Task finished result=Some(<Task ...>) and Some(<Task ...>)>");
}

/// R103, P14
#[test]
fn printing_one_task_twice_side_by_side_or_after_a_panic_in_its_value_shows_it_whole() {
    struct Shy(AtomicBool);
    impl fmt::Debug for Shy {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            assert!(self.0.swap(true, SeqCst), "shy");
            f.write_str("Shy")
        }
    }
    let (completer, task) = whendone::task(Inline);
    completer.complete(Shy(AtomicBool::new(false))).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| format!("{task:?}"))).is_err());
    let (completer, pair) = whendone::task(Inline);
    completer.complete((task.clone(), task)).unwrap();
    let shy = "<Task finished result=Shy>";
    assert_eq!(format!("{pair:?}"), format!("<Task finished result=({shy}, {shy})>"));
}

/// R103
#[test]
fn a_task_can_be_printed_while_its_thread_ends() {
    thread_local!(static KEPT: RefCell<Option<Completer<()>>> = const { RefCell::new(None) });
    let (sender, printed) = mpsc::channel();
    for print_first in [true, false] {
        let (completer, task) = whendone::task(Inline);
        let (sender, own) = (sender.clone(), task.clone());
        task.add_done_callback(move |task| sender.send(format!("{task:?}")));
        let ending = thread::spawn(move || {
            let _ = print_first && format!("{own:?}").is_empty();
            KEPT.set(Some(completer));
            format!("{own:?}")
        });
        assert_eq!(ending.join().unwrap(), "<Task pending cb=[1 waiting]>");
    }
    assert_eq!(printed.try_iter().collect::<Vec<_>>(), ["<Task abandoned>"; 2]);
}

/// R102
#[test]
fn awaits_shared_callbacks_and_ready_ones_print_where_they_come_from() {
    fn callback(_: &Task<u32>) {}
    let (scheduler, queue) = queue();
    let (completer, task) = whendone::task_named("job", scheduler);
    assert_eq!(format!("{:?}", (&task).into_future()), "<Wait for <Task pending name='job'>>");
    assert!(format!("{:?}", SharedCallback::new(callback)).contains("come_from::callback"));
    task.add_done_callback(callback);
    completer.complete(3).unwrap();
    let ready = queue.recv().unwrap();
    let printed = format!("{ready:?}");
    assert!(printed.contains("come_from::callback") && printed.contains(file!()), "{printed}");
    ready.run();
}
