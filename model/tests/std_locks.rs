//! std's own mutex and write-once cell, on a futex under loom: programs of two and three threads, and the kernel's.
//!
//! `cargo test -p whendone-model --test std_locks -- --ignored --nocapture` explores more programs of the kernel.

use loom::sync::atomic::AtomicUsize;
use rayon::prelude::*;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use whendone_model::engines::Extent;
use whendone_model::engines::catalog::Engine;
use whendone_model::engines::futex::choice::Choice;
use whendone_model::engines::futex::fault::Fault;
use whendone_model::engines::futex::mutex::Mutex;
use whendone_model::engines::futex::once::OnceLock;
use whendone_model::engines::futex::under_loom::{explore, within};
use whendone_model::engines::futex::{READ_FROM, READ_RELEASE};
use whendone_model::project::sources::digest;
use whendone_model::runner::self_test::is_lock_noticed;
use whendone_model::scenario::Scenario;
use whendone_model::universe::Tier;

/// Explores an execution with these choices to the end. Returns the number of executions.
fn explored(choice: Choice, execution: impl Fn() + Send + Sync + 'static) -> Result<u64, String> {
    let executions = Arc::new(AtomicU64::new(0));
    let counted = executions.clone();
    let counting = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        execution();
    };
    let extent = choice.during(|| explore(counting))?;
    assert!(matches!(extent, Extent::Complete | Extent::Bounded(PREEMPTIONS)));
    Ok(executions.load(Ordering::Relaxed))
}

/// A program of threads of which each runs `act` on what they share, and then one thread alone runs `end`.
fn played<S: Send + Sync + 'static>(
    choice: Choice,
    threads: usize,
    make: fn() -> S,
    act: fn(&S, usize),
    end: fn(&S),
) -> Result<u64, String> {
    explored(choice, move || {
        let shared = Arc::new(make());
        let others: Vec<_> = (1..threads)
            .map(|number| {
                let shared = shared.clone();
                loom::thread::spawn(move || act(&shared, number))
            })
            .collect();
        act(&shared, 0);
        others.into_iter().for_each(|other| other.join().expect("loom tells of a panic itself"));
        end(&shared);
    })
}

/// A counter behind std's lock, with a step of loom in each section, so that two sections can overlap.
struct Counter {
    turns: Mutex<usize>,
    step: AtomicUsize,
}

impl Counter {
    fn new() -> Self {
        Counter { turns: Mutex::new(0), step: AtomicUsize::new(0) }
    }

    fn turn(&self) {
        let mut turns = self.turns.lock().expect("poisons nothing");
        self.step.fetch_add(1, Ordering::Relaxed);
        *turns += 1;
    }

    fn had(&self, expected: usize) {
        assert_eq!(*self.turns.lock().expect("poisons nothing"), expected, "F1: a turn is lost");
    }
}

fn two_lock(choice: Choice) -> Result<u64, String> {
    played(choice, 2, Counter::new, |counter, _| counter.turn(), |counter| counter.had(2))
}

fn two_lock_one_twice(choice: Choice) -> Result<u64, String> {
    let act = |counter: &Counter, number| (0..1 + number).for_each(|_| counter.turn());
    played(choice, 2, Counter::new, act, |counter| counter.had(3))
}

/// The first thread has the lock before the others begin.
fn two_come_while_a_third_has_it(choice: Choice) -> Result<u64, String> {
    explored(choice, || {
        let counter = Arc::new(Counter::new());
        let turns = counter.turns.lock().expect("poisons nothing");
        let others = [(); 2].map(|()| {
            let counter = counter.clone();
            loom::thread::spawn(move || counter.turn())
        });
        drop(turns);
        others.into_iter().for_each(|other| other.join().expect("loom tells of a panic itself"));
        counter.had(2);
    })
}

fn set_then_get(cell: &OnceLock<usize>, number: usize) {
    let refused = cell.set(number).is_err();
    let found = cell.get().expect("F7: a `set` is over, and there is no value");
    assert_ne!(refused, *found == number, "F7: the value is of a `set` that was refused");
}

