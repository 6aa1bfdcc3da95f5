//! Adding, completing and draining on several threads.

use super::support::Log;
use std::cell::RefCell;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use whendone::{Completer, Inline, Outcome, Ready};

/// R30, D1, D11, D15
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
fn a_late_add_during_a_drain_returns_at_once_and_runs_on_the_drainer() {
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
fn a_late_add_to_a_task_with_a_deferred_drain_waits_for_that_thread() {
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
fn adds_racing_with_completion_run_once_serially_in_each_threads_order() {
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
