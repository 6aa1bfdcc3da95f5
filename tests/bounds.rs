//! The bounds of the public interface: each function takes the weakest types that it promises to take.
//!
//! A bound too many does not compile. `tests/compile_fail.rs` compiles this file once more, where a test can fail.

use std::borrow::Cow;
use std::cell::{Cell as Plain, RefCell};
use std::error::Error;
use std::future::IntoFuture;
use std::hash::Hash;
use std::marker::{PhantomData, PhantomPinned};
use std::num::NonZeroU64;
use std::rc::Rc;
use std::sync::{Arc, MutexGuard};
use whendone::kernel::{Added, Batch, Cell, Drain, UNTAGGED};
use whendone::{
    AlreadyDone, AnyTask, CallbackId, Completer, DoneReturn, Inline, NoValue, Outcome, Panic, Ready, Report, Schedule,
    Serial, SharedCallback, Task, Wait, task, task_named,
};

/// A value with no trait at all, not even an auto trait: neither `Send`, `Sync`, `Unpin` nor unwind-safe.
struct Bare {
    _is_not_unpin: PhantomPinned,
    _is_not_sent: PhantomData<MutexGuard<'static, ()>>,
    _is_not_shared: PhantomData<RefCell<()>>,
    _is_not_unwind_safe: PhantomData<(Rc<RefCell<()>>, &'static mut ())>,
}

const BARE: Bare = Bare {
    _is_not_unpin: PhantomPinned,
    _is_not_sent: PhantomData,
    _is_not_shared: PhantomData,
    _is_not_unwind_safe: PhantomData,
};

/// A value that may be sent and shared, and has no other trait.
struct Shared {
    _mark: PhantomPinned,
}

const SHARED: Shared = Shared { _mark: PhantomPinned };

/// Captures that may be sent and not shared, and have no other trait.
struct Sent {
    _marks: (Plain<u32>, PhantomPinned),
}

fn sent() -> Sent {
    Sent { _marks: (Plain::new(0), PhantomPinned) }
}

impl Sent {
    /// Takes it by value, as a callback takes its captures.
    fn consume(self) {}
}

/// D6, R17
#[test]
fn a_callback_may_return_each_of_these_types() {
    fn returns<R: DoneReturn>() {}
    fn of_any_life<'a>(_: &'a str) {
        returns::<&'a str>();
    }
    of_any_life("text");
    returns::<()>();
    returns::<bool>();
    returns::<char>();
    returns::<String>();
    returns::<u8>();
    returns::<u16>();
    returns::<u32>();
    returns::<u64>();
    returns::<u128>();
    returns::<usize>();
    returns::<i8>();
    returns::<i16>();
    returns::<i32>();
    returns::<i64>();
    returns::<i128>();
    returns::<isize>();
    returns::<f32>();
    returns::<f64>();
    returns::<CallbackId>();
    returns::<Option<u64>>();
    returns::<Result<u64, Bare>>();
    returns::<Option<Result<Option<Task<Bare>>, Rc<()>>>>();
    returns::<Task<Bare>>();
    let (_completer, task) = task::<Shared>(Inline);
    // The type of a call that never returns has no name.
    task.add_done_callback(|_| panic!("it never runs"));
    task.add_shared(&SharedCallback::new(|_: &Task<Shared>| -> ! { unreachable!("it never runs") }));
}

/// D22, P21: of a value without any trait.
#[test]
fn a_task_of_any_value_is_completed_read_awaited_and_taken_apart() {
    let (completer, one) = task::<Bare>(Inline);
    let id = CallbackId::clone(&task::<u32>(Inline).1.add_done_callback(|_| ()));
    let shared = SharedCallback::new(|_: &Task<Bare>| ());
    assert!(!one.remove_done_callback(id) && one.remove_shared(&shared.clone()) == 0);
    assert!(one.outcome().is_none() && !one.is_done() && !one.is_cancelled() && one.name().is_none());
    assert!(one == one.clone() && one.id() == completer.task().id());
    assert_eq!(format!("{completer:?} {:?}", one.wait()), "<Completer of <Task pending>> <Wait for <Task pending>>");
    completer.complete(BARE).unwrap_or_else(|AlreadyDone(_)| unreachable!("it is pending"));
    assert!(one.outcome().is_some_and(|outcome| outcome.value().is_some() && outcome.as_ref().into_value().is_some()));
    let Ok(outcome) = one.try_into_outcome() else { unreachable!("it is done, and the only handle") };
    let Bare { .. } =
        outcome.map(|bare| bare).into_result().unwrap_or_else(|_: NoValue| unreachable!("it has a value"));

    let (completer, cancelled) = task_named::<Bare>("job", Inline);
    assert!(cancelled.cancel() && completer.complete(BARE).is_err_and(|AlreadyDone(Bare { .. })| true));
    let (completer, _two) = task::<Bare>(Inline);
    assert!(completer.cancel());
    let (completer, _three) = task::<Bare>(Inline);
    assert!(completer.complete_with(Outcome::Finished(BARE)).is_ok());
    let (completer, four) = task(Inline);
    // The function neither is sent nor lives long.
    let local = Rc::new(3);
    assert!(completer.run(|| (BARE, *local).0).is_ok());
    drop(four);
    let Bare { .. } = Outcome::Finished(BARE).unwrap();
    let Bare { .. } = Outcome::Finished(BARE).expect("a value");
    assert!(Outcome::<Bare>::Cancelled.into_value().is_none());
    assert_eq!(AlreadyDone(BARE).to_string(), "task is already done");
}

