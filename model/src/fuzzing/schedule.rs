//! The fuzz target `schedule`: bytes to a small concurrent program and one schedule of it, played on shuttle.

use crate::check::check_against;
use crate::engines::catalog::on_shuttle;
use crate::engines::shuttle::explore::Schedules;
use crate::fuzzing::bytes;
use crate::scenario::{Op, Scenario};
use crate::spec::allowed::those_allowed;

/// Largest number of operations in all threads: the specification enumerates their orders.
const OPERATIONS: usize = 8;

/// The scenario, and the bytes that choose its schedule. If the first line is a scenario's text, it is that scenario; else
/// the first bytes are a program of one thread, whose operations are dealt out to two or three threads.
pub fn decode(bytes: &[u8]) -> (Scenario, &[u8]) {
    let line = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
    let text = str::from_utf8(&bytes[..line]).ok().and_then(|text| text.trim().parse::<Scenario>().ok());
    if let Some(scenario) = text.filter(|scenario| scenario.operations() <= OPERATIONS && !scenario.unwinds()) {
        return (scenario, bytes.get(line + 1..).unwrap_or_default());
    }
    let (program, schedule) = bytes.split_at(bytes.len().min(1 + OPERATIONS));
    let mut scenario = bytes::decode(program);
    // shuttle plays no thread that unwinds.
    let playable = |op| if op == Op::Panic { Op::Read } else { op };
    let operations = std::mem::take(&mut scenario.threads).into_iter().flatten().map(playable).enumerate();
    let threads = 2 + program.iter().map(|&byte| usize::from(byte)).sum::<usize>() % 2;
    scenario.threads = vec![Vec::new(); threads];
    for (at, op) in operations {
        // The next thread in which the operation is valid.
        for thread in (at..at + threads).map(|at| at % threads) {
            scenario.threads[thread].push(op.clone());
            if scenario.objection().is_none() {
                break;
            }
            scenario.threads[thread].pop();
        }
    }
    (scenario, schedule)
}

/// Plays the scenario and schedule for these bytes, and compares the execution with the specification.
///
/// # Panics
///
/// If the observation is not allowed, with the scenario's text.
pub fn check(bytes: &[u8]) {
    let (scenario, schedule) = decode(bytes);
    let observed = on_shuttle(Schedules::Chosen(schedule.to_vec()), &scenario);
    // One execution has one observation: the others need not be enumerated.
    let allowed = those_allowed(&scenario, observed.observations.keys());
    let verdict = check_against(&allowed, &scenario, false, &observed);
    assert!(verdict.is_good(), "cargo verify scenario '{scenario}' --engine shuttle-every\n{schedule:?}\n{verdict}");
}
