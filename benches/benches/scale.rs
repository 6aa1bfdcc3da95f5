//! `cargo bench --bench scale`: how whendone grows, each case at two sizes; the time and the system calls of a hand-over to
//! a loop. Each figure comes from a process of its own.

use clap::Parser;
use std::fmt::Write;
use std::process::{Command, ExitCode};
use std::{env, fs, io};
use whendone_bench::growth::{Case, Figures, GROWTH, HAND_OVER, PRINTING};
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

/// Wakes by system call for each hand-over, lower and upper limit: none, and one. Now and then a loop that is awake runs
/// out of work, or a loop does not sleep yet. And sometimes, more often when traced, the woken loop contends with its
/// waker for a mutex of the channel, which is a second wake: `strace -k` shows it in crossbeam's `SyncWaker::notify`.
const WAKES: [(f64, f64); 2] = [(0.0, 0.05), (0.9, 1.5)];

const HEAD: &str = "\
# How it grows

Written by `cargo bench --bench scale -- --page`, on a shared machine with two cores. Each figure is the median of three
processes. Time gates nothing; the number of wakes does. The sentences are fixed text, the figures are measured.

| case | n | ns for each | | resident bytes for each | |
|---|---|---|---|---|---|
";

const PRINTING_HEAD: &str = "
## Printing

| case | n | ns | | bytes of text | |
|---|---|---|---|---|---|
";

const HAND_OVER_HEAD: &str = "
## Handing over

The time from the completion on another thread to the begin of the callback on the loop. Wakes and waits are system
calls (futex).

| case | ns, median | wakes for each | waits for each |
|---|---|---|---|
";

fn main() -> io::Result<ExitCode> {
    let options = Options::parse();
    if let [name, n] = &options.case[..] {
        let case = GROWTH.iter().chain(&PRINTING).chain(&HAND_OVER).find(|case| case.name == name).expect("a case");
        let Figures { ns, bytes } = (case.run)(n.parse().expect("a number"));
        println!("{ns} {bytes}");
        return Ok(ExitCode::SUCCESS);
    }
    let mut page = HEAD.to_owned();
    grow(&mut page, &GROWTH)?;
    page += PRINTING_HEAD;
    grow(&mut page, &PRINTING)?;
    let wakes = hand_over_each(&mut page)?;
    println!("{page}");
    if wakes.contains(&None) {
        println!(
            "SKIPPED: SYSTEM CALLS. strace, which counts them, is missing or may not trace (apt-get install -y strace)"
        );
    }
    let right = |(wakes, (least, most)): (&Option<f64>, _)| wakes.is_none_or(|wakes| (least..=most).contains(&wakes));
    if !wakes.iter().zip(WAKES).all(right) {
        println!("WRONG: the wakes are outside of their limits: {WAKES:?}");
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

fn grow(page: &mut String, cases: &[Case]) -> io::Result<()> {
    for Case { name, sizes: [few, many], .. } in cases {
        let (small, large) = (measure(name, *few)?, measure(name, *many)?);
        let _ = write!(page, "| {name} | {few}, {many} ");
        for (small, large) in [(small.ns, large.ns), (small.bytes, large.bytes)] {
            let _ = write!(page, "| {small:.0}, {large:.0} | x{:.2} ", large / small);
        }
        *page += "|\n";
    }
    tell(page, cases);
    Ok(())
}

/// Returns the wakes of each hand-over, if they could be counted.
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

/// Adds a sentence for each case.
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

/// Counts the system calls by which the process woke a thread, and by which a thread went to sleep; `None` without strace.
fn calls(name: &str, n: u64) -> io::Result<Option<(f64, f64)>> {
    let trace = env::temp_dir().join(format!("whendone-strace-{}", std::process::id()));
    let mut command = Command::new("strace");
    // Otherwise a free on one thread contends with an allocation on the other for malloc's lock, as `strace -k` shows.
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
