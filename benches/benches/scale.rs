//! `cargo bench --bench scale`: how whendone grows, each case at two sizes; what handing over to a
//! loop takes, and how many system calls. Each figure from a process of its own.

use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicU64, Ordering::*};
use std::time::{Duration, Instant};
use std::{env, fs, hint, io, thread};
use whendone::{Completer, EventLoop, Inline, Task};
use whendone_bench::meter::median;

/// A case by its name, what one operation is, how it is measured, and at which sizes.
type Case = (&'static str, fn(u64) -> Figures, [u64; 2]);

const GROWTH: [Case; 4] = [
    ("one task with n callbacks", one_task, [10_000, 100_000]),
    ("n tasks with one callback each", many_tasks, [100_000, 1_000_000]),
    ("a chain of n tasks", chain, [10_000, 100_000]),
    ("n tasks on one loop, each with a timer", timers, [1_000, 10_000]),
];

/// The second size is for counting: what start and end take cancels out.
const HAND_OVER: [Case; 2] =
    [("to a loop that is awake", awake, [200, 1200]), ("to a loop that sleeps", asleep, [200, 1200])];

/// Wakes by system call for each of them, at the least and at the most: none, and one. Once in a while a
/// loop that is awake runs out of work, or one that was to sleep does not yet; and now and then, the more
/// so when it is traced, the woken loop meets its waker at a mutex of the channel, which is a second wake:
/// `strace -k` shows it in crossbeam's `SyncWaker::notify`.
const WAKES: [(f64, f64); 2] = [(0.0, 0.05), (0.9, 1.5)];

/// For one operation.
struct Figures {
    ns: f64,
    bytes: f64,
}

fn main() -> io::Result<ExitCode> {
    let arguments: Vec<_> = env::args().collect();
    if let [_, name, n] = &arguments[..] {
        let (_, run, _) = GROWTH.iter().chain(&HAND_OVER).find(|case| case.0 == name).expect("a case");
        let Figures { ns, bytes } = run(n.parse().expect("a number"));
        println!("{ns} {bytes}");
        return Ok(ExitCode::SUCCESS);
    }
    println!("{:<42}{:>10}{:>10}{:>12}{:>8}", "", "n", "ns", "resident B", "growth");
    for (name, _, sizes) in GROWTH {
        let mut smaller = None;
        for n in sizes {
            let runs = (0..3).map(|_| ask(name, n)).collect::<io::Result<Vec<_>>>()?;
            let (ns, bytes) =
                (median(runs.iter().map(|run| run.ns).collect()), median(runs.iter().map(|run| run.bytes).collect()));
            let growth = smaller.replace(ns).map_or_else(String::new, |smaller| format!("x{:.2}", ns / smaller));
            println!("{name:<42}{n:>10}{ns:>10.0}{bytes:>12.0}{growth:>8}");
        }
    }
    println!("\n{:<42}{:>20}{:>14}{:>14}", "handing over one callback", "ns, median", "futex wakes", "futex waits");
    let mut wrong = false;
    for ((name, _, [few, many]), (least, most)) in HAND_OVER.into_iter().zip(WAKES) {
        let ns = ask(name, few)?.ns;
        let calls = calls(name, few)?.zip(calls(name, many)?);
        let each = |of: fn(&(f64, f64)) -> f64| {
            let count = |calls: &((f64, f64), (f64, f64))| (of(&calls.1) - of(&calls.0)) / (many - few) as f64;
            calls.as_ref().map_or_else(|| "-".to_owned(), |calls| format!("{:.3}", count(calls)))
        };
        println!("{name:<42}{ns:>20.0}{:>14}{:>14}", each(|calls| calls.0), each(|calls| calls.1));
        let wakes = calls.map(|(few_calls, many_calls)| (many_calls.0 - few_calls.0) / (many - few) as f64);
        if wakes.is_some_and(|wakes| !(least..=most).contains(&wakes)) {
            println!("WRONG: between {least} and {most} wakes were expected");
            wrong = true;
        }
        if calls.is_none() {
            println!("strace is not installed, so no system calls are counted; e.g. `apt install strace`");
        }
    }
    Ok(if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn ask(name: &str, n: u64) -> io::Result<Figures> {
    let output = Command::new(env::current_exe()?).arg(name).arg(n.to_string()).output()?;
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Vec<f64> = text.split_whitespace().filter_map(|figure| figure.parse().ok()).collect();
    Ok(Figures { ns: figures[0], bytes: figures[1] })
}

/// How often the process woke a thread by a system call, and how often one went to sleep; `None` without strace.
fn calls(name: &str, n: u64) -> io::Result<Option<(f64, f64)>> {
    let trace = env::temp_dir().join(format!("whendone-strace-{}", std::process::id()));
    let mut command = Command::new("strace");
    command.args(["-f", "-e", "trace=futex", "-o"]).arg(&trace).arg(env::current_exe()?).arg(name).arg(n.to_string());
    if !command.output().is_ok_and(|output| output.status.success()) {
        return Ok(None);
    }
    let text = fs::read_to_string(&trace)?;
    fs::remove_file(&trace)?;
    let count = |call: &str| text.lines().filter(|line| line.contains("futex(") && line.contains(call)).count() as f64;
    Ok(Some((count("FUTEX_WAKE"), count("FUTEX_WAIT"))))
}

/// Bytes that the process has in memory.
fn resident() -> f64 {
    let pages = fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split_whitespace().nth(1)?.parse::<f64>().ok());
    pages.map_or(f64::NAN, |pages| pages * 4096.0)
}

/// Runs all, and weighs between the making and the running.
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
    hand_over(n, Duration::ZERO, true)
}

fn asleep(n: u64) -> Figures {
    hand_over(n, Duration::from_micros(500), false)
}

/// Completes tasks of a loop on another thread, one after another, and takes the time until each callback begins.
fn hand_over(n: u64, pause: Duration, busy: bool) -> Figures {
    let mut event_loop = EventLoop::new();
    let handle = event_loop.handle();
    let (over, end) = whendone::task::<()>(Inline);
    let completing = thread::spawn(move || {
        let latency = |at: u64| {
            thread::sleep(pause);
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
            let mut yielded = false;
            std::future::poll_fn(|context| {
                context.waker().wake_by_ref();
                if std::mem::replace(&mut yielded, true) {
                    std::task::Poll::Ready(())
                } else {
                    std::task::Poll::Pending
                }
            })
            .await;
        }
        end.await;
    });
    Figures { ns: completing.join().expect("it completes"), bytes: 0.0 }
}
