//! Panics of callbacks, schedulers, hooks, wakers and drops: contained and reported.

use super::support::{Log, OnDrop, Touch, failures, poll, queue, refusing, touchy_waker, watched};
use std::future::IntoFuture;
use std::hint::black_box;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{LazyLock, Mutex};
use std::task::Waker;
use std::thread;
use whendone::{Completer, Failure, Inline, Outcome, Panic, Ready, Report, Schedule, SharedCallback, Task};

/// R60, R61, R62, R64, D5, P14
#[test]
fn a_panic_in_a_callback_is_reported_in_full_and_the_others_run() {
    let (log, (scheduler, reports)) = (Log::default(), watched(Inline));
    let (completer, task) = whendone::task_named("job", scheduler);
    task.add_done_callback(log.says("before"));
    let line = line!() + 1;
    task.add_done_callback(|_| panic!("went {}", black_box("wrong")));
    task.add_done_callback(log.says("after"));
    assert_eq!(completer.complete(3), Ok(()));
    task.add_done_callback(log.says("late"));
    assert_eq!((log.words(), task.outcome()), (vec!["before", "after", "late"], Some(&Outcome::Finished(3))));
    let report = reports.try_recv().unwrap();
    let panic = report.panic.as_ref().unwrap();
    assert_eq!((report.failure, panic.message()), (Failure::CallbackPanicked, "went wrong"));
    assert_eq!(panic.take_payload().unwrap().downcast_ref(), Some(&"went wrong".to_owned()), "a text made at run time");
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
    // The compiler makes a constant of a text whose parts it knows.
    task.add_done_callback(|_| panic!("text of {}", black_box(2)));
    task.add_done_callback(|_| panic_any(7_u8));
    task.add_done_callback(|_| panic_any("text without format"));
    task.add_done_callback(|_| panic_any("owned text".to_owned()));
    task.add_done_callback(|_| panic_any(Box::<str>::from("neither of the two")));
    completer.complete(()).unwrap();
    let panics: Vec<_> = reports.try_iter().map(|report| report.panic.unwrap()).collect();
    let other = "a payload that is not text";
    let messages = ["text", "text of 2", other, "text without format", "owned text", other];
    assert!(panics.iter().map(Panic::message).eq(messages));
    let payloads: Vec<_> = panics.iter().map(|panic| panic.take_payload().unwrap()).collect();
    assert_eq!(payloads[0].downcast_ref(), Some(&"text"));
    assert_eq!(payloads[1].downcast_ref(), Some(&"text of 2".to_owned()));
    assert_eq!(payloads[2].downcast_ref(), Some(&7_u8));
    assert_eq!(payloads[3].downcast_ref(), Some(&"text without format"));
    assert_eq!(payloads[4].downcast_ref(), Some(&"owned text".to_owned()));
    assert_eq!(payloads[5].downcast_ref(), Some(&Box::<str>::from("neither of the two")));
    assert!(panics.iter().all(|panic| panic.clone().take_payload().is_none()));
    // The message stays.
    assert!(panics.iter().map(Panic::message).eq(messages));
}

