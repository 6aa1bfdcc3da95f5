//! The cases of `cargo bench --bench scale`, each for a process of its own.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::*};
use std::time::{Duration, Instant};
use std::{fs, hint, thread};
use whendone::{Completer, EventLoop, Inline, Task};

use super::meter::median;
use super::within::turn;

/// The figures of one operation.
pub struct Figures {
    pub ns: f64,
    pub bytes: f64,
}

/// A case, its two sizes, and a sentence on its figures.
pub struct Case {
    pub name: &'static str,
    pub run: fn(u64) -> Figures,
    pub sizes: [u64; 2],
    pub shows: &'static str,
}

/// Cases whose figures are for each of n.
pub const GROWTH: [Case; 4] = [
    Case {
        name: "one task with n callbacks",
        run: one_task,
        sizes: [10_000, 100_000],
        shows: "constant for each callback; the bytes depend on how full the buffer is, which doubles",
    },
    Case {
        name: "n tasks with one callback each",
        run: many_tasks,
        sizes: [100_000, 1_000_000],
        shows: "constant for each task",
    },
    Case {
        name: "a chain of n tasks",
        run: chain,
        sizes: [10_000, 100_000],
        shows: "constant for each task, and without recursion",
    },
    Case {
        name: "n tasks on one loop, each with a timer",
        run: timers,
        sizes: [1_000, 10_000],
        shows: "constant for each task, except for the tree of timers, which is logarithmic",
    },
];

/// Cases whose figures are for one operation beside n others.
pub const PRINTING: [Case; 1] = [Case {
    name: "`Debug` of a task with n callbacks",
    run: printing,
    sizes: [64, 1_000_000],
    shows: "constant, since it prints the number of the callbacks and not each of them",
}];

/// Hand-overs. The calls of the first size are taken off those of the second, so that start and end cancel out.
pub const HAND_OVER: [Case; 2] = [
    Case { name: "to a loop that is awake", run: awake, sizes: [200, 1200], shows: "no system call" },
    Case {
        name: "to a loop that sleeps",
        run: asleep,
        sizes: [200, 1200],
        shows: "one wake; most of the time goes to the operating system, which wakes the thread",
    },
];

/// Bytes that the process has in memory.
fn resident() -> f64 {
    let pages = fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split_whitespace().nth(1)?.parse::<f64>().ok());
    pages.map_or(f64::NAN, |pages| pages * 4096.0)
}

/// Makes and runs, and weighs between the two.
fn timed<S>(n: u64, make: impl FnOnce() -> S, run: impl FnOnce(S)) -> Figures {
    let (before, start) = (resident(), Instant::now());
    let made = make();
    let (making, bytes) = (start.elapsed(), resident() - before);
    let start = Instant::now();
    run(made);
    let nanoseconds = (making + start.elapsed()).as_nanos() as f64;
    Figures { ns: nanoseconds / n as f64, bytes: bytes / n as f64 }
}

static RAN: AtomicU64 = AtomicU64::new(0);

fn note() {
    RAN.store(RAN.load(Relaxed) + 1, Relaxed);
}

fn one_task(n: u64) -> Figures {
    let make = || {
        let (completer, task) = whendone::task::<()>(Inline);
        (0..n).for_each(|_| _ = task.add_done_callback(|_| note()));
        completer
    };
    let figures = timed(n, make, |completer| completer.complete(()).expect("once"));
    assert_eq!(RAN.load(Relaxed), n);
    figures
}

/// Prints a hundred times. The text is as short as that of a task with few callbacks.
fn printing(n: u64) -> Figures {
    const TIMES: u32 = 100;
    let (completer, task) = whendone::task::<()>(Inline);
    (0..n).for_each(|_| _ = task.add_done_callback(|_| note()));
    let (mut text, start) = (String::with_capacity(1 << 16), Instant::now());
    (0..TIMES).for_each(|_| write!(text, "{task:?}").expect("a string takes everything"));
    let ns = start.elapsed().as_nanos() as f64 / f64::from(TIMES);
    assert!((1..200 * TIMES as usize).contains(&text.len()), "{} bytes for {TIMES} prints", text.len());
    completer.complete(()).expect("once");
    assert_eq!(RAN.load(Relaxed), n);
    Figures { ns, bytes: text.len() as f64 / f64::from(TIMES) }
}

