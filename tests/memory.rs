//! Memory is bounded by the live callbacks (P20). A binary of its own, for the counting allocator.

// The benches also use its other counters.
#[allow(dead_code)]
#[path = "../benches/src/allocations.rs"]
mod allocations;

use allocations::{Counting, live_here as live, made_here as made};
use fastrand::Rng;
use std::fmt::Write;
use std::num::NonZeroU64;
use std::sync::Arc;
use whendone::kernel::{Added, Cell, UNTAGGED};
use whendone::{CallbackId, Completer, Inline, Ready, Serial, Task};

#[global_allocator]
static COUNTING: Counting = Counting;

const PAIRS: u32 = 1_000_000;
const MANY: usize = 10_000;

/// The size that one place in a line may take: sequence, tag, and the callback or none.
type Place<C> = (u64, u64, Option<C>);

/// P20
#[test]
fn adding_and_removing_for_ever_does_not_grow_a_cell() {
    for waiting in [0, 1, 20] {
        let cell = Arc::new(Cell::<(), u64>::new(0));
        let kept = add_many(&cell, waiting);
        let before = live();
        for pair in 0..PAIRS {
            let id = add(&cell, pair.into());
            assert_eq!(cell.remove(id), Some(pair.into()));
            assert!(live() <= before + bound::<u64>(waiting));
        }
        assert!(kept.into_iter().all(|id| cell.remove(id).is_some()));
    }
}

/// P20: a full buffer is doubled, from 8 places on, so an add costs amortised constant time.
#[test]
fn a_line_of_10_000_callbacks_has_grown_12_times() {
    let cell = Arc::new(Cell::<(), u64>::new(0));
    let (mut grown, mut last) = (0, live());
    for callback in 0..MANY as u64 {
        add(&cell, callback);
        grown += u32::from(live() != last);
        last = live();
    }
    assert_eq!(grown, 12);
}

/// P20: a buffer with more than twice the places of those that wait, and 32, is cut to one and a half times their number.
#[test]
fn a_line_of_1000_callbacks_shrinks_8_times_while_it_is_emptied() {
    const PLACE: i64 = size_of::<(u64, Option<(NonZeroU64, u64)>)>() as i64;
    for order in ORDERS {
        let cell = Arc::new(Cell::<(), u64>::new(0));
        let mut ids = add_many(&cell, 1000);
        order(&mut ids);
        let (mut shrunk, mut last) = (Vec::with_capacity(20), 1024);
        let rest = live() - last * PLACE;
        for (left, &id) in (0..1000).rev().zip(&ids) {
            assert!(cell.remove(id).is_some());
            let places = (live() - rest) / PLACE;
            if places != last {
                shrunk.push((left, places));
                last = places;
            }
        }
        assert_eq!(shrunk, [(495, 742), (354, 531), (249, 373), (170, 255), (111, 166), (66, 99), (33, 49), (8, 12)]);
    }
}

/// P20
#[test]
fn adding_and_removing_for_ever_does_not_grow_a_task() {
    for waiting in [0, 1, 20] {
        let (_completer, task) = pending();
        for _ in 0..waiting {
            task.add_done_callback(|_| ());
        }
        let before = live();
        for pair in 0..PAIRS {
            let id = task.add_done_callback(move |_| pair);
            assert!(task.remove_done_callback(id));
            assert!(live() <= before + bound::<[usize; 2]>(waiting));
        }
    }
}

/// P20: at every moment of a long walk.
#[test]
fn a_cell_takes_no_more_than_its_callbacks_allow() {
    let cell = Arc::new(Cell::<(), u64>::new(0));
    let (mut ids, mut random) = (Vec::with_capacity(MANY), Rng::with_seed(1));
    let before = live();
    for step in 0..u64::from(PAIRS) {
        let grows = step / 5000 % 2 == 0;
        if ids.is_empty() || random.u8(0..3) > u8::from(!grows) {
            ids.push(add(&cell, step));
        } else {
            assert!(cell.remove(ids.swap_remove(random.usize(..ids.len()))).is_some());
        }
        assert!(live() <= before + bound::<u64>(ids.len()), "step {step}, {} are left", ids.len());
    }
}

/// P20: a sliding window, whose oldest callback goes as the newest comes.
#[test]
fn removing_the_oldest_for_ever_does_not_grow_a_cell() {
    let cell = Arc::new(Cell::<(), u64>::new(0));
    let mut window: std::collections::VecDeque<_> = add_many(&cell, 10).into();
    let before = live();
    for newest in 0..PAIRS {
        window.push_back(add(&cell, newest.into()));
        assert!(window.pop_front().and_then(|oldest| cell.remove(oldest)).is_some());
        assert!(live() <= before + bound::<u64>(11));
    }
}

