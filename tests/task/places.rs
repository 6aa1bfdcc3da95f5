//! Places: the line of the caller, wherever a report or a panic names one.

use super::support::{blamed, queue, refusing, watched};
use std::any::type_name_of_val;
use std::sync::mpsc::Receiver;
use whendone::{Failure, Inline, Outcome, Panic, Ready, Report, Schedule, SharedCallback, Task};

fn here(line: u32) -> (String, u32) {
    (file!().to_owned(), line)
}

/// Where the callbacks of some reports were added.
fn told(reports: &Receiver<Report>) -> Vec<(String, u32)> {
    let place = |report: Report| {
        let added_at = report.callback.expect("it is of a callback").added_at;
        (added_at.file().to_owned(), added_at.line())
    };
    reports.try_iter().map(place).collect()
}

/// The lines that add a callback of each kind, early and late.
fn lines_that_add(scheduler: impl Schedule) -> [u32; 4] {
    let (completer, task) = whendone::task::<()>(scheduler);
    let shared = SharedCallback::new(|_: &Task<()>| ());
    let line = line!() + 1;
    task.add_done_callback(|_| ());
    task.add_shared(&shared);
    completer.complete(()).unwrap();
    task.add_done_callback(|_| ());
    task.add_shared(&shared);
    [0, 1, 3, 4].map(|below| line + below)
}

/// D5, D24
#[test]
fn a_queued_callback_knows_the_line_that_added_it_early_and_late() {
    let (scheduler, queue) = queue();
    let lines = lines_that_add(scheduler);
    let place = |ready: Ready| {
        let added_at = ready.origin().added_at;
        ready.run();
        (added_at.file().to_owned(), added_at.line(), added_at.column())
    };
    let places: Vec<_> = queue.try_iter().map(place).collect();
    // The column is that of the method's name.
    assert_eq!(places, lines.map(|line| (file!().to_owned(), line, 10)));
}

/// D4, D5
#[test]
fn a_lost_callback_is_reported_with_the_line_that_added_it_early_and_late() {
    let (scheduler, reports) = watched(refusing);
    let lines = lines_that_add(scheduler);
    assert_eq!(told(&reports), lines.map(here));
}

/// D5, P14
#[test]
fn a_scheduler_that_panics_is_reported_with_the_callback_that_it_got_and_its_line() {
    let (scheduler, reports) = watched(|ready: Ready| -> Result<(), Ready> {
        drop(ready);
        panic!("of the scheduler")
    });
    let (completer, task) = whendone::task::<()>(scheduler);
    let callback = |_: &Task<()>| ();
    let line = line!() + 1;
    task.add_done_callback(callback);
    completer.complete(()).unwrap();
    task.add_done_callback(callback);
    let told: Vec<_> = reports.try_iter().map(|report| (report.failure, report.callback.unwrap())).collect();
    let [lost, panicked] = [Failure::CallbackLost, Failure::SchedulerPanicked];
    assert_eq!(told.iter().map(|(failure, _)| *failure).collect::<Vec<_>>(), [lost, panicked, lost, panicked]);
    let places = told.iter().map(|(_, origin)| (origin.callback, origin.added_at.line()));
    let name = type_name_of_val(&callback);
    assert!(places.eq([0, 0, 2, 2].map(|below| (name, line + below))));
}

/// D3, D5, P14: on schedulers that call at once, with and without the loop of this crate around many callbacks.
#[test]
fn a_callback_that_panics_is_reported_with_the_line_that_added_it_early_and_late() {
    for name in [None, Some("job")] {
        let (scheduler, reports) = watched(Inline);
        let (completer, task) = match name {
            None => whendone::task::<()>(scheduler),
            Some(name) => whendone::task_named(name, scheduler),
        };
        let shared = SharedCallback::new(|_: &Task<()>| panic!("shared"));
        let line = line!() + 1;
        task.add_done_callback(|_| panic!("once"));
        task.add_shared(&shared);
        completer.complete(()).unwrap();
        task.add_done_callback(|_| panic!("late"));
        task.add_shared(&shared);
        assert_eq!(told(&reports), [0, 1, 3, 4].map(|below| here(line + below)));
    }
}

/// D5, P14
#[test]
fn a_removed_callback_whose_drop_panics_is_reported_with_the_line_that_added_it() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("captured");
        }
    }
    let (scheduler, reports) = watched(Inline);
    let (_completer, task) = whendone::task::<()>(scheduler);
    let bomb = Bomb;
    let line = line!() + 1;
    let id = task.add_done_callback(move |_| _ = &bomb);
    assert!(task.remove_done_callback(id));
    assert_eq!(told(&reports), [here(line)]);
}

/// D21: the payload of the panic is taken first, so that a new panic is raised.
#[test]
fn unwrapping_blames_the_line_of_the_caller() {
    let taken = || {
        let panic = Panic::new(Box::new("of the task"));
        drop(panic.take_payload());
        Outcome::<u32>::Panicked(panic)
    };
    for outcome in [|| Outcome::<u32>::Cancelled, || Outcome::Abandoned, taken] {
        let line = line!() + 1;
        let of_unwrap = blamed(|| outcome().unwrap());
        let of_expect = blamed(|| outcome().expect("a number"));
        assert_eq!([of_unwrap, of_expect], [here(line), here(line + 1)]);
    }
}