/// D22: only what clones, compares or prints a value asks the value for it.
#[test]
fn traits_of_handles_ask_nothing_of_the_value() {
    fn has<T: Clone + Eq + Hash>() {}
    fn prints<T: std::fmt::Debug>() {}
    fn is_unpin<T: Unpin>() {}
    fn is_error<T: Error>() {}
    fn awaits_by_reference<T: 'static>()
    where
        for<'a> &'a Task<T>: IntoFuture<Output = &'a Outcome<T>, IntoFuture = Wait<T, &'a Task<T>>>,
    {
    }
    fn awaits_by_value<T: 'static>()
    where
        Task<T>: IntoFuture<Output = Outcome<T>, IntoFuture = Wait<T, Task<T>>>,
    {
    }
    #[derive(Clone)]
    struct OnlyClone {
        _bare: PhantomData<Rc<()>>,
    }
    #[derive(Debug)]
    struct OnlyDebug {
        _bare: PhantomData<Rc<()>>,
    }
    has::<Task<Bare>>();
    has::<AnyTask>();
    has::<CallbackId>();
    prints::<Completer<Bare>>();
    prints::<Wait<Bare, Task<Bare>>>();
    prints::<Wait<Bare, &Task<Bare>>>();
    prints::<SharedCallback<Bare>>();
    prints::<Task<OnlyDebug>>();
    prints::<Outcome<OnlyDebug>>();
    is_unpin::<Wait<Bare, Task<Bare>>>();
    is_unpin::<Wait<Bare, &Task<Bare>>>();
    is_error::<AlreadyDone<OnlyDebug>>();
    awaits_by_reference::<Bare>();
    awaits_by_value::<OnlyClone>();
    assert!(Outcome::Finished(OnlyClone { _bare: PhantomData }).clone().value().is_some());
    assert_eq!(Outcome::Finished(3.5), Outcome::Finished(3.5)); // `PartialEq` is enough to compare
}

/// D3, P21: a callback is sent and called once.
#[test]
fn a_callback_need_not_be_shared_cloned_or_called_twice() {
    let (completer, task) = task::<Shared>(Inline);
    let (captured, ran) = (sent(), Arc::new(std::sync::atomic::AtomicU32::new(0)));
    let counts = ran.clone();
    let id = task.add_done_callback(move |_| {
        captured.consume();
        counts.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    });
    let removed = sent();
    let removed = task.add_done_callback(move |_| removed.consume());
    assert!(task.remove_done_callback(removed) && id != removed);
    // A shared one is called often, on threads side by side.
    let shared = SHARED;
    let counts = ran.clone();
    let shared = SharedCallback::new(move |_: &Task<Shared>| {
        let Shared { .. } = &shared;
        counts.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    });
    task.add_shared(&shared);
    assert!(completer.complete(SHARED).is_ok());
    assert_eq!(ran.load(std::sync::atomic::Ordering::Relaxed), 2);
    assert!(AnyTask::from(&task).is_done());
}

/// A name with no trait but that it becomes a text.
struct Name;

impl From<Name> for String {
    fn from(_: Name) -> Self {
        "text".to_owned()
    }
}

/// A scheduler with no trait but that of a scheduler.
struct OnlySchedules {
    _mark: PhantomPinned,
}

impl Schedule for OnlySchedules {
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        Inline.schedule(ready)
    }
}

