//! Outcomes: passed on from task to task, and unwrapped to a value.

use super::support::{Log, failures, watched};
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::Arc;
use whendone::{AlreadyDone, AnyTask, Completer, Failure, Inline, NoValue, Outcome, Panic, Task};

fn panicked<T>(payload: &'static str) -> Outcome<T> {
    Outcome::Panicked(Panic::new(Box::new(payload)))
}

fn done<T: 'static>(outcome: Outcome<T>) -> Task<T> {
    let (completer, task) = whendone::task(watched(Inline).0);
    assert!(completer.complete_with(outcome).is_ok());
    task
}

/// The text with which a call panics.
fn message<R>(call: impl FnOnce() -> R) -> String {
    let payload = catch_unwind(AssertUnwindSafe(call)).err().expect("it panics");
    Panic::new(payload).message().to_owned()
}

/// D20
#[test]
fn a_completer_completes_with_any_outcome() {
    let panic = panicked(" wrong");
    for outcome in [Outcome::Finished(3), Outcome::Cancelled, Outcome::Abandoned, panic] {
        let log = Log::default();
        let (completer, task) = whendone::task(Inline);
        task.add_done_callback(log.says("callback"));
        assert_eq!(completer.complete_with(outcome.clone()), Ok(()));
        assert_eq!((task.outcome(), log.words()), (Some(&outcome), vec!["callback"]));
    }
}

/// D20
#[test]
fn an_outcome_is_passed_on_to_a_task_of_another_type() {
    let panic = Panic::new(Box::new("text"));
    assert_eq!(Outcome::Finished(3).map(|n| n.to_string()), Outcome::Finished("3".to_owned()));
    for (from, to) in [
        (Outcome::Cancelled, Outcome::Cancelled),
        (Outcome::Abandoned, Outcome::Abandoned),
        (Outcome::Panicked(panic.clone()), Outcome::Panicked(panic)),
    ] {
        assert_eq!(from.as_ref().map(|_: &u32| -> String { unreachable!("there is no value") }), to);
        assert_eq!(from.map(|_: u32| -> String { unreachable!("there is no value") }), to);
    }
}

/// D20, P1
#[test]
fn every_refused_completion_gives_its_outcome_back() {
    type Refused = Result<(), AlreadyDone<Outcome<u32>>>;
    let refused = |complete: fn(Completer<u32>) -> Refused| {
        let (completer, task) = whendone::task(Inline);
        assert!(task.cancel());
        let AlreadyDone(outcome) = complete(completer).unwrap_err();
        assert!(task.is_cancelled());
        outcome
    };
    assert_eq!(refused(|completer| completer.complete_with(Outcome::Abandoned)), Outcome::Abandoned);
    assert_eq!(refused(|completer| completer.run(|| 3)), Outcome::Finished(3));
    let outcome = refused(|completer| completer.run(|| panic!("late")));
    assert_eq!(outcome.into_result().unwrap_err().to_string(), "task panicked: late");
}

/// D20, D8
#[test]
fn a_panic_that_is_passed_on_must_be_retrieved_again() {
    for retrieved in [true, false] {
        let (scheduler, reports) = watched(Inline);
        let (completer, inner) = whendone::task::<u32>(Inline);
        let (forward, outer) = whendone::task::<u32>(scheduler);
        inner.add_done_callback(move |inner| forward.complete_with(inner.outcome().unwrap().clone()));
        completer.complete_with(panicked("of the inner task")).unwrap();
        assert_eq!(format!("{outer:?}"), "<Task panicked exception=\"of the inner task\">");
        if retrieved {
            assert_eq!(outer.outcome(), inner.outcome());
        }
        drop(outer);
        let expected: &[Failure] = if retrieved { &[] } else { &[Failure::PanicNeverRetrieved] };
        assert_eq!(failures(&reports), expected);
    }
}

/// R75, D8: also of a plain task, however it is cancelled.
#[test]
fn a_panic_is_retrieved_by_a_refused_cancel_and_not_by_asking_whether_the_task_is_done() {
    type Asks = fn(&Task<u32>) -> bool;
    let never: &[Failure] = &[Failure::PanicNeverRetrieved];
    let asks: [(Asks, &[Failure]); 6] = [
        (|task| !task.cancel(), &[]),
        (|task| !AnyTask::from(task).cancel(), &[]),
        (|task| task.outcome().is_some(), &[]),
        (|task| task.is_done() && AnyTask::from(task).is_done(), never),
        (|task| !task.is_cancelled() && !AnyTask::from(task).is_cancelled(), never),
        (|task| format!("{task:?} {:?} {:?}", AnyTask::from(task), task.wait()).contains("panicked"), never),
    ];
    for (ask, expected) in asks {
        let (scheduler, reports) = watched(Inline);
        let (completer, task) = whendone::task(scheduler);
        completer.complete_with(panicked("of the task")).unwrap();
        assert!(ask(&task));
        drop(task);
        assert_eq!(failures(&reports), expected);
    }
}

/// D20
#[test]
fn a_function_that_a_completer_runs_gives_its_value_or_its_panic() {
    let (completer, task) = whendone::task(Inline);
    completer.run(|| 3).unwrap();
    assert_eq!(task.outcome(), Some(&Outcome::Finished(3)));
    let (completer, task) = whendone::task::<u32>(Inline);
    completer.run(|| panic_any(7_u8)).unwrap();
    let Some(Outcome::Panicked(panic)) = task.outcome() else { panic!("{task:?}") };
    assert_eq!(panic.take_payload().unwrap().downcast_ref(), Some(&7_u8));
}

