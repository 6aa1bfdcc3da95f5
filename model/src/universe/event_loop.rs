//! The closed world of the event loop: every small program over one task of a loop.
//!
//! Every way in which up to two polls can go, with and without a callback that waits. The loop's thread runs
//! it or closes it, and at least one other thread comes in between. Another task is spawned by another thread
//! beside the shortest one only, and by a thread that does nothing else: what happens to the first makes no
//! difference to it, and up to a million executions. And callbacks and functions that do something themselves.

use crate::scenario::poll_script::Script;
use crate::scenario::{Op, Scenario, Scheduler, Whom};

const SCRIPTS: [&str; 9] = ["v", "!", "p", "pv", "p!", "k", "kv", "k!", "zv"];

/// A run until the other thread is through, which has one operation: falling asleep, waking, polling. And such a run while
/// all threads drop their handles, but beside no cancel, which would take hundreds of thousands of executions.
pub fn runs() -> Vec<Scenario> {
    let beside_one = |start: Scenario| with(&start, sequences(&start, 1));
    let one = starts(&SCRIPTS, &[Op::Run]).into_iter().flat_map(beside_one);
    let all_go = starts(&SCRIPTS, &[Op::DropHandle, Op::Run]).into_iter().flat_map(letting_go);
    let all_go = all_go.filter(|program| !program.threads[1].contains(&Op::Cancel));
    one.chain(spawns(&[Op::Run])).chain(all_go).collect()
}

/// `m` operations can stand alone: with a callback that waits there is a removal more. An H, or another operation and
/// then H, are as many.
pub fn number_of_runs() -> usize {
    SCRIPTS.len() * (6 + 7) + 1 + SCRIPTS.len() * (5 + 6)
}

/// A short run and then the end of the loop, while another thread has one or two operations; and the end
/// alone, while two have one each. And both ends while all threads drop their handles.
pub fn ends() -> Vec<Scenario> {
    let after_a_run = starts(&SCRIPTS, &[Op::RunBriefly, Op::Close]).into_iter().flat_map(|start| {
        let both = [sequences(&start, 1), sequences(&start, 2)].concat();
        with(&start, both)
    });
    // Nothing is polled, so all scripts are one.
    let at_once = starts(&SCRIPTS[..1], &[Op::Close]).into_iter().flat_map(|start| {
        let singles = sequences(&start, 1);
        let pairs = singles.iter().enumerate().flat_map(|(at, one)| singles[at..].iter().map(move |two| (one, two)));
        let program = |(one, two): (&Vec<Op>, &Vec<Op>)| {
            let threads = [&start.threads[..], &[one.clone(), two.clone()]].concat();
            Scenario { threads, ..start.clone() }
        };
        pairs.map(program).collect::<Vec<_>>()
    });
    let all_go = starts(&SCRIPTS, &[Op::RunBriefly, Op::DropHandle, Op::Close]);
    let all_go = all_go.into_iter().chain(starts(&SCRIPTS[..1], &[Op::DropHandle, Op::Close])).flat_map(letting_go);
    after_a_run.chain(at_once).chain(spawns(&[Op::RunBriefly, Op::Close])).chain(all_go).collect()
}

/// The other thread drops its handle too, after at most one operation.
fn letting_go(start: Scenario) -> Vec<Scenario> {
    let mut others = [sequences(&start, 1), sequences(&start, 2)].concat();
    others.retain(|other| other.last() == Some(&Op::DropHandle));
    with(&start, others)
}

pub fn number_of_ends() -> usize {
    // Nothing comes behind H, and `Rm` behind an add.
    let one_thread = |m: usize| m + (m - 1) * m + 1;
    let two_threads = |m: usize| m * (m + 1) / 2;
    let all_go = (SCRIPTS.len() + 1) * (6 + 7);
    SCRIPTS.len() * (one_thread(6) + one_thread(7)) + two_threads(6) + two_threads(7) + 1 + all_go
}

/// What a callback or function does on a loop, or its drop does; a callback that waits also removes the one behind it.
const CALLS: [&str; 8] = ["{A}", "{X}", "{G}", "{K}", "{N}", "{F}", "{!}", "{Rs}"];
const DROPS: [&str; 8] = ["~{A}", "~{X}", "~{G}", "~{K}", "~{N}", "~{F}", "~{!}", "~{Rs}"];

