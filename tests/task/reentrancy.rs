//! Callers' code that calls back: every operation is allowed there, because no lock is held.

use super::support::{Log, OnDrop, Touch, failures, poll, refusing, touchy_waker, use_all, watched};
use std::cell::Cell;
use std::future::IntoFuture;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::task::Waker;
use whendone::{Failure, Inline, Outcome, Ready, Report, Schedule, SharedCallback, Task};

/// D1, P12, P13
#[test]
fn a_callback_may_do_everything_on_its_own_and_on_other_tasks() {
    let (log, (scheduler, reports)) = (Log::default(), watched(Inline));
    let ((completer, task), (_pending, other)) = (whendone::task(scheduler), whendone::task(Inline));
    let of_other = other.clone();
    task.add_done_callback(move |task| {
        use_all(task);
        use_all(&of_other);
    });
    task.add_done_callback(log.says("after"));
    completer.complete(3).unwrap();
    assert_eq!((failures(&reports), log.words()), (vec![], vec!["after"]));
    assert!(other.is_cancelled());
}

/// R29, D1, P12, P13
#[test]
fn captures_of_a_removed_callback_may_do_everything_when_dropped() {
    let (log, (scheduler, reports)) = (Log::default(), watched(Inline));
    let (_completer, task) = whendone::task(scheduler);
    let own = task.clone();
    let capture = OnDrop(move || use_all(&own));
    let id = task.add_done_callback(move |_| _ = &capture);
    task.add_done_callback(log.says("survivor"));
    assert!(task.remove_done_callback(id));
    assert_eq!((task.is_cancelled(), log.words(), failures(&reports)), (true, vec!["survivor"], vec![]));
}

/// R28, R29, D1, P12, P13
#[test]
fn captures_of_a_removed_shared_callback_may_do_everything_when_dropped() {
    let (log, (scheduler, reports)) = (Log::default(), watched(Inline));
    let (_completer, task) = whendone::task(scheduler);
    let own = task.clone();
    let capture = OnDrop(move || use_all(&own));
    let shared = SharedCallback::new(move |_: &Task<u32>| _ = &capture);
    let removed_by = shared.clone();
    task.add_shared(&shared);
    task.add_shared(&shared);
    task.add_done_callback(log.says("survivor"));
    drop(shared);
    assert_eq!(task.remove_shared(&removed_by), 2);
    drop(removed_by);
    assert_eq!((task.is_cancelled(), log.words(), failures(&reports)), (true, vec!["survivor"], vec![]));
}

/// D1, D4, P12, P13
#[test]
fn captures_of_a_refused_callback_may_do_everything_when_dropped() {
    let (scheduler, reports) = watched(refusing);
    let ((completer, task), (_pending, other)) = (whendone::task(scheduler), whendone::task(Inline));
    let of_other = other.clone();
    let own = task.clone();
    let capture = OnDrop(move || {
        use_all(&own);
        use_all(&of_other);
    });
    task.add_done_callback(move |_| _ = &capture);
    completer.complete(3).unwrap();
    assert!(other.is_cancelled());
    assert_eq!(failures(&reports), [Failure::CallbackLost; 3]);
}

/// D1, D7, P12, P16
#[test]
fn abandonment_by_a_dropped_callback_may_do_everything() {
    let (log, (scheduler, reports)) = (Log::default(), watched(Inline));
    let (completer, task) = whendone::task::<u32>(scheduler);
    let (_holder, holder) = whendone::task::<u32>(Inline);
    let of_holder = holder.clone();
    task.add_done_callback(move |_| use_all(&of_holder));
    task.add_done_callback(log.says("abandoned"));
    let id = holder.add_done_callback(move |_| completer.complete(1));
    assert!(holder.remove_done_callback(id));
    assert_eq!((task.outcome(), log.words()), (Some(&Outcome::Abandoned), vec!["abandoned"]));
    assert_eq!((holder.is_cancelled(), failures(&reports)), (true, vec![]));
}

/// D5, P12, P13
#[test]
fn the_hook_may_do_everything() {
    struct Curious(OnceLock<Task<u32>>, Log);
    impl Schedule for Curious {
        fn schedule(&self, ready: Ready) -> Result<(), Ready> {
            Inline.schedule(ready)
        }
        fn report(&self, _: &Report) {
            use_all(self.0.get().unwrap());
            self.1.note("told");
        }
    }
    let (log, (_pending, other)) = (Log::default(), whendone::task(Inline));
    let scheduler = Arc::new(Curious(OnceLock::new(), log.clone()));
    let (_completer, task) = whendone::task::<u32>(scheduler.clone());
    let _ = scheduler.0.set(other.clone());
    let bomb = OnDrop(|| panic!("captured"));
    let id = task.add_done_callback(move |_| _ = &bomb);
    task.add_done_callback(|_| panic!("callback"));
    assert!(task.remove_done_callback(id) && task.cancel());
    assert_eq!((log.words(), other.is_cancelled()), (vec!["told", "told"], true));
}

/// R5, R28, D1, D9, P12, P13, P17
#[test]
fn a_waker_may_do_everything_when_it_is_cloned_woken_or_dropped() {
    for at in [Touch::Clone, Touch::Wake, Touch::Drop] {
        let (log, (completer, task)) = (Log::default(), whendone::task(Inline));
        let waker = touchy_waker({
            let (log, task) = (log.clone(), task.clone());
            move |touch| {
                if touch == at {
                    use_all(&task);
                    log.note("touched");
                }
            }
        });
        let mut wait = (&task).into_future();
        let completed_by_clone = poll(&mut wait, &waker).is_ready();
        assert_eq!(completed_by_clone, at == Touch::Clone);
        let mut again = (&task).into_future();
        assert_eq!(poll(&mut again, Waker::noop()).is_ready(), completed_by_clone);
        if at == Touch::Drop {
            drop(wait);
        }
        assert_eq!(completer.complete(1).is_ok(), at == Touch::Wake);
        assert_eq!((poll(&mut again, Waker::noop()).is_ready(), log.words()), (true, vec!["touched"]));
    }
}

/// D9, P12, P13, P17
#[test]
fn a_waker_that_is_swapped_out_may_complete_the_task() {
    for at in [Touch::Clone, Touch::Drop] {
        let (log, (scheduler, reports)) = (Log::default(), watched(Inline));
        let (_completer, task) = whendone::task::<u32>(scheduler);
        let (mut wait, armed) = ((&task).into_future(), Rc::new(Cell::new(false)));
        let waker = touchy_waker({
            let (armed, task) = (armed.clone(), task.clone());
            move |touch| {
                if touch == at && armed.get() {
                    use_all(&task);
                }
            }
        });
        let swapped_in = log.waker("swapped in");
        let (first, second) = if at == Touch::Drop { (&waker, &swapped_in) } else { (&swapped_in, &waker) };
        assert!(poll(&mut wait, first).is_pending());
        armed.set(true);
        let ready = poll(&mut wait, second).is_ready();
        assert_eq!((task.is_cancelled(), failures(&reports)), (true, vec![]));
        assert!(ready || log.words() == ["swapped in"], "{at:?}");
    }
}