fn two_set(choice: Choice) -> Result<u64, String> {
    played(choice, 2, OnceLock::new, set_then_get, |cell| assert!(cell.get().is_some()))
}

fn one_sets_one_gets(choice: Choice) -> Result<u64, String> {
    let act = |cell: &OnceLock<usize>, number| match number {
        0 => assert_eq!(cell.set(7), Ok(()), "F7: the first `set` is refused"),
        _ => assert!(cell.get().is_none_or(|found| *found == 7), "F8: another value"),
    };
    played(choice, 2, OnceLock::new, act, |cell| assert_eq!(cell.get(), Some(&7)))
}

fn three_set(choice: Choice) -> Result<u64, String> {
    played(choice, 3, OnceLock::new, set_then_get, |cell| assert!(cell.get().is_some()))
}

type Program = fn(Choice) -> Result<u64, String>;

/// The bound on the preemptions of a program with three threads. Programs with two threads have none.
const PREEMPTIONS: usize = 2;

/// A program of locks alone, and the bounds within which it is explored.
struct Tried {
    name: &'static str,
    program: Program,
    /// Whether several threads can sleep on a word of which a wake-up ends one sleep.
    can_several_sleep: bool,
    preemptions: Option<usize>,
}

impl Tried {
    /// With two threads, of which one can sleep on a word, and with any number of preemptions.
    const fn by_two(name: &'static str, program: Program) -> Self {
        Tried { name, program, can_several_sleep: false, preemptions: None }
    }

    const fn by_three(name: &'static str, program: Program, can_several_sleep: bool) -> Self {
        Tried { name, program, can_several_sleep, preemptions: Some(PREEMPTIONS) }
    }
}

/// The number of first sleeps on a word of which each may end without a wake-up.
const SPURIOUS: u32 = 2;

const PROGRAMS: [Tried; 6] = [
    Tried::by_two("two threads take a lock", two_lock),
    Tried::by_two("two threads take a lock, one of them twice", two_lock_one_twice),
    Tried::by_three("two threads come to a lock that a third one has", two_come_while_a_third_has_it, true),
    Tried::by_two("two threads write a cell, and read it", two_set),
    Tried::by_two("one thread writes a cell, another reads it", one_sets_one_gets),
    // All are woken together.
    Tried::by_three("three threads write a cell, and read it", three_set, false),
];

/// Each with a program that shows it, and the words of the check that names it.
const SHOWN: [(Fault, Program, &str); 9] = [
    (Fault::UnlockWakesNobody, two_lock, "deadlock"),
    (Fault::WakesBeforeUnlock, two_lock, "deadlock"),
    (Fault::UnlocksRelaxed, two_lock, "Causality violation"),
    (Fault::LocksUncontendedAfterSleep, two_come_while_a_third_has_it, "deadlock"),
    (Fault::SleepsUnasked, two_lock, "deadlock"),
    (Fault::TakesAWakeUpForTheLock, two_lock_one_twice, "Causality violation"),
    (Fault::PublishesRelaxed, one_sets_one_gets, "Causality violation"),
    (Fault::OnceWakesNobody, two_set, "deadlock"),
    (Fault::RefusedEarly, two_set, "F7: a `set` is over, and there is no value"),
];

#[test]
fn stds_locks_exclude_publish_and_forget_nobody() {
    for Tried { name, program, can_several_sleep, preemptions } in PROGRAMS {
        let begin = Instant::now();
        let choices = Choice::all(SPURIOUS, can_several_sleep);
        let executions = choices.iter().map(|choice| {
            let explore = || program(*choice);
            let explored = preemptions.map_or_else(explore, |most| within(most, explore));
            let executions = explored.unwrap_or_else(|why| panic!("{name}, {choice:?}: {why}"));
            assert!(executions > 1, "{name}, {choice:?}: nothing was explored");
            executions
        });
        let (executions, seconds) = (executions.sum::<u64>(), begin.elapsed().as_secs_f64());
        let bound = preemptions.map_or_else(String::new, |most| format!(", at most {most} preemptions"));
        println!("{name}: {executions} executions, {} choices{bound}, {seconds:.1} s", choices.len());
    }
}