/// What another thread does beside a callback that waits, by what the task does: it is done at its first poll, or when
/// it was woken or cancelled, or panics.
const BESIDE: [(&str, &[&str]); 3] =
    [("v", &["A", "R0", "Rs", "X", "G", "K", "N"]), ("pv", &["X", "K"]), ("!", &["G", "X"])];

/// Runs and ends in which a callback or its drop does something: one that waits, a late one, and a function. What is
/// dropped also meets an end without a run, which abandons the task. What another thread removes is dropped there: then
/// nothing else waits, and beside a run it spawns nothing, which would be a million executions.
pub fn calling_back() -> Vec<Scenario> {
    let mut texts = Vec::new();
    let mut add = |kind: &str, ends: &[&str], text: String| {
        let without_a_run = kind.starts_with('~').then_some(&"Z");
        texts.extend(ends.iter().chain(without_a_run).map(|own| text.replace("OWN", own)));
    };
    for (script, others) in BESIDE {
        for (kind, other) in CALLS.iter().chain(&DROPS).flat_map(|kind| others.iter().map(move |other| (kind, other))) {
            let (behind, ends) = match (*kind, *other) {
                ("~{F}", "R0") => ("", &[][..]),
                (kind, "R0") if kind.starts_with('~') && kind != "~{Rs}" => ("", &RUNS[..]),
                _ => ("a", &RUNS[..]),
            };
            // What the first one adds is counted before the second.
            let second = if kind.contains(['A', 'N', 'F']) { "R2" } else { "R1" };
            add(kind, ends, format!("@loop{{{script}}} a{kind}{behind} ; OWN | {other}").replace("Rs", second));
        }
    }
    let late = CALLS[..7].iter().chain(&DROPS[..7]).flat_map(|kind| ["A", "N"].map(|op| (kind, op)));
    for ((kind, op), script) in late.flat_map(|late| ["v", "pv"].map(|script| (late, script))) {
        add(kind, &RUNS, format!("@loop{{{script}}} ; OWN | {op}{kind}"));
    }
    texts.iter().map(|text| text.parse().unwrap_or_else(|malformed| panic!("{malformed}"))).collect()
}

/// A run until the other thread is through, and a short one and then the end.
const RUNS: [&str; 2] = ["L", "M Z"];

pub fn number_of_calling_back() -> usize {
    (2 + 3) * (8 * (7 + 2 + 2) + 2 * 7 * 2) - 2
}

fn spawns(loops_own: &[Op]) -> Vec<Scenario> {
    let shortest = starts(&SCRIPTS[..1], loops_own).into_iter().take(1);
    shortest.flat_map(|start| with(&start, vec![vec![Op::Spawn]])).collect()
}

fn starts(scripts: &[&str], loops_own: &[Op]) -> Vec<Scenario> {
    let script = |text: &&str| text.parse::<Script>().expect("well formed");
    let setups = |script| [vec![], vec![Op::Add { tagged: false }]].map(|setup| (script, setup));
    let start = |(script, setup)| {
        let (scheduler, threads) = (Some(Scheduler::Loop(script)), vec![loops_own.to_vec()]);
        Scenario { scheduler, setup, threads, ..Scenario::default() }
    };
    scripts.iter().map(script).flat_map(setups).map(start).collect()
}

fn with(start: &Scenario, others: Vec<Vec<Op>>) -> Vec<Scenario> {
    let program = |other| Scenario { threads: [&start.threads[..], &[other]].concat(), ..start.clone() };
    others.into_iter().map(program).collect()
}

/// Every sequence of this length that makes sense in a thread that is not the loop's.
fn sequences(start: &Scenario, length: usize) -> Vec<Vec<Op>> {
    let mut ops = vec![Op::Add { tagged: false }, Op::Remove(Whom::Mine), Op::Cancel, Op::Read];
    ops.extend([Op::Wake, Op::Soon, Op::DropHandle]);
    ops.extend((0..start.setup.len()).map(|nonce| Op::Remove(Whom::Nth(nonce))));
    let mut sequences = vec![Vec::new()];
    for _ in 0..length {
        let longer = sequences
            .iter()
            .flat_map(|sequence| ops.iter().map(|op| [&sequence[..], std::slice::from_ref(op)].concat()));
        let makes_sense = |sequence: &Vec<Op>| {
            let threads = [&start.threads[..], std::slice::from_ref(sequence)].concat();
            Scenario { threads, ..start.clone() }.objection().is_none()
        };
        sequences = longer.filter(makes_sense).collect();
    }
    sequences
}
