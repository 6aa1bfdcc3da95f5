//! Values that callers print and compare: ids, outcomes, panics, errors, reports.

use super::support::{Log, queue, refusing, watched};
use std::any::type_name_of_val;
use std::collections::{BTreeSet, HashSet};
use std::error::Error;
use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU64;
use std::panic::Location;
use whendone::kernel::{Added, Answer, Cell, Event, Phase, Snapshot, UNTAGGED};
use whendone::{
    AlreadyDone, AnyTask, CallbackId, Failure, Inline, NoValue, Origin, Outcome, Panic, Report, Serial, SharedCallback,
    Task,
};

/// The bytes that a value gives to a hasher.
fn hashed(value: &impl Hash) -> Vec<u8> {
    #[derive(Default)]
    struct Bytes(Vec<u8>);
    impl Hasher for Bytes {
        fn write(&mut self, bytes: &[u8]) {
            self.0.extend(bytes);
        }
        fn finish(&self) -> u64 {
            unreachable!("the bytes are enough")
        }
    }
    let mut bytes = Bytes::default();
    value.hash(&mut bytes);
    bytes.0
}

/// Each value is equal to its own clone, and to no other value of the list.
fn are_equal_only_to_themselves<V: PartialEq + Clone + Debug>(values: &[V]) {
    for (at, one) in values.iter().enumerate() {
        for (other_at, other) in values.iter().enumerate() {
            let other = other.clone();
            assert_eq!(*one == other, at == other_at, "{one:?} and {other:?}");
        }
    }
}

fn panicked(message: &'static str) -> Panic {
    Panic::new(Box::new(message))
}

/// D23
#[test]
fn a_task_id_prints_as_its_number_and_grows_from_task_to_task() {
    let ids = [(); 3].map(|()| whendone::task::<()>(Inline).1.id());
    let numbers = ids.map(|id| id.to_string().parse::<u64>().unwrap());
    for (id, number) in ids.into_iter().zip(numbers) {
        assert_eq!(format!("{id} {id:>22} {id:?}"), format!("{number} {number:>22} TaskId({number})"));
        assert_eq!(hashed(&id), number.to_ne_bytes());
    }
    assert!(ids.is_sorted_by(|one, next| one < next) && numbers.is_sorted_by(|one, next| one < next));
    assert!(ids.map(|id| ids.iter().position(|other| *other == id)) == [Some(0), Some(1), Some(2)]);
}

/// D23: as `Borrow` demands, so that a set finds them by their id.
#[test]
fn handles_of_a_task_hash_as_its_id_and_handles_of_another_task_do_not() {
    let [(_c1, one), (_c2, other)] = [(); 2].map(|()| whendone::task_named::<u32>("same name", Inline));
    for task in [&one, &other] {
        let id = hashed(&task.id());
        assert_eq!([hashed(task), hashed(&task.clone()), hashed(&AnyTask::from(task))], [(); 3].map(|()| id.clone()));
    }
    assert_ne!(hashed(&one), hashed(&other));
    are_equal_only_to_themselves(&[one.clone(), other.clone()]);
    are_equal_only_to_themselves(&[AnyTask::from(&one), AnyTask::from(&other)]);
    let set = HashSet::from([AnyTask::from(&one), AnyTask::from(&other)]);
    assert_eq!(set.get(&other.id()), Some(&AnyTask::from(&other)));
}

