//! The self-test: before any evidence counts, each engine must show the defects of defective cores, and the check must
//! reject doctored evidence.

use crate::check::fault::Fault;
use crate::check::{Verdict, check};
use crate::engines::catalog::Engine;
use crate::engines::defects::{DEFECTS, Defect, LEFT_OUT};
use crate::engines::futex::fault::Fault as LockFault;
use crate::engines::loom::mutex::{stage, sync};
use crate::engines::record::monitor::Monitor;
use crate::engines::sections::clients::Key;
use crate::engines::{Extent, Observed, until};
use crate::observation::Observation;
use crate::observation::event::Thing;
use crate::runner::workers::{Job, work};
use crate::scenario::Scenario;
use crate::spec::allowed::LISTED;
use std::panic;
use std::sync::Mutex;
use std::time::Duration;

/// A late add beside a completion: more than one outcome is allowed.
const PROGRAM: &str = "a ; C | A";

/// The number of executions on std's locks that must show a defect.
const FIRST: u64 = 1000;

/// Runs the self-test, for a run on these engines.
///
/// # Errors
///
/// If the check accepts a defective core or doctored evidence: which. No verdict is worth anything then.
pub fn check_the_check(engines: &[Engine]) -> Result<(), String> {
    if !LEFT_OUT.is_empty() {
        eprintln!(
            "the self-test leaves out these defects, whose edits do not match this core: {}",
            LEFT_OUT.join(", ")
        );
    }
    let is_of_clients = engines.contains(&Engine::Sections);
    let doctored = || blind_check().or_else(blind_monitor).or_else(blind_facade).or_else(lost_worker);
    let wrong = blind_engine(engines)
        .or_else(|| is_of_clients.then(blind_clients)?)
        .or_else(|| blind_to_locks(engines))
        .or_else(|| doctored().map(str::to_owned));
    wrong.map_or(Ok(()), |wrong| Err(format!("the check itself is broken: it does not notice {wrong}")))
}

/// Plays each defective core on each of these engines.
fn blind_engine(engines: &[Engine]) -> Option<String> {
    // loom's threads end by panics, and their first one makes the hook that leaves these out.
    drop(stage::explore(|| ()));
    // Some of the defects panic, and loom panics at a deadlock.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| ()));
    let mut played = DEFECTS.iter().flat_map(|defect| engines.iter().map(move |&engine| (defect, engine)));
    let blind = played.find(|&(defect, engine)| is_noticed(defect, engine) == Some(false));
    panic::set_hook(hook);
    blind.map(|(Defect { program, why, .. }, engine)| format!("on {} that {why}, in {program}", engine.name()))
}

/// Explores the clients of each defective kernel.
fn blind_clients() -> Option<String> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| ()));
    let of_the_kernel = |defect: &&Defect| !defect.program.starts_with('@');
    let blind = DEFECTS.iter().filter(of_the_kernel).find(|defect| defect.explore(3, Key::Places).is_ok());
    panic::set_hook(hook);
    blind.map(|Defect { why, .. }| format!("with every client of up to 3 calls that {why}"))
}

/// Plays on each broken lock, on those of these engines that have std's.
fn blind_to_locks(engines: &[Engine]) -> Option<String> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| ()));
    let mut played = engines
        .iter()
        .filter(|engine| engine.has_stds_locks())
        .flat_map(|&engine| LockFault::ALL.map(|fault| (fault, engine)));
    let blind = played.find(|&(fault, engine)| is_lock_noticed(fault, engine) == Some(false));
    panic::set_hook(hook);
    blind.map(|(fault, engine)| format!("on {} the fault {fault:?} of the locks", engine.name()))
}

/// Whether the verdict of this engine on a program of the kernel names this fault of its locks; nothing if no such program
/// shows it, or the locks have another fault.
pub fn is_lock_noticed(fault: LockFault, engine: Engine) -> Option<bool> {
    let (program, words) = fault.shown_beneath_the_kernel()?;
    let program: Scenario = program.parse().expect("well formed");
    let verdict = fault.during(|| engine.check(&program));
    let is_noticed = !verdict.is_good() && verdict.broken.iter().any(|broken| broken.contains(words));
    (is_noticed || !has_broken_locks(engine, &program)).then_some(is_noticed)
}

/// Whether std's locks, as this engine has them, fail beneath the shipped core. Then the run will show how.
fn has_broken_locks(engine: Engine, program: &Scenario) -> bool {
    engine.has_stds_locks() && !until(is_enough, || engine.observe(program)).broken.is_empty()
}

/// On std's locks a program has many times the executions, and its first ones show every defect.
fn is_enough(executions: u64, _: &Observation) -> bool {
    executions >= FIRST
}