fn many_tasks(n: u64) -> Figures {
    let make = || {
        let completers = (0..n).map(|_| {
            let (completer, task) = whendone::task::<()>(Inline);
            task.add_done_callback(|_| note());
            completer
        });
        completers.collect::<Vec<_>>()
    };
    let figures = timed(n, make, |completers| completers.into_iter().for_each(|one| one.complete(()).expect("once")));
    assert_eq!(RAN.load(Relaxed), n);
    figures
}

fn chain(n: u64) -> Figures {
    let make = || {
        let mut next: Option<Completer<()>> = None;
        for _ in 0..n {
            let (completer, task) = whendone::task(Inline);
            let after = next.replace(completer);
            task.add_done_callback(move |_| {
                note();
                after.map(|after| after.complete(()).is_ok())
            });
        }
        next
    };
    let figures = timed(n, make, |first| first.into_iter().for_each(|first| first.complete(()).expect("once")));
    assert_eq!(RAN.load(Relaxed), n);
    figures
}

fn timers(n: u64) -> Figures {
    let make = || {
        let event_loop = EventLoop::new();
        let handle = event_loop.handle();
        let nap = |at: u64| handle.spawn(handle.sleep(Duration::from_micros(at % 1000)));
        let tasks: Vec<Task<()>> = (0..n).map(nap).collect();
        (event_loop, tasks)
    };
    let run = |(mut event_loop, tasks): (EventLoop, Vec<Task<()>>)| {
        event_loop.run_until_complete(async move {
            for task in &tasks {
                task.await;
                note();
            }
        });
    };
    let figures = timed(n, make, run);
    assert_eq!(RAN.load(Relaxed), n);
    figures
}

fn awake(n: u64) -> Figures {
    hand_over(n, true)
}

fn asleep(n: u64) -> Figures {
    hand_over(n, false)
}

/// True if the system has put the thread that runs the loop to sleep, or if that is unknown.
fn first_thread_sleeps() -> bool {
    let stat = fs::read_to_string(format!("/proc/self/task/{}/stat", std::process::id()));
    stat.map_or(true, |stat| stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S')))
}

/// Completes tasks of a loop on another thread, one after another, and measures the time until each callback begins.
fn hand_over(n: u64, busy: bool) -> Figures {
    let mut event_loop = EventLoop::new();
    let handle = event_loop.handle();
    let (over, end) = whendone::task::<()>(Inline);
    let completing = thread::spawn(move || {
        let latency = |at: u64| {
            while !busy && !first_thread_sleeps() {
                hint::spin_loop();
            }
            let (completer, task) = whendone::task(handle.clone());
            task.add_done_callback(|task| {
                let begun: Option<&Instant> = task.outcome().and_then(|outcome| outcome.value());
                let latency = begun.map_or(0, |begun| begun.elapsed().as_nanos() as u64);
                RAN.store(latency.max(1), Release);
            });
            RAN.store(0, Relaxed);
            completer.complete(Instant::now()).unwrap_or_else(|_| panic!("hand-over {at} is refused"));
            while RAN.load(Acquire) == 0 {
                hint::spin_loop();
            }
            RAN.load(Relaxed) as f64
        };
        let latencies = (0..n).map(latency).collect();
        over.complete(()).expect("once");
        median(latencies)
    });
    event_loop.run_until_complete(async move {
        while busy && !end.is_done() {
            turn().await;
        }
        end.await;
    });
    Figures { ns: completing.join().expect("it completes"), bytes: 0.0 }
}