#[test]
fn every_broken_lock_is_seen() {
    assert_eq!(SHOWN.map(|(fault, ..)| fault), Fault::ALL);
    for (fault, program, words) in SHOWN {
        let end = fault.during(|| program(Choice::PLAIN));
        println!("{fault:?}: {end:?}");
        assert!(end.is_err_and(|why| why.contains(words)), "{fault:?} is not seen as {words}");
    }
}

/// Compares the toolchain's own sources, if they are installed. Those of another release are no failure, but have to be read
/// again.
#[test]
fn the_sources_that_were_read_are_those_of_the_toolchain() {
    let asked = |what: &[&str]| {
        let answer = Command::new("rustc").args(what).output().expect("it starts");
        String::from_utf8(answer.stdout).expect("plain text")
    };
    let folder = Path::new(asked(&["--print", "sysroot"]).trim()).join("lib/rustlib/src/rust/library/std/src");
    let version = asked(&["--version"]);
    let is_read = version.split_whitespace().nth(1) == Some(READ_RELEASE);
    for (file, read) in READ_FROM {
        match fs::read(folder.join(file)) {
            Ok(text) if digest([&text]) == read => println!("{file}: as it was read"),
            Ok(_) if is_read => panic!("{file} is not the one of {READ_RELEASE} that was read"),
            Ok(_) => println!(
                "NOT THE STD THAT WAS READ: {file} is not that of {READ_RELEASE}; compare model/src/engines/futex"
            ),
            Err(_) => println!("SKIPPED: {file} is not installed (rustup component add rust-src)"),
        }
    }
}

/// Plays these programs of the kernel with std's locks in the place of loom's: the observed outcomes equal the allowed ones.
fn kernel(programs: &[Scenario]) {
    let begin = Instant::now();
    let play = |program: &Scenario| {
        let verdict = Engine::LoomFutex.check(program);
        assert!(verdict.is_good(), "{program}\n{verdict}");
        assert_eq!(verdict.extent, Extent::FirstSleepSpurious(None));
        verdict.executions
    };
    let executions: u64 = programs.par_iter().map(play).sum();
    println!("{} programs, {executions} executions, {:.0} s", programs.len(), begin.elapsed().as_secs_f64());
    assert!(executions > programs.len() as u64);
}

/// The kernel's programs of 2 threads with 1 operation each.
fn one_operation_each() -> Vec<Scenario> {
    let is_small = |program: &Scenario| program.threads.iter().all(|ops| ops.len() == 1);
    Tier::Pairs.programs().into_iter().filter(is_small).collect()
}

/// The number of sets of two threads, of 7 operations and one more for each of these callbacks, each with a tag or without.
fn formula(waiting: usize) -> usize {
    (1 << waiting) * ((7 + waiting) * (8 + waiting) / 2)
}

#[test]
fn the_kernel_shows_what_is_allowed_from_small_pending_starts() {
    let mut programs = one_operation_each();
    programs.retain(|program| !program.done && program.setup.len() <= 1);
    assert_eq!(programs.len(), formula(0) + formula(1));
    kernel(&programs);
}

#[test]
#[ignore = "takes minutes"]
fn the_kernel_shows_what_is_allowed_from_every_start() {
    let programs = one_operation_each();
    assert_eq!(programs.len(), 2 * (formula(0) + formula(1) + formula(2)));
    kernel(&programs);
}

#[test]
fn broken_locks_are_seen_beneath_the_kernel() {
    let noticed = Fault::ALL.map(|fault| (fault, is_lock_noticed(fault, Engine::LoomFutex)));
    println!("{noticed:?}");
    assert!(noticed.iter().all(|(_, is_noticed)| *is_noticed != Some(false)), "{noticed:?}");
    assert_eq!(noticed.iter().filter(|(_, is_noticed)| is_noticed.is_some()).count(), 6);
}