/// D3, P10
#[test]
fn a_callback_id_prints_its_cell_and_its_number_and_is_equal_in_both_alone() {
    let ids: Vec<CallbackId> = [7, 8]
        .into_iter()
        .flat_map(|serial| {
            let cell = Cell::<(), ()>::new(serial);
            [(); 2].map(|()| cell.add_waiting(UNTAGGED, ()).unwrap())
        })
        .collect();
    are_equal_only_to_themselves(&ids);
    assert!(ids.is_sorted_by(|one, next| one < next), "first by cell, then by number");
    let printed: Vec<_> = ids.iter().map(|id| format!("{id:?}")).collect();
    let expected = [(7, 1), (7, 2), (8, 1), (8, 2)];
    assert_eq!(printed, expected.map(|(serial, at)| format!("CallbackId {{ serial: {serial}, sequence: {at} }}")));
    for (id, (serial, at)) in ids.iter().zip(expected) {
        assert_eq!(hashed(id), [u64::to_ne_bytes(serial), u64::to_ne_bytes(at)].concat());
    }
}

/// P13
#[test]
fn answers_and_copies_of_a_cell_print_their_parts() {
    let cell = Cell::<u32, &str>::new(7);
    let waits = cell.add(NonZeroU64::MIN, "waits");
    assert_eq!(format!("{waits:?}"), "Waits(CallbackId { serial: 7, sequence: 1 })");
    let before = cell.snapshot();
    assert_eq!(format!("{before:?}"), "Snapshot { phase: Pending, waiting: [(1, 1)] }");
    let owed = cell.complete(3).unwrap();
    assert_eq!(format!("{owed:?}"), "Drain");
    cell.drain(owed, |batch| batch.for_each(drop));
    let late = cell.add(UNTAGGED, "late");
    assert_eq!(format!("{late:?}"), "YouDrain(CallbackId { serial: 7, sequence: 2 }, Drain)");
    let Added::YouDrain(_, owed) = late else { panic!("{late:?}") };
    cell.drain(owed, |batch| batch.for_each(drop));
    let snapshot = |phase, waiting: &[(u64, u64)]| Snapshot { phase, waiting: waiting.to_vec() };
    let (pending, settled) = (Phase::Pending, Phase::Settled);
    let others = [snapshot(settled, &[(1, 1)]), snapshot(pending, &[(1, 2)]), snapshot(pending, &[(2, 1)])];
    are_equal_only_to_themselves(&[&[before, cell.snapshot()][..], &others].concat());
}

/// P19
#[test]
fn phases_events_and_answers_print_as_their_names() {
    fn named<V: Debug + PartialEq + Clone + Hash>(values: &[V], names: &[&str]) {
        assert_eq!(values.iter().map(|value| format!("{value:?}")).collect::<Vec<_>>(), names);
        are_equal_only_to_themselves(values);
        assert_eq!(values.iter().map(hashed).collect::<BTreeSet<_>>().len(), names.len());
    }
    use Answer::{Ends, GoesOn, Refused, TakenOut, Waits, YouDrain};
    use Event::{Add, AddLate, AddWaiting, Complete, FindNone, FindSome, Remove, RemoveAll, Replace};
    use Phase::{Draining, Pending, Settled};
    named(&[Pending, Draining, Settled], &["Pending", "Draining", "Settled"]);
    named(
        &[Add, AddLate, AddWaiting, Replace, Remove, RemoveAll, Complete, FindSome, FindNone],
        &["Add", "AddLate", "AddWaiting", "Replace", "Remove", "RemoveAll", "Complete", "FindSome", "FindNone"],
    );
    named(
        &[Waits, YouDrain, TakenOut, Refused, GoesOn, Ends],
        &["Waits", "YouDrain", "TakenOut", "Refused", "GoesOn", "Ends"],
    );
}

