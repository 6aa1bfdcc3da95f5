//! Tasks completed inside callbacks that run inline: a hand-over that only queues takes place at once.

use super::support::{Bell, Log, is_pending, noted};
use fastrand::Rng;
use futures::executor::block_on;
use std::future::{IntoFuture, poll_fn};
use std::mem;
use std::panic::panic_any;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, mpsc};
use std::task::Waker;
use std::thread;
use whendone::{Completer, EventLoop, Handle, Inline, Outcome, Ready, Schedule, Serial, Task};

/// D25
#[test]
fn a_running_loop_gets_a_task_that_an_inline_callback_completes_at_once() {
    with_a_running_loop(|handle| {
        let (completer, task) = whendone::task(handle);
        let (sender, ran) = mpsc::channel();
        task.add_done_callback(move |_| sender.send(thread::current().id()));
        inside_a_callback(move || {
            completer.complete(()).unwrap();
            assert_ne!(ran.recv().unwrap(), thread::current().id());
        });
    });
}

/// D25, P17
#[test]
fn a_callback_may_join_a_thread_that_awaits_a_task_of_a_loop() {
    let (completer, task) = whendone::task(EventLoop::new().handle());
    let (asleep, is_asleep) = mpsc::channel();
    let waiter = thread::spawn(move || {
        let mut wait = pin!((&task).into_future());
        let outcome = poll_fn(|context| {
            let polled = wait.as_mut().poll(context);
            asleep.send(()).unwrap();
            polled
        });
        block_on(outcome).value().copied()
    });
    is_asleep.recv().unwrap();
    inside_a_callback(move || {
        completer.complete(3).unwrap();
        assert_eq!(waiter.join().unwrap(), Some(3));
    });
}

/// D25, D16
#[test]
fn a_late_add_of_another_thread_does_not_wait_for_the_callback_that_completed() {
    with_a_running_loop(|handle| {
        let (completer, task) = whendone::task(handle);
        inside_a_callback(move || {
            completer.complete(()).unwrap();
            let (sender, ran) = mpsc::channel();
            let late = move || {
                task.add_done_callback(move |_| sender.send(()));
            };
            thread::spawn(late).join().unwrap();
            ran.recv().unwrap();
        });
    });
}

/// D25, R50
#[test]
fn cancels_dropped_completers_and_late_adds_go_over_at_once_too() {
    let (scheduler, queue) = queueing();
    let task = || whendone::task::<()>(scheduler.clone());
    let ((_kept, cancelled), (dropped, abandoned), (completer, late)) = (task(), task(), task());
    completer.complete(()).unwrap();
    cancelled.add_done_callback(|_| ());
    abandoned.add_done_callback(|_| ());
    inside_a_callback(move || {
        assert!(cancelled.cancel());
        assert_eq!(queue.try_iter().map(Ready::run).count(), 1);
        drop(dropped);
        assert_eq!(queue.try_iter().map(Ready::run).count(), 1);
        late.add_done_callback(|_| ());
        assert_eq!(queue.try_iter().map(Ready::run).count(), 1);
    });
}

/// D25: also if the task has a name, and behind a `Serial`.
#[test]
fn a_scheduler_that_only_queues_does_so_behind_a_name_an_arc_and_a_serial() {
    let (scheduler, queue) = queueing();
    let queue = Arc::new(Mutex::new(queue));
    let pairs = [
        whendone::task(scheduler.clone()),
        whendone::task_named("job", scheduler.clone()),
        whendone::task(Serial::new(scheduler.clone())),
        whendone::task_named("job", Serial::new(scheduler)),
    ];
    for (completer, task) in pairs {
        task.add_done_callback(|_| ());
        let queue = queue.clone();
        inside_a_callback(move || {
            completer.complete(()).unwrap();
            assert_eq!(queue.lock().unwrap().try_iter().map(Ready::run).count(), 1);
        });
    }
}

/// D25, R38
#[test]
fn a_loop_behind_a_serial_gets_a_task_that_an_inline_callback_completes_at_once() {
    let noted = noted(|log, handle| async move {
        let (completer, task) = whendone::task(Serial::new(handle.clone()));
        task.add_done_callback(log.callback("of the task"));
        inside_a_callback(move || {
            completer.complete(()).unwrap();
            handle.call_soon(move || log.note("behind it")).unwrap();
        });
    });
    assert_eq!(noted, "of the task behind it");
}

/// D25: the task of a future, too, whose owner is its loop.
#[test]
fn a_late_callback_of_a_spawned_task_goes_over_at_once_too() {
    let noted = noted(|log, handle| async move {
        let task = whendone::spawn(async {});
        assert!((&task).await.value().is_some());
        inside_a_callback(move || {
            task.add_done_callback(log.callback("late"));
            handle.call_soon(move || log.note("behind it")).unwrap();
        });
    });
    assert_eq!(noted, "late behind it");
}

