//! The order of a task's callbacks on thread pools, which `Serial` keeps and a pool alone does not.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use whendone::{Schedule, Serial, Task};
use whendone_pools::on_each_pool;

const THREADS: usize = 4;
const TASKS: usize = 200;
/// Half of them are added late.
const CALLBACKS: usize = 8;

/// The broken promises of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Broken {
    out_of_order: usize,
    overlaps: usize,
}

/// The state that the callbacks of one task share.
#[derive(Default)]
struct Watch {
    running: AtomicBool,
    overlaps: AtomicUsize,
}

/// Adds a callback that records its own number when it has run.
fn add(task: &Task<usize>, at: usize, watch: &Arc<Watch>, ran: &mpsc::Sender<(usize, usize)>) {
    let (watch, ran) = (watch.clone(), ran.clone());
    task.add_done_callback(move |task| {
        if watch.running.swap(true, Ordering::SeqCst) {
            watch.overlaps.fetch_add(1, Ordering::SeqCst);
        }
        let number = *task.outcome().and_then(|outcome| outcome.value()).unwrap();
        // The work is long enough for another worker to begin, and longer in earlier callbacks.
        for _ in 0..10 * (CALLBACKS - at) {
            thread::yield_now();
        }
        ran.send((number, at)).unwrap();
        watch.running.store(false, Ordering::SeqCst);
    });
}

/// Completes tasks on one thread, while another adds the second half of the callbacks of each.
fn run(scheduler: impl Fn() -> Arc<dyn Schedule>) -> Broken {
    let (ran, order) = mpsc::channel();
    let (to_adder, tasks) = mpsc::channel::<(Task<usize>, Arc<Watch>, Arc<Barrier>)>();
    let from_adder = ran.clone();
    let adder = thread::spawn(move || {
        for (task, watch, both) in tasks {
            both.wait();
            (CALLBACKS / 2..CALLBACKS).for_each(|at| add(&task, at, &watch, &from_adder));
        }
    });
    let mut watches = Vec::new();
    for number in 0..TASKS {
        let (completer, task) = whendone::task(scheduler());
        let (watch, both) = (Arc::new(Watch::default()), Arc::new(Barrier::new(2)));
        (0..CALLBACKS / 2).for_each(|at| add(&task, at, &watch, &ran));
        watches.push(watch.clone());
        to_adder.send((task, watch, both.clone())).unwrap();
        both.wait();
        completer.complete(number).unwrap();
    }
    drop((to_adder, ran));
    adder.join().unwrap();
    let mut orders: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (task, at) in order {
        orders.entry(task).or_default().push(at);
    }
    assert!(orders.len() == TASKS && orders.values().all(|order| order.len() == CALLBACKS), "none is lost");
    Broken {
        out_of_order: orders.values().filter(|order| !order.is_sorted()).count(),
        overlaps: watches.iter().map(|watch| watch.overlaps.load(Ordering::SeqCst)).sum(),
    }
}

/// D24, P7, P8
#[test]
fn serial_keeps_the_callbacks_of_a_task_in_order_on_every_pool() {
    on_each_pool(THREADS, |pool, scheduler| {
        let serial = Arc::new(Serial::new(scheduler));
        assert_eq!(run(|| serial.clone()), Broken::default(), "{pool}, one `Serial` for all tasks");
    });
    on_each_pool(THREADS, |pool, scheduler| {
        let serial = || Arc::new(Serial::new(scheduler.clone())) as Arc<dyn Schedule>;
        assert_eq!(run(serial), Broken::default(), "{pool}, a `Serial` for each task");
    });
}

/// D24: the same measurement shows that a pool alone keeps no order.
#[test]
fn a_pool_alone_breaks_the_order_of_the_callbacks_of_a_task() {
    on_each_pool(THREADS, |pool, scheduler| {
        let broken = run(|| scheduler.clone());
        assert!(broken.out_of_order > 0 && broken.overlaps > 0, "{pool}: {broken:?}");
    });
}

/// D24: one worker never overlaps callbacks, and rayon and tokio still take the newest first.
#[test]
fn on_one_worker_of_rayon_and_tokio_order_needs_serial_too() {
    on_each_pool(1, |pool, scheduler| {
        // Added and completed inside the pool, where its workers keep a line of their own.
        let order = |scheduler: Arc<dyn Schedule>| {
            let (sender, ran) = mpsc::channel();
            let (start, started) = whendone::task(scheduler.clone());
            started.add_done_callback(move |_| {
                let (completer, task) = whendone::task(scheduler.clone());
                for at in 0..5 {
                    let sender = sender.clone();
                    task.add_done_callback(move |_| sender.send(at));
                }
                drop(sender);
                completer.complete(())
            });
            start.complete(()).unwrap();
            ran.iter().collect::<Vec<i32>>()
        };
        let alone = order(scheduler.clone());
        assert_eq!(alone == [0, 1, 2, 3, 4], ["plain", "smol"].contains(&pool), "{pool}: {alone:?}");
        assert_eq!(order(Arc::new(Serial::new(scheduler))), [0, 1, 2, 3, 4], "{pool}");
    });
}
