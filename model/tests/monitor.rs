//! The monitor of an execution reports each broken rule, and nothing else.

use std::collections::BTreeMap;
use whendone_model::engines::record::monitor::{Monitor, take_ordered};
use whendone_model::engines::record::recorder;
use whendone_model::observation::event::{Event, Thing};
use whendone_model::observation::{Answer, HandOver, Told};
use whendone_model::scenario::names::{Nonce, Part, Value};

/// The rules that are broken once all this has happened, and the probe has seen that many touches.
fn broken(touches: usize, happens: impl FnOnce(&Monitor)) -> Vec<String> {
    let monitor = Monitor::default();
    happens(&monitor);
    monitor.close(touches)
}

fn call(nonce: Nonce) -> HandOver {
    HandOver::new(nonce, Some(Value::Finished(0)))
}

const A: Thing = Thing::Callback(0);

#[test]
fn a_thing_is_dropped_as_often_as_it_is_made() {
    let made_and_dropped = |made: usize, dropped: usize| {
        broken(0, |monitor| {
            (0..made).for_each(|_| monitor.made(A));
            (0..dropped).for_each(|_| monitor.dropped(A, 0));
        })
    };
    for times in 0..3 {
        assert_eq!(made_and_dropped(times, times), [""; 0]);
    }
    assert_eq!(made_and_dropped(1, 0), ["P15: made {Callback(0): 1}, dropped {}"]);
    assert_eq!(made_and_dropped(1, 2), ["P15: made {Callback(0): 1}, dropped {Callback(0): 2}"]);
    assert_eq!(made_and_dropped(2, 1), ["P15: made {Callback(0): 2}, dropped {Callback(0): 1}"]);
    let another = broken(0, |monitor| {
        monitor.made(Thing::Future);
        monitor.dropped(Thing::Value(Value::Finished(3)), 0);
    });
    assert_eq!(another, ["P15: made {Future: 1}, dropped {Value(Finished(3)): 1}"]);
}

#[test]
fn hand_overs_of_one_task_do_not_overlap() {
    let overlapping = broken(0, |monitor| {
        monitor.handing(0);
        monitor.handing(1);
        monitor.handed_over(0);
        monitor.handing(0);
        assert_eq!(monitor.close(0), [""; 0]);
        monitor.handing(1);
    });
    assert_eq!(overlapping, ["P8: hand-over of y during another hand-over of y"]);
    let nested = broken(0, |monitor| {
        monitor.handing(0);
        monitor.handing(0);
        monitor.handed_over(0);
        monitor.handing(0);
    });
    assert_eq!(nested, ["P8: hand-over of x during another hand-over of x"; 2]);
}

/// An event that happens while this number of locks is held.
type Happens<'a> = &'a dyn Fn(&Monitor, usize);

#[test]
fn no_code_of_the_caller_runs_under_the_lock() {
    let happens: [(&str, usize, Happens); 7] = [
        ("b dropped", 0, &|monitor, locks| {
            monitor.made(Thing::Callback(1));
            monitor.dropped(Thing::Callback(1), locks);
        }),
        ("b called", 1, &|monitor, locks| _ = monitor.entered(call(1), locks)),
        ("b called", 1, &|monitor, locks| monitor.left(1, Part::Call, locks)),
        ("scheduler called", 2, &|monitor, locks| monitor.scheduled(0, locks, 2)),
        ("b cloned", 0, &|monitor, locks| monitor.cloned(1, locks)),
        ("v0 printed", 0, &|monitor, locks| monitor.printed(Thing::Value(Value::Finished(0)), locks)),
        ("hook called", 0, &|monitor, locks| monitor.told(Told::Abandoned, locks)),
    ];
    for (what, touches, happens) in happens {
        assert_eq!(broken(touches, |monitor| happens(monitor, 0)), [""; 0], "{what}");
        for locks in 1..3 {
            assert_eq!(broken(touches, |monitor| happens(monitor, locks)), [format!("P13: {what} under the lock")]);
        }
    }
}

#[test]
fn the_probe_must_have_seen_each_begin_and_end_of_a_call() {
    let called = |monitor: &Monitor| {
        monitor.entered(call(0), 0);
        monitor.left(0, Part::Call, 0);
        monitor.scheduled(0, 0, 3);
        monitor.scheduled(1, 0, 3);
    };
    assert_eq!(broken(8, called), [""; 0]);
    for wrong in [0, 7, 9] {
        assert_eq!(broken(wrong, called), [format!("harness: the probe saw {wrong} touches, not 8")]);
    }
}