/// P20: at every moment, in every order of removal.
#[test]
fn a_cell_frees_the_memory_of_its_removed_callbacks() {
    for order in ORDERS {
        let before = live();
        let cell = Arc::new(Cell::<(), u64>::new(0));
        let empty = live() - before;
        let mut ids = add_many(&cell, MANY);
        order(&mut ids);
        let line = live() - bytes(&ids) - before - empty;
        assert!(line > (MANY * size_of::<u64>()) as i64);
        let rest = before + empty + bytes(&ids);
        for (left, &id) in (10..MANY).rev().zip(&ids) {
            assert!(cell.remove(id).is_some());
            assert!(live() <= rest + bound::<u64>(left), "{left} are left");
        }
        drop((cell, ids));
        assert_eq!(live(), before);
    }
}

/// P11: it runs where it is, also if its task has a name.
#[test]
fn a_late_inline_callback_takes_no_memory() {
    for (completer, task) in [pending(), whendone::task_named("job", Inline)] {
        completer.complete(()).unwrap();
        let (number, before) = (3u64, made());
        task.add_done_callback(move |_| number);
        assert_eq!(made(), before);
    }
}

/// P20: the list of the tasks that a thread is printing.
#[test]
fn printing_a_task_leaves_nothing_behind() {
    let (completer, task) = pending();
    for _ in 0..2 {
        let before = live();
        assert!(!format!("{task:?}").is_empty());
        assert_eq!(live(), before);
    }
    drop(completer);
}

/// P20: the lists of the drains that a thread defers, which nobody frees when it ends.
#[test]
fn a_deferred_drain_leaves_nothing_behind() {
    for _ in 0..2 {
        let before = live();
        let ((first, outer), (second, inner)) = (pending(), pending());
        inner.add_done_callback(|_| ());
        outer.add_done_callback(move |_| second.complete(()));
        first.complete(()).unwrap();
        assert!(inner.is_done());
        drop((outer, inner));
        assert_eq!(live(), before);
    }
}

const SHARED: NonZeroU64 = NonZeroU64::MIN;

/// P20: all of a tag at once.
#[test]
fn a_cell_frees_the_memory_of_a_removed_tag() {
    let cell = Arc::new(Cell::<(), u64>::new(0));
    let before = live();
    for _ in 0..3 {
        for callback in 0..MANY as u64 {
            let tag = if callback >= 10 { SHARED } else { UNTAGGED };
            assert!(matches!(cell.add(tag, callback), Added::Waits(_)));
        }
        assert_eq!(cell.remove_all(SHARED).len(), MANY - 10);
        assert!(live() <= before + bound::<u64>(10));
        assert_eq!(cell.remove_all(UNTAGGED).len(), 10);
    }
}

/// P20, P15
#[test]
fn a_task_frees_the_memory_of_its_removed_callbacks() {
    for order in ORDERS {
        let before = live();
        let (completer, task) = pending();
        let empty = live();
        let mut ids: Vec<_> = Vec::with_capacity(MANY);
        ids.extend((0..MANY).map(|number| task.add_done_callback(move |_| number)));
        let full = live() - bytes(&ids) - empty;
        order(&mut ids);
        assert!(ids[10..].iter().all(|&id| task.remove_done_callback(id)));
        let rest = live() - bytes(&ids) - empty;
        assert!(rest < full / 100, "{rest} bytes of {full} are left");
        drop((completer, task, ids));
        assert_eq!(live(), before);
    }
}

/// P18, R102: the lock section that counts the callbacks takes no longer for more of them.
#[test]
fn printing_a_pending_task_copies_nothing_of_its_line() {
    let printed_by = |waiting: usize| {
        let (_completer, task) = pending();
        for _ in 0..waiting {
            task.add_done_callback(|_| ());
        }
        let mut printed = String::with_capacity(100);
        let before = made();
        write!(printed, "{task:?}").unwrap();
        let took = made() - before;
        assert_eq!(printed, format!("<Task pending cb=[{waiting} waiting]>"));
        took
    };
    // The first print allocates the thread's list of the tasks being printed.
    printed_by(1);
    assert_eq!(printed_by(MANY), printed_by(1));
}