/// D20, D21
#[test]
fn outcomes_print_their_parts_and_are_equal_part_by_part() {
    let [one, twin] = [(); 2].map(|()| panicked("text"));
    let outcomes = [
        Outcome::Finished(3),
        Outcome::Finished(4),
        Outcome::Cancelled,
        Outcome::Abandoned,
        Outcome::Panicked(one.clone()),
        Outcome::Panicked(twin.clone()),
    ];
    are_equal_only_to_themselves(&outcomes);
    let printed = outcomes.map(|outcome| format!("{outcome:?}"));
    let panic = "Panicked(Panic(\"text\"))";
    assert_eq!(printed, ["Finished(3)", "Finished(4)", "Cancelled", "Abandoned", panic, panic]);
    let errors = [NoValue::Cancelled, NoValue::Abandoned, NoValue::Panicked(one), NoValue::Panicked(twin)];
    are_equal_only_to_themselves(&errors);
    for (error, debug, display) in [
        (&errors[0], "Cancelled", "task was cancelled"),
        (&errors[1], "Abandoned", "task was abandoned before it was done"),
        (&errors[2], panic, "task panicked: text"),
    ] {
        assert_eq!((format!("{error:?}").as_str(), format!("{error}").as_str()), (debug, display));
        assert!(error.source().is_none());
    }
}

/// D5, D20: also in the outcome of another task.
#[test]
fn a_caught_payload_is_equal_to_its_clones_and_to_none_with_the_same_message() {
    let panics = [panicked("text"), panicked("text"), panicked("")];
    are_equal_only_to_themselves(&panics);
    let (completer, task) = whendone::task::<u32>(Inline);
    completer.complete_with(Outcome::Panicked(panics[0].clone())).unwrap();
    let Some(Outcome::Panicked(passed_on)) = task.outcome() else { panic!("{task:?}") };
    assert!(*passed_on == panics[0] && *passed_on != panics[1]);
    assert_eq!(format!("{passed_on} {passed_on:?}"), "text Panic(\"text\")");
    let quoted = panicked("a \"quoted\"\nline");
    assert_eq!(format!("{quoted} {quoted:?}"), "a \"quoted\"\nline Panic(\"a \\\"quoted\\\"\\nline\")");
}

/// R2, P1
#[test]
fn a_refused_completion_prints_its_value_only_for_debugging() {
    let refused = [AlreadyDone("one"), AlreadyDone("other")];
    are_equal_only_to_themselves(&refused);
    assert_eq!(format!("{} {:?}", refused[0], refused[0]), "task is already done AlreadyDone(\"one\")");
    assert!(refused[0].source().is_none());
}

/// The kinds of failure, with their texts for debugging and for display.
const FAILURES: [(Failure, &str, &str); 11] = [
    (Failure::CallbackPanicked, "CallbackPanicked", "exception in callback"),
    (
        Failure::CallbackLost,
        "CallbackLost",
        "callback dropped before it ran: its loop was closed, or its scheduler refused or dropped it",
    ),
    (Failure::DropPanicked, "DropPanicked", "exception in a drop: of a callback, a future or a value"),
    (Failure::SchedulerPanicked, "SchedulerPanicked", "exception in the scheduler of a task"),
    (Failure::WakerPanicked, "WakerPanicked", "exception in the waker of an await or a sleep"),
    (Failure::HookPanicked, "HookPanicked", "exception in the exception hook"),
    (Failure::PanicNeverRetrieved, "PanicNeverRetrieved", "exception of a task was never retrieved"),
    (Failure::TaskAbandoned, "TaskAbandoned", "task abandoned: its event loop ended before it was done"),
    (Failure::LoopClosed(0), "LoopClosed(0)", "event loop closed: 0 callbacks never ran"),
    (Failure::LoopClosed(1), "LoopClosed(1)", "event loop closed: 1 callback never ran"),
    (Failure::LoopClosed(2), "LoopClosed(2)", "event loop closed: 2 callbacks never ran"),
];

/// D5, D12
#[test]
fn each_failure_prints_as_itself_and_is_equal_to_no_other() {
    for (failure, debug, display) in FAILURES {
        assert_eq!((format!("{failure:?}").as_str(), failure.to_string().as_str()), (debug, display));
    }
    are_equal_only_to_themselves(&FAILURES.map(|(failure, ..)| failure));
}

