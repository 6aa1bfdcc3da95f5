//! `Serial`: a line for each task, over a scheduler that keeps no order.

use super::support::{Log, OnDrop, failures, queue, refusing, run_all, watched};
use std::any::type_name_of_val;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex, Weak, mpsc};
use whendone::{Failure, Inline, Outcome, Ready, Schedule, Serial, Task};

/// A pool that takes the newest callback first.
#[derive(Clone, Default)]
struct Newest(Arc<Mutex<Vec<Ready>>>);

impl Newest {
    fn run_one(&self) -> bool {
        let newest = self.0.lock().unwrap().pop();
        newest.map(Ready::run).is_some()
    }
}

impl Schedule for Newest {
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        self.0.lock().unwrap().push(ready);
        Ok(())
    }
}

/// A done task of which `n` callbacks, the first of them at the scheduler and the others in line, note their number.
fn with_callbacks(n: usize, scheduler: impl Schedule) -> (Task<u32>, mpsc::Receiver<usize>) {
    let (completer, task) = whendone::task(scheduler);
    let (sender, ran) = mpsc::channel();
    for at in 0..n {
        let sender = sender.clone();
        task.add_done_callback(move |_| sender.send(at));
    }
    completer.complete(3).unwrap();
    (task, ran)
}

/// D24, R12
#[test]
fn callbacks_run_in_order_over_a_pool_that_runs_the_newest_first() {
    for (serial, expected) in [(true, [0, 1, 2, 3, 4]), (false, [4, 3, 2, 1, 0])] {
        let pool = Newest::default();
        let (_task, ran) = match serial {
            true => with_callbacks(5, Serial::new(pool.clone())),
            false => with_callbacks(5, pool.clone()),
        };
        while pool.run_one() {}
        assert_eq!(ran.try_iter().collect::<Vec<_>>(), expected);
    }
}

/// D24, P8
#[test]
fn the_other_scheduler_has_one_callback_of_each_task_at_a_time() {
    let (scheduler, queue) = queue();
    let serial = Serial::new(scheduler);
    let (a, a_ran) = with_callbacks(3, serial.clone());
    let (b, b_ran) = with_callbacks(3, serial);
    for n in 0..3 {
        let handed: Vec<_> = queue.try_iter().collect();
        assert_eq!(handed.iter().map(Ready::task_id).collect::<Vec<_>>(), [Some(a.id()), Some(b.id())]);
        assert!(handed.iter().all(|ready| ready.origin().added_at.file() == file!()));
        handed.into_iter().for_each(Ready::run);
        assert_eq!((a_ran.try_recv(), b_ran.try_recv()), (Ok(n), Ok(n)));
    }
    assert_eq!(queue.try_iter().count(), 0);
}

/// D24, P8
#[test]
fn a_callback_is_handed_over_when_the_one_before_has_ended() {
    let (handed, (scheduler, queue)) = (Arc::new(AtomicUsize::new(0)), queue());
    let counted = handed.clone();
    let counting = move |ready| {
        counted.fetch_add(1, SeqCst);
        scheduler.schedule(ready)
    };
    let (scheduler, reports) = watched(Serial::new(counting));
    let (completer, task) = whendone::task(scheduler);
    let (sender, seen) = mpsc::channel();
    for _ in 0..4 {
        let (sender, handed) = (sender.clone(), handed.clone());
        // Its captures are dropped before the next callback is handed over, too.
        let dropped = OnDrop(move || sender.send(handed.load(SeqCst)).unwrap());
        task.add_done_callback(move |_| drop(dropped));
    }
    completer.complete(3).unwrap();
    for runs in [true, false, true, false] {
        let ready = queue.try_recv().unwrap();
        if runs { ready.run() } else { drop(ready) }
    }
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(failures(&reports), [Failure::CallbackLost; 2]);
}

/// D24, P11
#[test]
fn a_late_callback_goes_behind_those_in_line() {
    let (scheduler, queue) = queue();
    let (log, (completer, task)) = (Log::default(), whendone::task(Serial::new(scheduler)));
    let late = log.clone();
    task.add_done_callback(move |task| {
        late.note("first");
        task.add_done_callback(late.says("late"));
    });
    task.add_done_callback(log.says("second"));
    completer.complete(3).unwrap();
    run_all(&queue);
    task.add_done_callback(log.says("later"));
    run_all(&queue);
    assert_eq!(log.words(), ["first", "second", "late", "later"]);
}

/// D24, D4
#[test]
fn a_scheduler_that_refuses_at_once_gives_each_callback_back() {
    let (scheduler, reports) = watched(Serial::new(refusing));
    let (task, ran) = with_callbacks(3, scheduler);
    assert_eq!(failures(&reports), [Failure::CallbackLost; 3]);
    assert!(ran.try_recv().is_err() && task.is_done());
    let ready = Mutex::new(None);
    let kept = Arc::new(ready);
    let (refused, serial) = (kept.clone(), Serial::new(refusing));
    let fallback = move |ready| {
        *refused.lock().unwrap() = serial.schedule(ready).err();
        Ok(())
    };
    let (_task, ran) = with_callbacks(1, fallback);
    kept.lock().unwrap().take().unwrap().run();
    assert_eq!(ran.try_recv(), Ok(0));
}

/// D24, D4: 100,000 refused callbacks need no stack.
#[test]
fn callbacks_in_line_that_are_refused_are_reported_and_strand_nothing() {
    const CALLBACKS: usize = 100_000;
    let (scheduler, queue) = first_apart(refusing);
    let (scheduler, reports) = watched(scheduler);
    let (task, ran) = with_callbacks(CALLBACKS, Serial::new(scheduler));
    assert!(failures(&reports).is_empty());
    run_all(&queue);
    assert_eq!(ran.try_iter().collect::<Vec<_>>(), [0]);
    assert_eq!(failures(&reports), vec![Failure::CallbackLost; CALLBACKS - 1]);
    assert!(task.try_into_outcome().is_ok());
}