/// D11, D25, P8: also if the task has a name, and behind an `Arc` and a `Serial`.
#[test]
fn a_task_whose_scheduler_may_run_callbacks_waits_for_the_end_of_the_callback() {
    let unknown = || {
        |ready: Ready| {
            ready.run();
            Ok(())
        }
    };
    let pairs = [
        whendone::task(Inline),
        whendone::task(unknown()),
        whendone::task(Arc::new(unknown())),
        whendone::task(Serial::new(unknown())),
        whendone::task_named("job", Inline),
        whendone::task_named("job", unknown()),
    ];
    for (place, (completer, task)) in pairs.into_iter().enumerate() {
        let log = Log::default();
        task.add_done_callback(log.callback("inner"));
        let outer = log.clone();
        inside_a_callback(move || {
            completer.complete(()).unwrap();
            outer.note("outer");
        });
        assert_eq!(log.read(), "outer inner", "pair {place}");
    }
}

/// D25, R38
#[test]
fn a_waker_that_completes_another_task_of_its_loop_does_not_overtake() {
    let noted = noted(|log, handle| async move {
        let ((first, one), (second, two)) = (whendone::task(handle.clone()), whendone::task(handle));
        let mut wait = (&one).into_future();
        assert!(is_pending(&mut wait, &completing(second)));
        one.add_done_callback(log.callback("one"));
        two.add_done_callback(log.callback("two"));
        inside_a_callback(move || first.complete(()).unwrap());
    });
    assert_eq!(noted, "one two");
}

/// D25, R36
#[test]
fn a_chain_of_100_000_wakers_inside_a_callback_needs_no_stack() {
    let (scheduler, queue) = queueing();
    let (mut first, last) = whendone::task(scheduler.clone());
    last.add_done_callback(|_| ());
    let mut waits = Vec::new();
    for _ in 0..100_000 {
        let (completer, task) = whendone::task(scheduler.clone());
        waits.push(task.into_future());
        assert!(is_pending(waits.last_mut().unwrap(), &completing(mem::replace(&mut first, completer))));
    }
    inside_a_callback(move || first.complete(()).unwrap());
    assert_eq!(queue.try_iter().map(Ready::run).count(), 1);
}

/// D25, P14: also if the task has a name.
#[test]
fn a_scheduler_that_panics_when_asked_whether_it_only_queues_is_contained() {
    struct Rude;
    impl Schedule for Rude {
        fn schedule(&self, ready: Ready) -> Result<(), Ready> {
            ready.run();
            Ok(())
        }

        fn only_queues(&self) -> bool {
            panic_any("rude")
        }
    }
    for (completer, task) in [whendone::task(Rude), whendone::task_named("job", Rude)] {
        let log = Log::default();
        task.add_done_callback(log.callback("ran"));
        completer.complete(()).unwrap();
        assert_eq!(log.read(), "ran");
    }
}

/// D25, P7, P8, R38: tasks whose callbacks run inline or are queued, and whose callbacks and wakers complete others.
#[test]
fn random_tasks_that_complete_each_other_keep_their_order_and_do_not_nest() {
    for seed in 0..300 {
        let mut random = Rng::with_seed(seed);
        let world = World::new(&mut random);
        world.complete(0, false);
        assert_eq!(mem::take(&mut *world.wrong.lock().unwrap()), [""; 0], "seed {seed}");
        let order = mem::take(&mut *world.completed.lock().unwrap());
        let queued = order.iter().filter(|task| world.queues[**task]).flat_map(|task| [*task; CALLBACKS]);
        assert!(world.queue.lock().unwrap().drain(..).map(|(task, _)| task).eq(queued), "seed {seed}");
        let ran = mem::take(&mut *world.ran.lock().unwrap());
        for task in order {
            let ran: Vec<usize> = ran.iter().filter(|(of, _)| *of == task).map(|(_, place)| *place).collect();
            let wakers = [1, 3];
            let expected = if world.queues[task] { &wakers[..] } else { &[0, 1, 2, 3] };
            assert_eq!(ran, expected, "seed {seed}, task {task}");
        }
    }
}

const TASKS: usize = 12;
const CALLBACKS: usize = 2;

/// Tasks with a line of two callbacks and two awaits each, in turn.
struct World {
    queues: Vec<bool>,
    completers: Mutex<Vec<Option<Completer<()>>>>,
    /// The tasks, in the order of their completion.
    completed: Mutex<Vec<usize>>,
    queue: Mutex<Vec<(usize, Ready)>>,
    /// The tasks and places in line of the waiters that ran.
    ran: Mutex<Vec<(usize, usize)>>,
    /// The number of inline callbacks now running.
    inside: AtomicUsize,
    /// The faults that callbacks and wakers found: a panic of theirs would be contained.
    wrong: Mutex<Vec<&'static str>>,
}

