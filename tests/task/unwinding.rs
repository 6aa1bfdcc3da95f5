//! Destructors and guards while the thread unwinds: each does what it does at any other time.

use super::support::{
    Log, OnDrop, Touch, failures, poll, queue, refusing, run_all, touchy_waker, watched, while_unwinding,
};
use std::future::IntoFuture;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::process::Command;
use std::sync::{Arc, Mutex, mpsc};
use std::task::Waker;
use std::{env, thread};
use whendone::kernel::{Cell, Phase, UNTAGGED};
use whendone::{AnyTask, Failure, Inline, Outcome, Panic, Ready, Serial, SharedCallback, Task};

fn panicked<T>(message: &'static str) -> Outcome<T> {
    Outcome::Panicked(Panic::new(Box::new(message)))
}

/// The helper is no empty frame: what it calls runs inside a destructor.
#[test]
fn the_helper_calls_while_its_thread_unwinds_and_passes_a_panic_on() {
    assert!(while_unwinding(thread::panicking) && !thread::panicking());
    let passed = catch_unwind(|| while_unwinding(|| panic_any(7_u8)));
    assert_eq!(passed.unwrap_err().downcast_ref(), Some(&7_u8));
}

/// D7, P14, P16
#[test]
fn a_completer_dropped_while_its_thread_unwinds_abandons_its_task() {
    let (log, (completer, task)) = (Log::default(), whendone::task::<()>(Inline));
    let mut wait = (&task).into_future();
    task.add_done_callback(log.says("a"));
    assert!(poll(&mut wait, &log.waker("woken")).is_pending());
    task.add_done_callback(log.says("b"));
    while_unwinding(|| drop(completer));
    assert_eq!((task.outcome(), log.words()), (Some(&Outcome::Abandoned), vec!["a", "woken", "b"]));
}

/// R106, D9, P14, P15
#[test]
fn an_await_dropped_while_its_thread_unwinds_gives_up_its_place_and_its_waker() {
    let (log, (completer, task)) = (Log::default(), whendone::task(Inline));
    for by_reference in [true, false] {
        let waker = log.waker("woken");
        let (mut borrowed, mut owned) = ((&task).into_future(), task.clone().into_future());
        let pending =
            if by_reference { poll(&mut borrowed, &waker).is_pending() } else { poll(&mut owned, &waker).is_pending() };
        drop(waker);
        // The log's own handle, and that of the waker that waits.
        assert_eq!((pending, Arc::strong_count(&log.0)), (true, 2));
        assert_eq!(format!("{task:?}"), "<Task pending cb=[1 waiting]>");
        while_unwinding(|| drop((borrowed, owned)));
        assert_eq!((format!("{task:?}").as_str(), Arc::strong_count(&log.0)), ("<Task pending>", 1));
    }
    completer.complete(3).unwrap();
    assert!(log.words().is_empty());
}

/// D4, P14, P15
#[test]
fn a_queued_callback_dropped_while_its_thread_unwinds_reports_itself_in_full() {
    let (held, (scheduler, queue)) = (Arc::new(()), queue());
    let (scheduler, reports) = watched(scheduler);
    let (completer, task) = whendone::task_named("job", scheduler);
    let [once, shared] = [held.clone(), held.clone()];
    let line = line!() + 1;
    task.add_done_callback(move |_| drop(once));
    task.add_shared(&SharedCallback::new(move |_: &Task<()>| _ = &shared));
    completer.complete(()).unwrap();
    while_unwinding(|| queue.try_iter().for_each(drop));
    let told: Vec<_> = reports.try_iter().collect();
    assert_eq!(told.len(), 2);
    for (report, line) in told.iter().zip(line..) {
        assert_eq!(
            (report.failure, report.task.as_deref()),
            (Failure::CallbackLost, Some("<Task finished name='job'>"))
        );
        assert_eq!((report.callback.unwrap().added_at.line(), report.panic.is_none()), (line, true));
    }
    assert_eq!(Arc::strong_count(&held), 1);
}

/// D4, P14
#[test]
fn a_callback_that_is_refused_while_its_thread_unwinds_reports_itself() {
    let (scheduler, reports) = watched(refusing);
    let (completer, task) = whendone::task(scheduler);
    task.add_done_callback(|_| ());
    while_unwinding(|| completer.complete(())).unwrap();
    while_unwinding(|| task.add_done_callback(|_| ()));
    assert_eq!(failures(&reports), [Failure::CallbackLost; 2]);
}