/// Whether the verdict of this engine names the defect; nothing if the engine cannot show it, or its own locks fail.
pub fn is_noticed(defect: &Defect, engine: Engine) -> Option<bool> {
    // With timestamps, the program is so large that its history alone is judged, and no list of outcomes.
    let more = if engine == Engine::Tickets { " G".repeat(LISTED.1) } else { String::new() };
    let program: Scenario = (defect.program.to_owned() + &more).parse().expect("well formed");
    if engine.objection(&program).is_some() || defect.needs.is_some_and(|needs| !needs.is_met_by(engine)) {
        return None;
    }
    let play = || defect.play(engine, &program);
    let observed = if engine.has_stds_locks() { until(is_enough, play) } else { play() };
    let verdict = check(&program, engine.is_complete(), &observed);
    let names_it = |fault: &Fault| match fault {
        Fault::Breaks(number) => format!("P{number}") == defect.shown_by,
        Fault::Fails(what) => what.starts_with(defect.shown_by),
        Fault::NotAllowed | Fault::Missing => false,
    };
    // A history with timestamps is judged as a whole.
    let is_named = engine == Engine::Tickets || verdict.faults.iter().any(names_it);
    let is_noticed = !verdict.is_good() && is_named;
    (is_noticed || !has_broken_locks(engine, &program)).then_some(is_noticed)
}

/// A change that makes good evidence bad, with its description.
type Spoil = (fn(&mut Observed), &'static str);

/// Reports to a monitor that break a rule, the rule, and their description.
type Offence = (fn(&Monitor), &'static str, &'static str);

/// Checks one good exploration, and the same one spoilt in every way.
fn blind_check() -> Option<&'static str> {
    let program: Scenario = PROGRAM.parse().expect("well formed");
    let good = Engine::LoomMutex.observe(&program);
    let is_good = |observed: &Observed| check(&program, true, observed).is_good();
    let after = |spoil: fn(&mut Observed)| {
        let mut observed = good.clone();
        spoil(&mut observed);
        observed
    };
    let verdict = check(&program, true, &good);
    if verdict.executions != good.observations.values().sum::<u64>() {
        return Some("a wrong number of executions");
    }
    if !verdict.is_good() {
        return None; // The core is at fault; the run will show how.
    }
    let spoils: [Spoil; 6] = [
        (|observed| drop(observed.observations.pop_last()), "a missing outcome"),
        (
            |observed| {
                let (mut twice, _) = observed.observations.pop_last().expect("there is one");
                twice.handed.extend_from_within(..1);
                observed.observations.insert(twice, 1);
            },
            "a callback handed over twice",
        ),
        (|observed| observed.broken.extend([("P13: under the lock".to_owned(), 1)]), "a broken rule"),
        (|observed| observed.executions = 0, "a program that was not executed"),
        (|observed| observed.replayed -= 1, "an execution that was not replayed"),
        (|observed| observed.extent = Extent::Cut, "an exploration that did not end"),
    ];
    spoils.into_iter().find(|(spoil, _)| is_good(&after(*spoil))).map(|(_, what)| what)
}

/// Reports to the monitor a drop under the lock, a hand-over without its probe, a leak, and hand-overs that nest.
fn blind_monitor() -> Option<&'static str> {
    let offences: [Offence; 4] = [
        (|monitor| monitor.dropped(Thing::Callback(0), 1), "P13", "a callback dropped under the lock"),
        (|monitor| monitor.scheduled(0, 0, 2), "harness", "a hand-over without its probe"),
        (|monitor| monitor.made(Thing::Callback(0)), "P15", "a callback that leaks"),
        (|monitor| (0..2).for_each(|_| monitor.handing(0)), "P8", "hand-overs that nest"),
    ];
    let is_blind = |(commit, rule, _): &Offence| {
        let monitor = Monitor::default();
        commit(&monitor);
        !monitor.close(0).iter().any(|broken| broken.starts_with(rule))
    };
    offences.into_iter().find(is_blind).map(|(_, _, what)| what)
}

/// Checks that the facade knows how many locks are held, and the probe how often it was touched.
fn blind_facade() -> Option<&'static str> {
    let explored = stage::explore(|| {
        let (lock, probe) = (sync::Mutex::new(()), stage::Probe::new());
        let held = lock.lock();
        assert!(sync::locks_held() == 1, "a lock that is held");
        drop(held);
        assert!(sync::locks_held() == 0, "a lock that is released");
        probe.touch();
        assert!(probe.touches() == 1, "a probe that is touched");
    });
    explored.is_err().then_some("a held lock, or a touched probe")
}

/// Checks that a lost worker is a failure of its job, and that each job is reported once.
fn lost_worker() -> Option<&'static str> {
    let malformed = |_| Job { engine: Engine::Alone, scenario: "malformed".to_owned(), draw: false };
    let jobs: Vec<Job> = (0..2).map(malformed).collect();
    let reported = Mutex::new(Vec::new());
    let worked = work(&jobs, 1, Duration::from_secs(60), |at, answer: Result<Verdict, String>| {
        reported.lock().expect("never poisoned").push((at, answer.is_err()));
    });
    let reported = reported.into_inner().expect("never poisoned");
    (worked.is_err() || reported != [(0, true), (1, true)]).then_some("a lost worker")
}
