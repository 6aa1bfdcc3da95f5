//! `cargo bench --bench scale`: how whendone grows, each case at two sizes; what handing over to a
//! loop takes, and how many system calls. Each figure from a process of its own.

use clap::Parser;
use std::fmt::Write;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicU64, Ordering::*};
use std::time::{Duration, Instant};
use std::{env, fs, hint, io, thread};
use whendone::{Completer, EventLoop, Inline, Task};
use whendone_bench::meter::median;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/SCALE.md");

#[derive(Parser)]
struct Options {
    /// Rewrites the page of growth and hand-over.
    #[arg(long)]
    page: bool,
    /// For the process that measures one case: its name and a size.
    #[arg(hide = true, num_args = 2)]
    case: Vec<String>,
    #[arg(long, hide = true)]
    bench: bool,
}

/// What is measured, at two sizes, and what the figures show.
struct Case {
    name: &'static str,
    run: fn(u64) -> Figures,
    sizes: [u64; 2],
    shows: &'static str,
}

const GROWTH: [Case; 4] = [
    Case {
        name: "one task with n callbacks",
        run: one_task,
        sizes: [10_000, 100_000],
        shows: "constant for each callback; the bytes hang on how full the buffer is, which doubles",
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
        shows: "constant for each task, but for the tree of timers, which is logarithmic",
    },
];

/// The second size is for counting: what start and end take cancels out.
const HAND_OVER: [Case; 2] = [
    Case { name: "to a loop that is awake", run: awake, sizes: [200, 1200], shows: "no system call" },
    Case {
        name: "to a loop that sleeps",
        run: asleep,
        sizes: [200, 1200],
        shows: "one wake; most of the time is the operating system's, which wakes the thread",
    },
];

/// Wakes by system call for each of them, at the least and at the most: none, and one. Once in a while a
/// loop that is awake runs out of work, or one that was to sleep does not yet; and now and then, the more
/// so when it is traced, the woken loop meets its waker at a mutex of the channel, which is a second wake:
/// `strace -k` shows it in crossbeam's `SyncWaker::notify`.
const WAKES: [(f64, f64); 2] = [(0.0, 0.05), (0.9, 1.5)];

const HEAD: &str = "\
# How it grows

Written by `cargo bench --bench scale -- --page`, on a shared machine with two cores, each figure from a process of
its own: medians of three runs. Time gates nothing; the wakes do. The sentences are ours, not the command's.

| case | n | ns for each | | resident bytes for each | |
|---|---|---|---|---|---|
";

const HAND_OVER_HEAD: &str = "
## Handing over

One callback, from another thread, until it begins. Wakes and waits are system calls (futex).

| case | ns, median | wakes for each | waits for each |
|---|---|---|---|
";

/// For one operation.
struct Figures {
    ns: f64,
    bytes: f64,
}

fn main() -> io::Result<ExitCode> {
    let options = Options::parse();
    if let [name, n] = &options.case[..] {
        let case = GROWTH.iter().chain(&HAND_OVER).find(|case| case.name == name).expect("a case");
        let Figures { ns, bytes } = (case.run)(n.parse().expect("a number"));
        println!("{ns} {bytes}");
        return Ok(ExitCode::SUCCESS);
    }
    let mut page = HEAD.to_owned();
    grow(&mut page)?;
    let wakes = hand_over_each(&mut page)?;
    println!("{page}");
    if wakes.contains(&None) {
        println!(
            "SKIPPED: SYSTEM CALLS. strace counts them, and it is not here or may not trace (apt-get install -y strace)"
        );
    }
    let right = |(wakes, (least, most)): (&Option<f64>, _)| wakes.is_none_or(|wakes| (least..=most).contains(&wakes));
    if !wakes.iter().zip(WAKES).all(right) {
        println!("WRONG: these wakes were expected, at the least and at the most: {WAKES:?}");
        return Ok(ExitCode::FAILURE);
    }
    if options.page {
        if wakes.contains(&None) {
            println!("not written: {PAGE}");
            return Ok(ExitCode::FAILURE);
        }
        fs::write(PAGE, page)?;
        println!("written: {PAGE}");
    }
    Ok(ExitCode::SUCCESS)
}

fn grow(page: &mut String) -> io::Result<()> {
    for Case { name, sizes: [few, many], .. } in GROWTH {
        let (small, large) = (measure(name, few)?, measure(name, many)?);
        let _ = write!(page, "| {name} | {few}, {many} ");
        for (small, large) in [(small.ns, large.ns), (small.bytes, large.bytes)] {
            let _ = write!(page, "| {small:.0}, {large:.0} | x{:.2} ", large / small);
        }
        *page += "|\n";
    }
    tell(page, &GROWTH);
    Ok(())
}

/// How many wakes each of them took, if they could be counted.
fn hand_over_each(page: &mut String) -> io::Result<Vec<Option<f64>>> {
    *page += HAND_OVER_HEAD;
    let mut wakes = vec![];
    for Case { name, sizes: [few, many], .. } in HAND_OVER {
        let ns = measure(name, few)?.ns;
        let each = calls(name, few)?.zip(calls(name, many)?).map(|(start, all)| {
            let each = |start, all| (all - start) / (many - few) as f64;
            (each(start.0, all.0), each(start.1, all.1))
        });
        let (woken, waited) = each.map_or(("-".into(), "-".into()), |(a, b)| (format!("{a:.3}"), format!("{b:.3}")));
        let _ = writeln!(page, "| {name} | {ns:.0} | {woken} | {waited} |");
        wakes.push(each.map(|each| each.0));
    }
    tell(page, &HAND_OVER);
    Ok(wakes)
}

/// A sentence for each case.
fn tell(page: &mut String, cases: &[Case]) {
    *page += "\n";
    for Case { name, shows, .. } in cases {
        let _ = writeln!(page, "* {name}: {shows}.");
    }
}

/// The medians of three processes.
fn measure(name: &str, n: u64) -> io::Result<Figures> {
    let runs = (0..3).map(|_| ask(name, n)).collect::<io::Result<Vec<_>>>()?;
    let middle = |of: fn(&Figures) -> f64| median(runs.iter().map(of).collect());
    Ok(Figures { ns: middle(|run| run.ns), bytes: middle(|run| run.bytes) })
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
    // Or a free on one thread meets an allocation on the other at malloc's lock, which `strace -k` shows.
    command.env("GLIBC_TUNABLES", "glibc.malloc.tcache_count=5000");
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
    hand_over(n, true)
}

fn asleep(n: u64) -> Figures {
    hand_over(n, false)
}

/// True if the system has put the thread that runs the loop to sleep, or nobody can say.
fn first_thread_sleeps() -> bool {
    let stat = fs::read_to_string(format!("/proc/self/task/{}/stat", std::process::id()));
    stat.map_or(true, |stat| stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S')))
}

/// Completes tasks of a loop on another thread, one after another, and takes the time until each callback begins.
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