/// D5, P14
#[test]
fn a_panic_in_dropping_captures_or_a_return_value_is_the_callbacks() {
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
fn a_removal_stands_and_reports_a_panic_in_dropping_its_callback() {
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
fn a_scheduler_that_panics_loses_only_its_callback_which_is_reported() {
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
fn a_completer_dropped_while_its_holder_unwinds_abandons_its_task() {
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

/// The reports of a task with this name to the process's hook, which is set once.
fn told_to_the_process(name: &'static str) -> Receiver<Report> {
    type Listener = (String, Sender<Report>);
    static LISTENERS: LazyLock<Mutex<Vec<Listener>>> = LazyLock::new(|| {
        let hook = |report: &Report| {
            let is_meant = |name: &str| report.task.as_ref().is_some_and(|task| task.contains(name));
            let listeners = LISTENERS.lock().unwrap();
            listeners.iter().filter(|(name, _)| is_meant(name)).for_each(|(_, to)| to.send(report.clone()).unwrap());
        };
        assert!(whendone::set_exception_hook(hook).is_ok());
        Mutex::default()
    });
    let (sender, reports) = mpsc::channel();
    LISTENERS.lock().unwrap().push((format!("name='{name}'"), sender));
    reports
}

/// D5
#[test]
fn a_scheduler_without_a_hook_reports_to_the_process_hook_set_once() {
    let reports = told_to_the_process("no hook");
    let second = |_: &Report| unreachable!("refused");
    assert!(whendone::set_exception_hook(second).is_err());
    let (completer, task) = whendone::task_named("no hook", refusing);
    task.add_done_callback(|_| ());
    completer.complete(()).unwrap();
    assert_eq!(failures(&reports), [Failure::CallbackLost]);
}

/// D5, P14: inline, one guard stands around many callbacks; each panic is still reported as that of its own callback,
/// or of no callback if it is a waker's.
#[test]
fn only_the_callback_that_panics_is_blamed() {
    let (log, reports) = (Log::default(), told_to_the_process("blamed"));
    let (completer, task) = whendone::task_named("blamed", Inline);
    let wakes = |touch| assert_ne!(touch, Touch::Wake, "in wake");
    let mut waits = [(); 3].map(|()| (&task).into_future());
    let panics = |_: &Task<()>| panic!("shared");
    let line = line!();
    assert!(poll(&mut waits[0], &touchy_waker(wakes)).is_pending());
    task.add_done_callback(|_| panic!("first"));
    assert!(poll(&mut waits[1], &touchy_waker(wakes)).is_pending());
    task.add_done_callback(log.says("between"));
    assert!(poll(&mut waits[2], &touchy_waker(wakes)).is_pending());
    task.add_shared(&SharedCallback::new(panics));
    task.add_done_callback(|_| panic!("second"));
    completer.complete(()).unwrap();
    task.add_done_callback(log.says("late"));
    task.add_done_callback(|_| panic!("late"));
    let told = |report: Report| {
        let message = report.panic.unwrap().message().to_owned();
        (report.failure, message, report.callback.map(|callback| callback.added_at.line() - line))
    };
    let told: Vec<_> = reports.try_iter().map(told).collect();
    let told: Vec<_> =
        told.iter().map(|(failure, message, line)| (*failure, message.split('\n').next().unwrap(), *line)).collect();
    use Failure::{CallbackPanicked, WakerPanicked};
    let in_wake = "assertion `left != right` failed: in wake";
    assert_eq!(
        told,
        [
            (WakerPanicked, in_wake, None),
            (CallbackPanicked, "first", Some(2)),
            (WakerPanicked, in_wake, None),
            (WakerPanicked, in_wake, None),
            (CallbackPanicked, "shared", Some(6)),
            (CallbackPanicked, "second", Some(7)),
            (CallbackPanicked, "late", Some(10)),
        ]
    );
    assert_eq!(log.words(), ["between", "late"]);
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
fn a_panic_in_cloning_a_waker_unwinds_into_poll_and_changes_nothing() {
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

/// P14: a queued callback can hold the last handle of its task, both when it runs and when it is dropped unrun.
#[test]
fn a_panic_in_a_value_that_a_queued_callback_drops_is_contained() {
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
fn a_panic_in_a_value_that_a_deferred_drain_drops_loses_no_callback() {
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

/// D3, D5, P14
#[test]
fn a_panic_in_a_shared_callback_is_reported_with_the_place_of_its_add() {
    let (scheduler, reports) = watched(Inline);
    let (completer, task) = whendone::task::<()>(scheduler);
    let shared = SharedCallback::new(|_: &Task<()>| panic!("shared"));
    let line = line!() + 1;
    task.add_shared(&shared);
    completer.complete(()).unwrap();
    let added_at = reports.try_recv().unwrap().callback.unwrap().added_at;
    assert_eq!((added_at.file(), added_at.line()), (file!(), line));
}

/// A payload whose drop panics with another payload of this type, for ever.
struct Endless;

impl Drop for Endless {
    fn drop(&mut self) {
        panic_any(Endless)
    }
}

/// D28, P14
#[test]
fn a_payload_whose_drop_panics_with_its_own_kind_does_no_harm() {
    struct Clumsy;
    impl Schedule for Clumsy {
        fn schedule(&self, _: Ready) -> Result<(), Ready> {
            panic_any(Endless)
        }
        fn report(&self, _: &Report) {
            panic_any(Endless)
        }
    }
    let (log, (scheduler, reports)) = (Log::default(), watched(Inline));
    let (completer, task) = whendone::task(scheduler);
    task.add_done_callback(|_| panic_any(Endless));
    let captured = Endless;
    assert!(task.remove_done_callback(task.add_done_callback(move |_| _ = &captured)));
    let wakes = |touch| {
        if touch == Touch::Wake {
            panic_any(Endless);
        }
    };
    let mut wait = (&task).into_future();
    assert!(poll(&mut wait, &touchy_waker(wakes)).is_pending());
    task.add_done_callback(log.says("after"));
    completer.complete(()).unwrap();
    assert_eq!(failures(&reports), [Failure::DropPanicked, Failure::CallbackPanicked, Failure::WakerPanicked]);

    let (completer, task) = whendone::task(Clumsy);
    task.add_done_callback(log.says("lost"));
    completer.complete(()).unwrap();
    assert_eq!(log.words(), ["after"]);
}