impl World {
    fn new(random: &mut Rng) -> Arc<Self> {
        let queues: Vec<bool> = (0..TASKS).map(|_| random.bool()).collect();
        let world = Arc::new(World {
            queues,
            completers: Mutex::default(),
            completed: Mutex::default(),
            queue: Mutex::default(),
            ran: Mutex::default(),
            inside: AtomicUsize::new(0),
            wrong: Mutex::default(),
        });
        for task in 0..TASKS {
            let (completer, handle) = match world.queues[task] {
                true => whendone::task(To(world.clone(), task)),
                false => whendone::task(Inline),
            };
            for place in 0..2 * CALLBACKS {
                let completes = [random.usize(..TASKS), random.usize(..TASKS)];
                world.line_up(&handle, task, place, completes);
            }
            world.completers.lock().unwrap().push(Some(completer));
        }
        world
    }

    fn line_up(self: &Arc<Self>, handle: &Task<()>, task: usize, place: usize, completes: [usize; 2]) {
        let (world, queues) = (self.clone(), self.queues[task]);
        if place.is_multiple_of(2) {
            handle.add_done_callback(move |_| {
                world.expect(world.inside.fetch_add(1, Relaxed) == 0, "it nests");
                world.ran.lock().unwrap().push((task, place));
                completes.iter().for_each(|other| world.complete(*other, true));
                world.inside.fetch_sub(1, Relaxed);
            });
        } else {
            let bell = Bell::calling(move || {
                world.ran.lock().unwrap().push((task, place));
                completes.iter().for_each(|other| world.complete(*other, !queues));
            });
            let mut wait = handle.clone().into_future();
            assert!(is_pending(&mut wait, &Arc::new(bell).into()));
            // Dropping the await would give up its place in line.
            mem::forget(wait);
        }
    }

    /// Completes a task, unless it is done. If only inline drains are under way, its callbacks are queued by then.
    fn complete(&self, task: usize, at_once: bool) {
        let completer = self.completers.lock().unwrap()[task].take();
        let Some(completer) = completer else { return };
        self.completed.lock().unwrap().push(task);
        completer.complete(()).unwrap();
        let queued = self.queue.lock().unwrap().iter().filter(|(of, _)| *of == task).count();
        self.expect(!at_once || !self.queues[task] || queued == CALLBACKS, "it is not queued at once");
    }

    fn expect(&self, right: bool, otherwise: &'static str) {
        if !right {
            self.wrong.lock().unwrap().push(otherwise);
        }
    }
}

/// A scheduler that queues a task's callbacks, and declares that it does nothing else.
struct To(Arc<World>, usize);

impl Schedule for To {
    fn schedule(&self, ready: Ready) -> Result<(), Ready> {
        self.0.queue.lock().unwrap().push((self.1, ready));
        Ok(())
    }

    fn only_queues(&self) -> bool {
        true
    }
}

/// A scheduler that keeps callbacks until the test runs them, and declares that.
fn queueing() -> (Arc<dyn Schedule>, mpsc::Receiver<Ready>) {
    struct Queueing(mpsc::Sender<Ready>);
    impl Schedule for Queueing {
        fn schedule(&self, ready: Ready) -> Result<(), Ready> {
            self.0.send(ready).map_err(|refused| refused.0)
        }

        fn only_queues(&self) -> bool {
            true
        }
    }
    let (sender, queue) = mpsc::channel();
    (Arc::new(Queueing(sender)), queue)
}

/// A waker that completes a task.
fn completing(completer: Completer<()>) -> Waker {
    let completer = Mutex::new(Some(completer));
    let complete = move || {
        let completer = completer.lock().unwrap().take();
        completer.unwrap().complete(()).unwrap();
    };
    Arc::new(Bell::calling(complete)).into()
}

/// Calls a function inside a callback that runs inline.
fn inside_a_callback(call: impl FnOnce() + Send + 'static) {
    let (completer, task) = whendone::task(Inline);
    let (sender, returned) = mpsc::channel();
    task.add_done_callback(move |_| {
        call();
        sender.send(())
    });
    completer.complete(()).unwrap();
    returned.try_recv().expect("it has not panicked");
}

/// Calls a function with the handle of a loop that runs on a thread of its own.
fn with_a_running_loop(call: impl FnOnce(Handle)) {
    let mut event_loop = EventLoop::new();
    let handle = event_loop.handle();
    let (completer, stopped) = whendone::task(handle.clone());
    thread::scope(|threads| {
        threads.spawn(move || event_loop.run_until_complete(async move { stopped.await == Outcome::Finished(()) }));
        call(handle);
        completer.complete(()).unwrap();
    });
}
