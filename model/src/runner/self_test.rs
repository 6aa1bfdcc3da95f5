//! The check, checked: before any evidence counts, doctored evidence must be found bad.

use crate::check::{Verdict, check};
use crate::engines::catalog::Engine;
use crate::engines::loom::mutex::{stage, sync};
use crate::engines::record::monitor::Monitor;
use crate::engines::{Extent, Observed};
use crate::observation::event::Thing;
use crate::runner::workers::{Job, work};
use crate::scenario::Scenario;
use std::sync::Mutex;
use std::time::Duration;

/// Late add, hand-over and completion by the other thread: more than one outcome.
const PROGRAM: &str = "a ; C | A";

/// # Errors
///
/// What the check did not notice. Then nothing that it says is worth anything.
pub fn check_the_check() -> Result<(), String> {
    let wrong = blind_check().or_else(blind_monitor).or_else(blind_facade).or_else(lost_worker);
    wrong.map_or(Ok(()), |wrong| Err(format!("the check itself is broken: {wrong}")))
}

/// What makes good evidence bad, and what that is.
type Spoil = (fn(&mut Observed), &'static str);

/// What makes a bad record, the rule that it breaks, and what it is.
type Record = (fn(&Monitor), &'static str, &'static str);

/// One good exploration, and the same one spoilt in every way.
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
        return Some("executions are counted that did not take place");
    }
    if !verdict.is_good() {
        return None; // The core is at fault, and will be shown.
    }
    let spoils: [Spoil; 6] = [
        (|observed| drop(observed.observations.pop_last()), "an outcome that is missing"),
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
        (|observed| observed.extent = Extent::Cut, "a run that was cut"),
    ];
    spoils.into_iter().find(|(spoil, _)| is_good(&after(*spoil))).map(|(_, what)| what)
}

/// A record of a hand-over under the lock, of one without its probe, of a callback that leaks.
fn blind_monitor() -> Option<&'static str> {
    let records: [Record; 4] = [
        (|ledger| ledger.dropped(Thing::Callback(0), 1), "P13", "a callback dropped under the lock"),
        (|ledger| ledger.scheduled(0, 0, 2), "harness", "a hand-over without its probe"),
        (|ledger| ledger.made(Thing::Callback(0)), "P15", "a callback that leaks"),
        (|ledger| (0..2).for_each(|_| ledger.handing(0)), "P8", "hand-overs that nest"),
    ];
    let is_blind = |(write, rule, _): &Record| {
        let ledger = Monitor::default();
        write(&ledger);
        !ledger.close(0).iter().any(|broken| broken.starts_with(rule))
    };
    records.into_iter().find(is_blind).map(|(_, _, what)| what)
}

/// The facade must know who holds a lock, and the stage how often the probe was touched.
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
    explored.is_err().then_some("who holds a lock, or that a probe is touched")
}

/// A worker that is lost is a failure of its job, and each job is told of once.
fn lost_worker() -> Option<&'static str> {
    let malformed = |_| Job { engine: Engine::Alone, scenario: "malformed".to_owned(), exhibit: false };
    let jobs: Vec<Job> = (0..2).map(malformed).collect();
    let told = Mutex::new(Vec::new());
    let worked = work(&jobs, 1, Duration::from_secs(60), |at, answer: Result<Verdict, String>| {
        told.lock().expect("never poisoned").push((at, answer.is_err()));
    });
    let told = told.into_inner().expect("never poisoned");
    (worked.is_err() || told != [(0, true), (1, true)]).then_some("a worker that was lost")
}