/// R72, D8, P14
#[test]
fn a_last_handle_dropped_while_its_thread_unwinds_reports_a_panic_that_nobody_retrieved() {
    let (scheduler, reports) = watched(Inline);
    let (completer, task) = whendone::task::<()>(scheduler);
    completer.complete_with(panicked("never seen")).unwrap();
    while_unwinding(|| drop(task));
    let told: Vec<_> = reports.try_iter().collect();
    let [report] = &told[..] else { panic!("one is reported, {told:?}") };
    assert_eq!((report.failure, report.task.as_deref()), (Failure::PanicNeverRetrieved, Some("<Task panicked>")));
    assert_eq!(report.panic.as_ref().map(Panic::message), Some("never seen"));
}

/// R45, R50, R75, D8, P14: each of these retrieves the panic, and only the last one does not.
#[test]
fn a_look_counts_while_its_thread_unwinds() {
    type Look = fn(&Task<u32>);
    let looks: [(&str, Look); 6] = [
        ("outcome", |task| assert!(task.outcome().is_some())),
        ("await by reference", |task| assert!(poll(&mut task.into_future(), Waker::noop()).is_ready())),
        ("await by value", |task| assert!(poll(&mut task.clone().into_future(), Waker::noop()).is_ready())),
        ("refused cancel", |task| assert!(!task.cancel())),
        ("refused cancel without the type", |task| assert!(!AnyTask::from(task).cancel())),
        ("is_done", |task| assert!(task.is_done() && !task.is_cancelled())),
    ];
    for (name, look) in looks {
        let (scheduler, reports) = watched(Inline);
        let (completer, task) = whendone::task(scheduler);
        completer.complete_with(panicked("of the task")).unwrap();
        while_unwinding(|| look(&task));
        drop(task);
        let expected: &[Failure] = if name == "is_done" { &[Failure::PanicNeverRetrieved] } else { &[] };
        assert_eq!(failures(&reports), expected, "{name}");
    }
    let (scheduler, reports) = watched(Inline);
    let (completer, task) = whendone::task::<u32>(scheduler);
    completer.complete_with(panicked("of the task")).unwrap();
    let outcome = while_unwinding(|| task.try_into_outcome()).unwrap();
    assert_eq!((outcome.into_value(), failures(&reports)), (None, vec![]));
}

/// D11, P7, P8, P14
#[test]
fn drains_deferred_while_a_thread_unwinds_run_after_the_callback_and_leave_nothing_behind() {
    let log = Log::default();
    let ((first, outer), (second, inner)) = (whendone::task(Inline), whendone::task(Inline));
    inner.add_done_callback(log.says("inner"));
    let callback = log.clone();
    outer.add_done_callback(move |_| {
        second.complete(()).unwrap();
        callback.note("outer");
    });
    outer.add_done_callback(log.says("outer again"));
    while_unwinding(|| first.complete(())).unwrap();
    assert_eq!(log.words(), ["outer", "outer again", "inner"]);
    // The thread is in no drain any more.
    inner.add_done_callback(log.says("late"));
    // The same if no drain was deferred.
    while_unwinding(|| inner.add_done_callback(log.says("later")));
    inner.add_done_callback(log.says("at last"));
    assert_eq!(log.words(), ["outer", "outer again", "inner", "late", "later", "at last"]);
}

/// D24, P14
#[test]
fn a_callback_of_a_serial_gives_its_place_up_while_its_thread_unwinds() {
    for runs in [true, false] {
        let (scheduler, queue) = queue();
        let (scheduler, reports) = watched(scheduler);
        let (log, (completer, task)) = (Log::default(), whendone::task(Serial::new(scheduler)));
        task.add_done_callback(log.says("first"));
        task.add_done_callback(log.says("second"));
        completer.complete(()).unwrap();
        let ready = queue.try_recv().unwrap();
        assert!(queue.try_recv().is_err());
        while_unwinding(|| if runs { ready.run() } else { drop(ready) });
        run_all(&queue);
        let expected =
            if runs { (vec!["first", "second"], vec![]) } else { (vec!["second"], vec![Failure::CallbackLost]) };
        assert_eq!((log.words(), failures(&reports)), expected);
    }
}

/// D28, P14, P15
#[test]
fn a_payload_is_dropped_once_and_its_panic_contained_while_its_thread_unwinds() {
    let (log, held) = (Log::default(), Arc::new(()));
    let payload = held.clone();
    let panic = Panic::new(Box::new(payload));
    let twin = panic.clone();
    while_unwinding(|| drop(panic));
    assert_eq!(Arc::strong_count(&held), 2);
    while_unwinding(|| drop(twin));
    assert_eq!(Arc::strong_count(&held), 1);
    let noting = log.clone();
    let bomb = OnDrop(move || {
        noting.note("dropped");
        panic!("of the payload");
    });
    let panic = Panic::new(Box::new(bomb));
    while_unwinding(|| drop(panic));
    assert_eq!(log.words(), ["dropped"]);
}

