//! Places: the line of the caller, wherever a report or a panic names one.

use super::support::{Reports, blamed, watched};
use std::any::type_name_of_val;
use std::future::pending;
use std::time::Duration;
use whendone::{Closed, EventLoop, Failure, Handle, Origin, handle, run, sleep, spawn, spawn_named};

fn here(line: u32) -> (String, u32) {
    (file!().to_owned(), line)
}

fn place(origin: Origin) -> (String, u32) {
    (origin.added_at.file().to_owned(), origin.added_at.line())
}

/// R48
#[test]
fn calls_outside_a_loop_blame_the_line_of_the_caller() {
    let line = line!() + 2;
    let blamed = [
        blamed(|| spawn(async {})),
        blamed(|| spawn_named("name", async {})),
        blamed(|| sleep(Duration::ZERO)),
        blamed(|| handle().call_soon(|| ())),
    ];
    assert_eq!(blamed, [0, 1, 2, 3].map(|below| here(line + below)));
}

/// D12
#[test]
fn a_run_inside_a_run_blames_the_line_of_the_caller() {
    run(async {
        let line = line!() + 2;
        let blamed = [
            blamed(|| run(async {})),
            blamed(|| EventLoop::new().run(async {})),
            blamed(|| EventLoop::new().run_until_complete(async {})),
            blamed(|| EventLoop::new().finish()),
        ];
        assert_eq!(blamed, [0, 1, 2, 3].map(|below| here(line + below)));
    });
}

/// D13
#[test]
fn a_task_of_a_loop_knows_the_line_that_spawned_it() {
    let (mut event_loop, reports) = watched();
    let handle = event_loop.handle();
    let line = line!() + 1;
    handle.spawn(pending::<()>());
    handle.spawn_named("named", pending::<()>());
    event_loop.run_until_complete(async {
        spawn(pending::<()>());
        spawn_named("named", pending::<()>());
    });
    event_loop.close();
    let spawned_at = |reports: &Reports| -> Vec<_> {
        let places = reports.take().into_iter().map(|report| report.spawned_at.unwrap());
        places.map(|place| (place.file().to_owned(), place.line(), place.column())).collect()
    };
    // The column is that of the method's name, or of the path of a function.
    let expected = [(0, 12), (1, 12), (3, 9), (4, 9)].map(|(below, column)| (file!().to_owned(), line + below, column));
    assert_eq!(spawned_at(&reports), expected);
    drop(handle.spawn(pending::<()>()));
    assert_eq!(spawned_at(&reports), [(file!().to_owned(), line!() - 1, 17)]);
}

/// D4, D5, R97
#[test]
fn a_call_knows_its_function_and_the_line_that_queued_it() {
    let queued: fn(&Handle) -> (Result<(), Closed>, u32) =
        |handle| (handle.call_soon(|| panic!("of the call")), line!());
    let (mut event_loop, reports) = watched();
    let handle = event_loop.handle();
    let (answer, line) = queued(&handle);
    assert!(answer.is_ok());
    event_loop.run_until_complete(async {});
    assert!(queued(&handle).0.is_ok());
    event_loop.close();
    let told: Vec<_> = reports.take().into_iter().map(|report| (report.failure, report.callback.map(place))).collect();
    let expected = [Failure::CallbackPanicked, Failure::CallbackLost].map(|failure| (failure, Some(here(line))));
    assert_eq!(told[..2], expected);
    assert_eq!(told[2..], [(Failure::LoopClosed(1), None)]);
    let call = || ();
    let name = type_name_of_val(&call);
    let line = line!() + 1;
    let refused = handle.call_soon(call).unwrap_err().0;
    assert_eq!((place(refused.origin()), refused.origin().callback), (here(line), name));
    refused.run();
    assert!(reports.take().is_empty());
}