#[test]
fn a_schedulers_callback_is_called_while_its_thread_serves() {
    let unserved = broken(0, |monitor| {
        monitor.called_by_its_scheduler(2);
        monitor.serves(true);
        monitor.called_by_its_scheduler(0);
        monitor.serves(false);
        monitor.called_by_its_scheduler(1);
    });
    let by_the_drainer = |letter| format!("P11: {letter} called by the draining thread, not by its scheduler");
    assert_eq!(unserved, [by_the_drainer("c"), by_the_drainer("b")]);
}

#[test]
fn the_observation_has_the_hand_overs_in_order_and_the_reports_with_their_numbers() {
    let monitor = Monitor::default();
    let (first, second) = (monitor.entered(call(1), 0), monitor.entered(call(0), 0));
    let third = monitor.entered(HandOver { part: Part::Drop, ..call(1) }, 0);
    monitor.answered(second, Some(Answer::Did(true)));
    monitor.answered(first, Some(Answer::Did(false)));
    monitor.answered(second, None);
    monitor.answered(second, Some(Answer::Count(2)));
    // The call and the drop of `b` are two programs.
    monitor.left(1, Part::Drop, 0);
    monitor.entered(call(2), 0);
    monitor.left(0, Part::Call, 0);
    monitor.left(2, Part::Call, 0);
    let last = monitor.entered(HandOver { part: Part::Clone, saw: None, ..call(3) }, 0);
    monitor.told(Told::Lost(0), 0);
    monitor.told(Told::Abandoned, 0);
    monitor.told(Told::Lost(0), 0);
    assert_eq!([first, second, third, last], [0, 1, 2, 4]);

    assert!(!monitor.is_over());
    let (handed, told) = monitor.observed();
    assert!(monitor.is_over());
    let entry = |nonce, amid: &[Nonce], answers: &[Answer]| HandOver {
        amid: amid.to_vec(),
        answers: answers.to_vec(),
        ..call(nonce)
    };
    let expected = [
        entry(1, &[], &[Answer::Did(false)]),
        entry(0, &[1], &[Answer::Did(true), Answer::Count(2)]),
        HandOver { part: Part::Drop, ..entry(1, &[0, 1], &[]) },
        entry(2, &[0, 1], &[]),
        HandOver { part: Part::Clone, saw: None, ..entry(3, &[1], &[]) },
    ];
    assert_eq!(handed, expected);
    assert_eq!(told, BTreeMap::from([(Told::Lost(0), 2), (Told::Abandoned, 1)]));
}

/// The step in which one of these happens can be told from the observation.
#[test]
fn begins_and_ends_of_hand_overs_and_calls_mark_their_step() {
    let monitor = Monitor::default();
    take_ordered();
    let marks = |happens: &dyn Fn()| {
        happens();
        (take_ordered(), take_ordered())
    };
    assert_eq!(marks(&|| monitor.handing(0)), (true, false));
    assert_eq!(marks(&|| monitor.handed_over(0)), (true, false));
    assert_eq!(marks(&|| _ = monitor.entered(call(0), 0)), (true, false));
    assert_eq!(marks(&|| monitor.left(0, Part::Call, 0)), (true, false));
    assert_eq!(marks(&|| monitor.made(A)), (false, false));
}

#[test]
fn what_happens_is_recorded() {
    let happens = || {
        recorder::begin(|| 3);
        let monitor = Monitor::default();
        monitor.scheduled(1, 0, 0);
        monitor.entered(call(0), 0);
        monitor.left(0, Part::Call, 0);
        monitor.dropped(A, 0);
        monitor.told(Told::Abandoned, 0);
        monitor.broken("P1: for example".to_owned());
        let broken = monitor.close(2);
        recorder::end(None, &broken);
        broken
    };
    let (broken, traces) = recorder::watch(happens, |trace| Some(trace.number));
    assert_eq!(broken, ["P1: for example", "P15: made {}, dropped {Callback(0): 1}"]);
    let of_monitor =
        |(_, event): &&(usize, Event)| !matches!(event, Event::Breaks(rule) if rule.starts_with("protocol"));
    let recorded: Vec<_> = traces[&1].events.iter().filter(of_monitor).cloned().collect();
    let expected = [
        Event::Schedules(Some(1)),
        Event::Enters(call(0)),
        Event::Leaves(0, Part::Call),
        Event::Drops(A),
        Event::Tells(Told::Abandoned),
        Event::Breaks("P1: for example".to_owned()),
    ];
    assert_eq!(recorded, expected.map(|event| (3, event)));
    assert_eq!(traces[&1].broken, broken);
}