/// D5, P14: of each kind of user code.
#[test]
fn panics_are_contained_and_reported_while_a_thread_unwinds() {
    let (scheduler, reports) = watched(Inline);
    let (log, (completer, task)) = (Log::default(), whendone::task(scheduler));
    let bomb = OnDrop(|| panic!("captured"));
    let removed = task.add_done_callback(move |_| _ = &bomb);
    task.add_done_callback(|_| panic!("first"));
    task.add_done_callback(log.says("between"));
    task.add_done_callback(|_| panic!("second"));
    while_unwinding(|| {
        assert!(task.remove_done_callback(removed));
        completer.complete(()).unwrap();
        task.add_done_callback(|_| panic!("late"));
    });
    let told: Vec<_> = reports.try_iter().map(|report| (report.failure, report.panic.unwrap())).collect();
    let told: Vec<_> = told.iter().map(|(failure, panic)| (*failure, panic.message())).collect();
    use Failure::{CallbackPanicked, DropPanicked};
    let expected = [(DropPanicked, "captured"), (CallbackPanicked, "first"), (CallbackPanicked, "second")];
    assert_eq!(told, [&expected[..], &[(CallbackPanicked, "late")]].concat());
    assert_eq!(log.words(), ["between"]);
}

/// D4, D9, D24, P14: the other guards: around wakers, schedulers, and values that go with the last handle.
#[test]
fn every_guard_contains_and_reports_while_its_thread_unwinds() {
    use Failure::{CallbackLost, SchedulerPanicked, WakerPanicked};
    assert_eq!([guards_of_wakers(), while_unwinding(guards_of_wakers)], [(); 2].map(|()| vec![WakerPanicked; 3]));
    let of_schedulers = vec![CallbackLost, SchedulerPanicked, CallbackLost, SchedulerPanicked];
    let guarded = [guards_of_schedulers(), while_unwinding(guards_of_schedulers)];
    assert_eq!(guarded, [(); 2].map(|()| of_schedulers.clone()));
    let ran = vec!["ran", "deferred", "behind"];
    assert_eq!([guards_of_values(), while_unwinding(guards_of_values)], [(); 2].map(|()| ran.clone()));
}

/// One waker panics when it is woken, in its turn between two queued callbacks, one when it is swapped out, and one when
/// its await is dropped.
fn guards_of_wakers() -> Vec<Failure> {
    let (scheduler, queue) = queue();
    let (scheduler, reports) = watched(scheduler);
    let (completer, task) = whendone::task::<()>(scheduler);
    let of_drop = ManuallyDrop::new(touchy_waker(|touch| assert_eq!(touch, Touch::Clone, "panics")));
    let (mut swapped, mut dropped, mut woken) = (task.wait(), task.wait(), task.wait());
    for wait in [&mut swapped, &mut dropped, &mut woken] {
        assert!(poll(wait, &of_drop).is_pending());
    }
    assert!(poll(&mut swapped, Waker::noop()).is_pending());
    drop(dropped);
    task.add_done_callback(|_| ());
    completer.complete(()).unwrap();
    assert_eq!(queue.try_iter().map(Ready::run).count(), 1);
    failures(&reports)
}

/// A scheduler panics, by itself and behind a `Serial`.
fn guards_of_schedulers() -> Vec<Failure> {
    let panics = |_: Ready| -> Result<(), Ready> { panic!("of the scheduler") };
    let (scheduler, reports) = watched(panics);
    let (completer, task) = whendone::task(scheduler);
    task.add_done_callback(|_| ());
    completer.complete(()).unwrap();
    let mut told = failures(&reports);
    // The scheduler takes one callback, and panics when it gets the one behind it.
    let (first, queue) = mpsc::channel();
    let first = Mutex::new(Some(first));
    let one = move |ready| {
        let first = first.lock().unwrap().take();
        first.map_or_else(|| panic!("of the scheduler"), |first| first.send(ready).map_err(|refused| refused.0))
    };
    let (scheduler, reports) = watched(one);
    let (completer, task) = whendone::task(Serial::new(scheduler));
    task.add_done_callback(|_| ());
    task.add_done_callback(|_| ());
    completer.complete(()).unwrap();
    run_all(&queue);
    told.extend(failures(&reports));
    told
}

/// A value whose drop panics goes with a queued callback that runs, with one that is lost, and with a deferred drain.
fn guards_of_values() -> Vec<&'static str> {
    let (log, (scheduler, queue)) = (Log::default(), queue());
    let bomb = || OnDrop(|| panic!("of the value"));
    for runs in [true, false] {
        let (completer, task) = whendone::task(scheduler.clone());
        task.add_done_callback(log.says("ran"));
        drop(task);
        assert!(completer.complete(bomb()).is_ok());
        let ready = queue.recv().unwrap();
        if runs { ready.run() } else { drop(ready) }
    }
    let ((first, outer), (doomed, inner)) = (whendone::task(Inline), whendone::task(Inline));
    inner.add_done_callback(log.says("deferred"));
    drop(inner);
    let (behind, last) = whendone::task::<()>(Inline);
    last.add_done_callback(log.says("behind"));
    outer.add_done_callback(move |_| {
        assert!(doomed.complete(bomb()).is_ok());
        drop(behind);
    });
    first.complete(()).unwrap();
    log.words()
}