/// P20: a loop that does not run is nudged once.
#[cfg(feature = "event-loop")]
#[test]
fn dropped_sleeps_leave_nothing_in_an_idle_loop() {
    use std::{future::Future, task::Context, task::Waker, time::Duration};
    let event_loop = whendone::EventLoop::new();
    let handle = event_loop.handle();
    let poll = |seconds| {
        let mut nap = Box::pin(handle.sleep(Duration::from_secs(seconds)));
        assert!(nap.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    };
    poll(MANY as u64 + 1);
    let before = live();
    (1..MANY as u64).rev().for_each(poll);
    assert_eq!(live(), before);
}

/// P15, P20: a task that is done is freed, whatever its loop keeps for others.
#[cfg(feature = "event-loop")]
#[test]
fn finished_tasks_of_a_loop_leave_nothing() {
    const QUEUE: i64 = 4096;
    let mut event_loop = whendone::EventLoop::new();
    let handle = event_loop.handle();
    let mut run = |tasks: usize| {
        let handle = handle.clone();
        event_loop.run_until_complete(async move {
            for task in 0..tasks {
                assert_eq!(handle.spawn(async move { task }).await.value(), Some(&task));
            }
        });
        live()
    };
    let before = run(1);
    let left = run(MANY) - before;
    assert!(left < QUEUE, "{left} bytes are left of {MANY} tasks");
}

/// A future is stored once, in one box: the other memory of `spawn` and `run` does not depend on its size.
#[cfg(feature = "event-loop")]
#[test]
fn a_future_takes_its_own_size_once() {
    use std::hint::black_box;
    use whendone::EventLoop;
    const LARGE: usize = 64 << 10;
    const BESIDES: i64 = 4096;
    async fn with_a_field<const SIZE: usize>() -> i64 {
        let field = black_box([1u8; SIZE]);
        futures::future::ready(()).await;
        black_box(&field);
        live()
    }
    let event_loop = EventLoop::new();
    let before = live();
    let tasks =
        [event_loop.handle().spawn(with_a_field::<LARGE>()), event_loop.handle().spawn(with_a_field::<LARGE>())];
    assert_eq!(size_of_val(&with_a_field::<LARGE>()) / LARGE, 1);
    assert!((2 * LARGE as i64..2 * LARGE as i64 + BESIDES).contains(&(live() - before)), "{}", live() - before);
    drop((event_loop, tasks));
    let size = LARGE as i64..LARGE as i64 + BESIDES;
    let before = live();
    let during = [whendone::run(with_a_field::<LARGE>()), EventLoop::new().run_until_complete(with_a_field::<LARGE>())];
    assert!(during.iter().all(|during| size.contains(&(during - before))), "{during:?} after {before}");
}

/// The orders of removal.
const ORDERS: [fn(&mut Vec<CallbackId>); 3] = [|_| (), |ids| ids.reverse(), every_other];

fn every_other(ids: &mut Vec<CallbackId>) {
    let (even, odd): (Vec<_>, Vec<_>) = ids.iter().enumerate().partition(|(at, _)| at % 2 == 0);
    *ids = even.into_iter().chain(odd).map(|(_, &id)| id).collect();
}

/// Twice the live callbacks and a constant.
fn bound<C>(waiting: usize) -> i64 {
    ((2 * waiting + 32) * size_of::<Place<C>>()) as i64
}

fn bytes(ids: &[CallbackId]) -> i64 {
    size_of_val(ids) as i64
}

fn pending() -> (Completer<()>, Task<()>) {
    whendone::task(Inline)
}

fn add_many(cell: &Arc<Cell<(), u64>>, many: usize) -> Vec<CallbackId> {
    let mut ids = Vec::with_capacity(many);
    ids.extend((0..many as u64).map(|number| add(cell, number)));
    ids
}

fn add(cell: &Arc<Cell<(), u64>>, callback: u64) -> CallbackId {
    match cell.add(UNTAGGED, callback) {
        Added::Waits(id) => id,
        Added::YouDrain(..) => unreachable!("it is pending"),
    }
}

/// D24, P20: one `Serial` for ever, whose tasks are all in line at once.
#[test]
fn a_serial_keeps_nothing_of_tasks_whose_callbacks_have_run() {
    let (sender, queue) = std::sync::mpsc::channel();
    let serial = Serial::new(move |ready| sender.send(ready).map_err(|refused| refused.0));
    let run = || {
        let completers = (0..MANY).map(|_| {
            let (completer, task) = whendone::task::<u32>(serial.clone());
            for _ in 0..3 {
                task.add_done_callback(|_| ());
            }
            completer
        });
        completers.for_each(|completer| completer.complete(3).unwrap());
        queue.try_iter().for_each(Ready::run);
    };
    // The channel keeps one block, which the first run allocates.
    run();
    let before = live();
    for _ in 0..3 {
        run();
        assert!(live() <= before + 10_000, "{} bytes for {MANY} tasks", live() - before);
    }
}