/// A scheduler that queues its first callback, and hands the others over to another scheduler.
fn first_apart(others: impl Schedule) -> (impl Schedule, mpsc::Receiver<Ready>) {
    let (sender, queue) = mpsc::channel();
    let first = Mutex::new(Some(sender));
    let schedule = move |ready| {
        let first = first.lock().unwrap().take();
        match first {
            Some(first) => first.send(ready).map_err(|refused| refused.0),
            None => others.schedule(ready),
        }
    };
    (schedule, queue)
}

/// D24, R36
#[test]
fn callbacks_in_line_that_the_scheduler_runs_at_once_need_no_stack() {
    const CALLBACKS: usize = 100_000;
    let (scheduler, queue) = first_apart(Inline);
    let (_task, ran) = with_callbacks(CALLBACKS, Serial::new(scheduler));
    run_all(&queue);
    assert!(ran.try_iter().eq(0..CALLBACKS));
}

/// D24, D4
#[test]
fn a_callback_that_the_scheduler_drops_is_reported_and_the_next_has_its_turn() {
    let (scheduler, queue) = queue();
    let (scheduler, reports) = watched(scheduler);
    let (_task, ran) = with_callbacks(4, Serial::new(scheduler));
    for expected in [None, Some(1), None, Some(3)] {
        let ready = queue.try_recv().unwrap();
        match expected {
            Some(_) => ready.run(),
            None => drop(ready),
        }
        assert_eq!(ran.try_recv().ok(), expected);
    }
    assert_eq!(failures(&reports), [Failure::CallbackLost; 2]);
}

/// D24, P14
#[test]
fn a_scheduler_that_panics_is_reported_and_the_next_callback_has_its_turn() {
    let turns = AtomicUsize::new(0);
    let panics = move |ready| match turns.fetch_add(1, SeqCst) {
        0 | 2 => panic!("of the scheduler"),
        _ => Inline.schedule(ready),
    };
    let (scheduler, reports) = watched(panics);
    let (_task, ran) = with_callbacks(4, Serial::new(scheduler));
    assert_eq!(ran.try_iter().collect::<Vec<_>>(), [1, 3]);
    let lost = [Failure::CallbackLost, Failure::SchedulerPanicked];
    assert_eq!(failures(&reports), [lost, lost].concat());

    // The same in line: the scheduler has the first callback, and the second is handed over when the first has run.
    let (scheduler, queue) = first_apart(|ready: Ready| -> Result<(), Ready> { panic!("{ready:?}") });
    let (scheduler, reports) = watched(scheduler);
    let (_task, ran) = with_callbacks(2, Serial::new(scheduler));
    run_all(&queue);
    assert_eq!(ran.try_iter().collect::<Vec<_>>(), [0]);
    let reports: Vec<_> = reports.try_iter().collect();
    assert_eq!(reports.iter().map(|report| report.failure).collect::<Vec<_>>(), lost);
    assert!(reports.iter().all(|report| report.callback.unwrap().added_at.file() == file!()));
}

/// D24, D5
#[test]
fn a_callback_that_panics_gives_its_place_up() {
    let (scheduler, queue) = queue();
    let (scheduler, reports) = watched(scheduler);
    let (log, (completer, task)) = (Log::default(), whendone::task(Serial::new(scheduler)));
    task.add_done_callback(|_| panic!("of the callback"));
    task.add_done_callback(log.says("second"));
    completer.complete(3).unwrap();
    run_all(&queue);
    run_all(&queue);
    assert_eq!((log.words(), failures(&reports)), (vec!["second"], vec![Failure::CallbackPanicked]));
}

/// D24, D1
#[test]
fn callbacks_and_captures_may_use_their_own_serial() {
    let (scheduler, queue) = queue();
    let serial = Serial::new(scheduler);
    let (log, (completer, task)) = (Log::default(), whendone::task(serial.clone()));
    let (inner, other) = whendone::task::<u32>(serial);
    other.add_done_callback(log.says("other"));
    let mut inner = Some(inner);
    let dropped = OnDrop(move || drop(inner.take()));
    task.add_done_callback(move |_| drop(dropped));
    task.add_done_callback(log.says("second"));
    completer.complete(3).unwrap();
    run_all(&queue);
    run_all(&queue);
    assert_eq!((log.words(), other.outcome()), (vec!["other", "second"], Some(&Outcome::Abandoned)));
}

/// D24
#[test]
fn a_serial_whose_tasks_are_gone_lets_its_scheduler_go() {
    let (token, (scheduler, queue)) = (Arc::new(()), queue());
    let (held, weak): (_, Weak<()>) = (token.clone(), Arc::downgrade(&token));
    drop(token);
    let holding = move |ready| {
        let _ = &held;
        scheduler.schedule(ready)
    };
    let (task, _ran) = with_callbacks(3, Serial::new(holding));
    drop(task);
    assert_eq!(weak.strong_count(), 1);
    while let Ok(ready) = queue.try_recv() {
        ready.run();
    }
    assert_eq!(weak.strong_count(), 0);
}

/// D24
#[test]
fn a_callback_in_a_serial_keeps_its_type_name() {
    fn callback(_: &Task<()>) {}
    let (scheduler, queue) = queue();
    let (completer, task) = whendone::task(Serial::new(scheduler));
    task.add_done_callback(callback);
    completer.complete(()).unwrap();
    let ready = queue.recv().unwrap();
    assert_eq!(ready.origin().callback, type_name_of_val(&callback));
    ready.run();
}