/// R103, P14
#[test]
fn a_task_prints_the_same_each_time_while_its_thread_unwinds() {
    let (completer, task) = whendone::task_named("job", Inline);
    let print = || format!("{task:?} {:?} {:?}", AnyTask::from(&task), task.wait());
    let pending = print();
    assert_eq!(pending, "<Task pending name='job'> <Task pending name='job'> <Wait for <Task pending name='job'>>");
    assert_eq!([(); 2].map(|()| while_unwinding(print)), [(); 2].map(|()| pending.clone()));
    completer.complete(3).unwrap();
    assert_eq!([(); 2].map(|()| while_unwinding(|| format!("{task:?}"))), ["<Task finished name='job' result=3>"; 2]);
    assert_eq!(format!("{task:?}"), "<Task finished name='job' result=3>");
}

/// P14
#[test]
fn a_hand_over_that_unwinds_in_an_unwinding_thread_finishes_its_drain() {
    let cell = Cell::<u32, &str>::new(1);
    for callback in ["a", "b"] {
        cell.add_waiting(UNTAGGED, callback).unwrap();
    }
    let (owed, mut handed) = (cell.complete(1).unwrap(), Vec::new());
    let hand_over = |callback: &'static str| {
        handed.push(callback);
        assert_ne!(callback, "a");
    };
    let (cell, mut hand_over) = (&cell, AssertUnwindSafe(hand_over));
    let drained = while_unwinding(|| {
        catch_unwind(AssertUnwindSafe(|| cell.drain(owed, |batch| batch.for_each(&mut *hand_over))))
    });
    assert!(drained.is_err());
    assert_eq!((handed, cell.phase()), (vec!["a", "b"], (Phase::Settled, 0)));
}

/// P5: its documentation says so. In another process, whose end can be seen.
#[test]
#[cfg(debug_assertions)]
fn a_token_dropped_unspent_while_its_thread_unwinds_aborts_the_process() {
    const NAME: &str = "unwinding::a_token_dropped_unspent_while_its_thread_unwinds_aborts_the_process";
    if env::var_os(NAME).is_some() {
        let owed = Cell::<u32, &str>::new(1).complete(1);
        let _ = catch_unwind(AssertUnwindSafe(move || {
            let _owed = owed;
            panic!("of the holder");
        }));
        return;
    }
    let mut command = Command::new(env::current_exe().unwrap());
    let output = command.args(["--exact", NAME, "--nocapture"]).env(NAME, "").output().unwrap();
    let printed = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), None, "a signal ended it: {printed}");
    assert!(printed.contains("a drain token was dropped unspent, and callbacks with it: call `drain`"), "{printed}");
}

/// P14: an operation that looks whether its thread unwinds would show.
#[test]
fn every_operation_does_the_same_while_its_thread_unwinds() {
    let (plain, unwinding) = (everything(), while_unwinding(everything));
    assert!(plain.contains("callback dropped before it ran") && plain.contains("contained"), "{plain}");
    assert_eq!(unwinding, plain);
}

/// Notes the answers and effects of every operation in turn, in one text.
fn everything() -> String {
    let log = Log::default();
    let (scheduler, queue) = queue();
    let (scheduler, reports) = watched(scheduler);
    let mut told = String::new();
    let mut tell = |what: &dyn std::fmt::Debug| told += &format!("{what:?} ");
    let (completer, task) = whendone::task_named::<u32>("job", scheduler);
    let shared = SharedCallback::new(log.says("shared"));
    let id = task.add_done_callback(log.says("removed"));
    task.add_shared(&shared);
    task.add_done_callback(log.says("first"));
    let mut wait = (&task).into_future();
    tell(&poll(&mut wait, &log.waker("old")));
    tell(&poll(&mut wait, &log.waker("woken")));
    task.add_shared(&shared);
    tell(&(task.remove_done_callback(id), task.remove_done_callback(id), &task, &completer));
    tell(&task.remove_shared(&shared));
    task.add_done_callback(|_| panic!("contained"));
    tell(&completer.complete(3));
    tell(&(queue.try_iter().map(Ready::run).count(), poll(&mut wait, Waker::noop()), task.cancel()));
    task.add_done_callback(log.says("late"));
    drop(queue);
    task.add_done_callback(log.says("lost"));
    tell(&(
        task.is_done(),
        task.outcome(),
        &task,
        reports.try_iter().map(|report| report.to_string()).collect::<Vec<_>>(),
    ));
    drop(wait);
    tell(&task.try_into_outcome());
    tell(&log.words());
    told
}
