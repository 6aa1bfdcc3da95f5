//! The promises that the DOM standard makes for `AbortSignal`, as tests of our own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use whendone_adapters::abort_signal::{AbortController, AbortSignal, Listener};

#[test]
fn the_first_abort_sets_the_reason_and_later_ones_do_nothing() {
    let controller = AbortController::new();
    let (signal, (log, calls)) = (controller.signal().clone(), mpsc::channel());
    assert!(!signal.aborted() && signal.reason().is_none());
    signal.add_listener(move |signal| log.send(signal.reason().copied()).unwrap()).unwrap();
    controller.abort("first");
    controller.abort("second");
    assert!(signal.aborted());
    assert_eq!((signal.reason(), calls.iter().collect::<Vec<_>>()), (Some(&"first"), vec![Some("first")]));
}

#[test]
fn listeners_are_called_in_the_order_in_which_they_were_added() {
    let (controller, (log, calls)) = (AbortController::new(), mpsc::channel());
    for at in 0..5 {
        let log = log.clone();
        controller.signal().add_listener(move |_| log.send(at).unwrap()).unwrap();
    }
    drop(log);
    controller.abort(());
    assert_eq!(calls.iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
}

#[test]
fn a_listener_of_an_aborted_signal_is_never_called() {
    let signal = AbortSignal::aborted_with("why");
    assert!(signal.add_listener(|_| unreachable!()).is_none());
    assert_eq!(signal.reason(), Some(&"why"));
}

#[test]
fn a_removed_listener_is_not_called_and_its_captures_are_gone() {
    let (controller, held) = (AbortController::new(), Arc::new(()));
    let within = held.clone();
    let listener = controller.signal().add_listener(move |_| drop(within)).unwrap();
    assert!(listener.remove());
    assert_eq!(Arc::strong_count(&held), 1);
    controller.abort(());
}

#[test]
fn a_listener_that_an_earlier_one_removes_is_not_called() {
    let controller = AbortController::new();
    let second: Arc<Mutex<Option<Listener<()>>>> = Arc::default();
    let (to_remove, (log, calls)) = (second.clone(), mpsc::channel());
    let removed = move |_: &AbortSignal<()>| {
        let listener = to_remove.lock().unwrap().take().unwrap();
        log.send(listener.remove()).unwrap();
    };
    controller.signal().add_listener(removed).unwrap();
    *second.lock().unwrap() = controller.signal().add_listener(|_| panic!("it was removed"));
    controller.abort(());
    assert_eq!(calls.iter().collect::<Vec<_>>(), [true]);
}

#[test]
fn a_listener_that_panics_keeps_none_from_being_called() {
    let (controller, (log, calls)) = (AbortController::new(), mpsc::channel());
    let any = AbortSignal::any([controller.signal()]);
    for at in 0..3 {
        let log = log.clone();
        let signal = if at < 2 { controller.signal() } else { &any };
        signal
            .add_listener(move |_| {
                log.send(at).unwrap();
                panic!("listener {at}")
            })
            .unwrap();
    }
    drop(log);
    let panic = catch_unwind(AssertUnwindSafe(|| controller.abort(()))).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "listener 0");
    assert_eq!(calls.iter().collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn any_is_aborted_with_the_first_of_its_sources_and_its_reason() {
    let controllers = [(); 3].map(|()| AbortController::new());
    let any = AbortSignal::any(controllers.iter().map(AbortController::signal));
    assert!(!any.aborted());
    controllers[1].abort(1);
    controllers[0].abort(0);
    assert_eq!(any.reason(), Some(&1));
    let late = AbortSignal::any([controllers[2].signal(), controllers[0].signal(), controllers[1].signal()]);
    assert_eq!(late.reason(), Some(&0), "the first of those that are aborted already");
    assert!(!AbortSignal::<()>::any([]).aborted());
}

#[test]
fn dependent_signals_are_aborted_before_the_first_listener_runs() {
    let (controller, (log, calls)) = (AbortController::new(), mpsc::channel());
    let dependent = AbortSignal::any([controller.signal()]);
    let of_dependent = AbortSignal::any([&dependent]);
    let seen = [dependent.clone(), of_dependent.clone()];
    controller.signal().add_listener(move |_| log.send(seen.map(|signal| signal.aborted())).unwrap()).unwrap();
    drop(dependent);
    controller.abort(());
    assert_eq!(calls.iter().collect::<Vec<_>>(), [[true, true]]);
    assert!(of_dependent.aborted());
}

#[test]
fn a_long_line_of_dependent_signals_is_aborted_and_dropped() {
    let controller = AbortController::new();
    let mut last = controller.signal().clone();
    (0..100_000).for_each(|_| last = AbortSignal::any([&last]));
    controller.abort(());
    assert!(last.aborted());
}

#[test]
fn each_listener_that_races_with_an_abort_is_called_or_refused_or_removed() {
    for _ in 0..1000 {
        let (controller, start) = (AbortController::<()>::new(), Barrier::new(2));
        let (log, calls) = mpsc::channel();
        let signal = controller.signal().clone();
        let kept: Vec<usize> = thread::scope(|scope| {
            let adding = scope.spawn(|| {
                start.wait();
                let add = |at| {
                    let log = log.clone();
                    signal.add_listener(move |_| log.send(at).unwrap())
                };
                let added: Vec<_> = (0..6).map_while(add).collect();
                let even = |at: &usize| at.is_multiple_of(2);
                added
                    .into_iter()
                    .enumerate()
                    .filter_map(|(at, one)| (!even(&at) || !one.remove()).then_some(at))
                    .collect()
            });
            start.wait();
            controller.abort(());
            adding.join().unwrap()
        });
        drop(log);
        assert_eq!(calls.iter().collect::<Vec<usize>>(), kept);
    }
}

#[test]
fn any_that_races_with_an_abort_is_aborted() {
    for _ in 0..1000 {
        let (controller, start) = (AbortController::new(), Barrier::new(2));
        let signal = controller.signal().clone();
        thread::scope(|scope| {
            let made = scope.spawn(|| {
                start.wait();
                AbortSignal::any([&signal])
            });
            start.wait();
            controller.abort(3);
            assert_eq!(made.join().unwrap().reason(), Some(&3));
        });
    }
}