/// D5
#[test]
fn an_origin_prints_its_callback_and_its_place_and_is_equal_in_both_alone() {
    let [here, there] = [Location::caller(), Location::caller()];
    let origin = |callback, added_at| Origin { callback, added_at };
    are_equal_only_to_themselves(&[origin("f", here), origin("g", here), origin("f", there)]);
    let (file, line, column) = (here.file(), here.line(), here.column());
    let one = origin("f", here);
    assert_eq!(one.to_string(), format!("f added at {file}:{line}:{column}"));
    assert_eq!(format!("{one:?}"), format!("Origin {{ callback: \"f\", added_at: {here:?} }}"));
}

/// A report, to be changed part by part.
fn a_report() -> Report {
    let (scheduler, reports) = watched(refusing);
    let (completer, task) = whendone::task(scheduler);
    task.add_done_callback(|_| ());
    completer.complete(()).unwrap();
    reports.recv().unwrap()
}

/// D5, R61
#[test]
fn a_panic_message_of_several_lines_adds_no_line_of_the_report() {
    let mut report = a_report();
    (report.failure, report.callback, report.task) = (Failure::CallbackPanicked, None, None);
    report.panic = Some(panicked("left: 1\n  task      <Task finished>"));
    let expected = "whendone: exception in callback\n  panic     left: 1\n              task      <Task finished>";
    assert_eq!(report.to_string(), expected);
}

#[test]
fn a_report_prints_a_line_for_each_part_that_it_has() {
    let (place, mut report) = (Location::caller(), a_report());
    let origin = Origin { callback: "f", added_at: place };
    for parts in 0..16 {
        let has = |part: u32| parts & (1 << part) != 0;
        report.failure = FAILURES[parts as usize % FAILURES.len()].0;
        report.callback = has(0).then_some(origin);
        report.task = has(1).then(|| "<Task finished>".to_owned());
        report.spawned_at = has(2).then_some(place);
        report.panic = has(3).then(|| panicked("text"));
        let lines = [
            (true, format!("whendone: {}", report.failure)),
            (has(0), format!("\n  callback  f added at {place}")),
            (has(1), "\n  task      <Task finished>".to_owned()),
            (has(2), format!("\n  spawned   at {place}")),
            (has(3), "\n  panic     text".to_owned()),
        ];
        let expected: String = lines.into_iter().filter(|(has, _)| *has).map(|(_, line)| line).collect();
        assert_eq!(report.to_string(), expected);
        let Report { failure, callback, task, spawned_at, panic, .. } = &report;
        assert_eq!(
            format!("{report:?} {:?}", report.clone()),
            [(); 2]
                .map(|()| format!(
                    "Report {{ failure: {failure:?}, callback: {callback:?}, task: {task:?}, \
                     spawned_at: {spawned_at:?}, panic: {panic:?} }}"
                ))
                .join(" ")
        );
    }
}

/// D3, D4
#[test]
fn callbacks_and_schedulers_print_what_they_are_made_of() {
    fn callback(_: &Task<u32>) {}
    let (scheduler, queue) = queue();
    let (completer, task) = whendone::task(scheduler);
    let name = type_name_of_val(&callback);
    assert!(name.ends_with("made_of::callback"), "{name}");
    let shared = SharedCallback::new(callback);
    assert_eq!(
        format!("{shared:?} {:?}", shared.clone()),
        format!("SharedCallback({name:?}) SharedCallback({name:?})")
    );
    task.add_done_callback(callback);
    task.add_shared(&shared);
    let closure = Log::default().says("closure");
    let of_closure = type_name_of_val(&closure);
    task.add_done_callback(closure);
    completer.complete(3).unwrap();
    for name in [name, name, of_closure] {
        let ready = queue.recv().unwrap();
        let origin = ready.origin();
        assert_eq!(origin.callback, name);
        assert_eq!(format!("{ready:?}"), format!("Ready({origin:?})"));
        ready.run();
    }
    assert_eq!(format!("{:?} {:?}", Inline, Serial::new(Inline)), "Inline Serial(Inline)");
}