/// D24
#[test]
fn a_scheduler_need_not_be_cloned_printed_or_compared() {
    fn schedules<S: Schedule>(_: S) {}
    fn clones<S: Clone>() {}
    let captured = SHARED;
    schedules(move |ready: Ready| {
        let Shared { .. } = &captured;
        Err(ready)
    });
    schedules(Arc::new(OnlySchedules { _mark: PhantomPinned }));
    schedules(Arc::new(Inline) as Arc<dyn Schedule>);
    schedules(Serial::new(OnlySchedules { _mark: PhantomPinned }));
    fn is_copied_and_made_of_nothing<S: Copy + Default>() {}
    clones::<Serial<OnlySchedules>>();
    is_copied_and_made_of_nothing::<Inline>();
    assert_eq!(task::<Bare>(OnlySchedules { _mark: PhantomPinned }).1.name(), None);
    let names = [
        task_named::<Bare>(Name, Inline).1,
        task_named("text", Inline).1,
        task_named(String::from("text"), Inline).1,
        task_named(Box::<str>::from("text"), Inline).1,
        task_named(Cow::Borrowed("text"), Inline).1,
    ];
    assert!(names.iter().all(|task| task.name() == Some("text")));
    assert_eq!(task_named::<Bare>('t', Inline).1.name(), Some("t"));
}

/// D5: the hook is given back in its own type.
#[test]
fn a_hook_need_only_be_shared() {
    fn sets<F: Fn(&Report) + Send + Sync + 'static>(_: &F) -> fn(F) -> Result<(), F> {
        whendone::set_exception_hook::<F>
    }
    let captured = SHARED;
    let hook = move |_: &Report| _ = &captured;
    // It is not called: the process has one hook, and keeps it.
    let _ = sets(&hook);
    assert_eq!(Panic::new(Box::new(sent())).message(), "a payload that is not text");
}

/// P12, P21: of callbacks and outcomes without any trait, the callbacks borrowed.
#[test]
fn a_cell_asks_nothing_of_its_outcome_and_its_callbacks() {
    let (local, cell) = (BARE, Cell::<Bare, &Bare>::new(1));
    let Added::Waits(id) = cell.add(UNTAGGED, &local) else { unreachable!("it is pending") };
    let waits = cell.add_waiting(NonZeroU64::MIN, &local).unwrap_or_else(|_| unreachable!("it is pending"));
    assert!(cell.replace(waits, &local).is_ok() && cell.remove(id).is_some());
    assert_eq!((cell.remove_all(NonZeroU64::MIN).len(), cell.phase().1), (1, 0));
    let owed: Drain<&Bare> = cell.complete(BARE).unwrap_or_else(|_| unreachable!("it is pending"));
    let mut handed = 0;
    cell.drain(owed, |batch: &mut Batch<&Bare>| handed += batch.count());
    let called = Rc::new(Plain::new(0));
    assert!(cell.add_late(|| called.set(1), |_| unreachable!("nothing waits")).is_some());
    assert_eq!((handed, called.get(), cell.snapshot().waiting.len()), (0, 1, 0));
    assert!(cell.outcome().is_some() && cell.into_outcome().is_some());
    assert_eq!(format!("{:?}", Cell::<u32, Bare>::new(1).snapshot().phase), "Pending");
    let _prints: &dyn std::fmt::Debug = &Cell::<u32, Bare>::new(1);
}

/// D12, D13: futures, values and functions that are only sent, or only sent and shared.
#[cfg(feature = "event-loop")]
#[test]
fn a_loop_asks_of_futures_values_and_functions_to_be_sent_and_shares_only_values_of_tasks() {
    use whendone::{EventLoop, run, spawn, spawn_named};
    /// A future that is neither shared nor moved while it is polled.
    async fn ready<T>(value: T) -> T {
        let captured = sent();
        std::future::ready(()).await;
        captured.consume();
        value
    }
    let Sent { .. } = run(async {
        let tasks = [spawn(ready(SHARED)), spawn_named("name", ready(SHARED)), spawn_named(Name, ready(SHARED))];
        for task in &tasks {
            assert!(task.wait().await.value().is_some());
        }
        ready(sent()).await
    });
    let captured = SHARED;
    let mut event_loop = EventLoop::with_exception_hook(move |_| _ = &captured);
    let handle = event_loop.handle();
    let captured = sent();
    assert!(handle.call_soon(move || captured.consume()).is_ok());
    let tasks = [handle.spawn(ready(SHARED)), handle.spawn_named(Name, ready(SHARED))];
    let Sent { .. } = event_loop.run_until_complete(ready(sent()));
    assert!(tasks.iter().all(Task::is_done));
    let Sent { .. } = event_loop.run(ready(sent()));
    let Sent { .. } = EventLoop::new().run(ready(sent()));
}