/// D20, R50
#[test]
fn a_completer_cancels_its_task_unless_it_is_done() {
    let log = Log::default();
    let (completer, task) = whendone::task::<u32>(Inline);
    task.add_done_callback(log.says("callback"));
    assert!(completer.cancel() && task.is_cancelled());
    assert_eq!(log.words(), ["callback"]);
    let (completer, task) = whendone::task::<u32>(Inline);
    assert!(task.cancel() && !completer.cancel());
}

/// D21
#[test]
fn an_outcome_unwraps_to_its_value() {
    assert_eq!(Outcome::Finished(3).unwrap(), 3);
    assert_eq!(Outcome::Finished(3).expect("a value"), 3);
    assert_eq!(Outcome::Finished(3).into_result(), Ok(3));
    let task = done(Outcome::Finished(Arc::new(3)));
    let value: &Arc<u32> = task.outcome().unwrap().as_ref().unwrap();
    assert_eq!(**value, 3);
}

/// D21
#[test]
fn unwrapping_resumes_the_panic_of_the_task() {
    let unwraps: [fn(Outcome<u32>) -> u32; 2] = [|outcome| outcome.unwrap(), |outcome| outcome.expect("a value")];
    for unwrap in unwraps {
        let (completer, task) = whendone::task(Inline);
        completer.run(|| panic_any(7_u8)).unwrap();
        let resumed = catch_unwind(AssertUnwindSafe(|| unwrap(task.outcome().unwrap().clone()))).unwrap_err();
        assert_eq!(resumed.downcast_ref(), Some(&7_u8));
        // The payload is there once.
        let outcome = task.outcome().unwrap().clone();
        assert_eq!(message(|| unwrap(outcome)), "the task panicked: a payload that is not text");
    }
}

/// D21
#[test]
fn unwrapping_says_that_the_task_was_cancelled_or_abandoned() {
    assert_eq!(
        message(|| Outcome::<u32>::Cancelled.unwrap()),
        "called `Outcome::unwrap()`, but the task was cancelled"
    );
    assert_eq!(
        message(|| Outcome::<u32>::Abandoned.unwrap()),
        "called `Outcome::unwrap()`, but the task was abandoned before it was done"
    );
    assert_eq!(message(|| Outcome::<u32>::Cancelled.expect("a number")), "a number: the task was cancelled");
    assert_eq!(
        message(|| Outcome::<u32>::Abandoned.expect("a number")),
        "a number: the task was abandoned before it was done"
    );
}

/// D21
#[test]
fn an_outcome_without_a_value_becomes_an_error_that_says_why() {
    fn fails(outcome: Outcome<u32>) -> Result<u32, Box<dyn Error + Send + Sync>> {
        Ok(outcome.into_result()?)
    }
    for (outcome, text) in [
        (Outcome::Cancelled, "task was cancelled"),
        (Outcome::Abandoned, "task was abandoned before it was done"),
        (panicked("with this message"), "task panicked: with this message"),
    ] {
        let task = done(outcome);
        let error = fails(task.outcome().unwrap().clone()).unwrap_err();
        assert_eq!(error.to_string(), text);
        let error: NoValue = *error.downcast().unwrap();
        let of_the_task = match error {
            NoValue::Cancelled => Outcome::Cancelled,
            NoValue::Abandoned => Outcome::Abandoned,
            NoValue::Panicked(panic) => Outcome::Panicked(panic),
            other => panic!("{other}"),
        };
        assert_eq!(task.outcome(), Some(&of_the_task));
    }
}

/// D22
#[test]
fn the_last_handle_takes_the_outcome_and_an_earlier_one_is_given_back() {
    struct Connection;
    let (completer, task) = whendone::task(Inline);
    let task = task.try_into_outcome().err().unwrap();
    completer.complete(Connection).ok().unwrap();
    let other = task.clone();
    let task = task.try_into_outcome().err().unwrap();
    drop(other);
    let Ok(Outcome::Finished(Connection)) = task.try_into_outcome() else { panic!("it is the last") };
}

/// D22, R18
#[test]
fn a_queued_callback_keeps_the_outcome_until_it_has_run() {
    let (scheduler, queue) = super::support::queue();
    let (completer, task) = whendone::task(scheduler);
    task.add_done_callback(|_| ());
    completer.complete(3).unwrap();
    let task = task.try_into_outcome().unwrap_err();
    super::support::run_all(&queue);
    assert_eq!(task.try_into_outcome().unwrap(), Outcome::Finished(3));
}

/// D22, R75
#[test]
fn a_panic_that_is_taken_out_is_retrieved_and_reported_by_nobody() {
    let (scheduler, reports) = watched(Inline);
    let (completer, task) = whendone::task::<u32>(scheduler);
    completer.complete_with(panicked("taken")).unwrap();
    let outcome = task.try_into_outcome().unwrap();
    assert_eq!(failures(&reports), []);
    assert_eq!(outcome.into_result().unwrap_err().to_string(), "task panicked: taken");
}

/// D22: of two threads that try at once both may fail, but never do both succeed.
#[test]
fn at_most_one_of_several_threads_takes_the_outcome() {
    for _ in 0..200 {
        let (completer, task) = whendone::task(Inline);
        completer.complete(Box::new(3)).unwrap();
        let tries = [task.clone(), task].map(|task| std::thread::spawn(|| task.try_into_outcome()));
        let tries = tries.map(|tried| tried.join().unwrap());
        let took = tries.iter().filter(|tried| tried.is_ok()).count();
        assert!(took <= 1);
        let left: Vec<_> = tries.into_iter().filter_map(Result::err).collect();
        assert_eq!(left.len(), 2 - took);
        assert!(left.iter().all(|task| task.outcome() == Some(&Outcome::Finished(Box::new(3)))));
    }
}
