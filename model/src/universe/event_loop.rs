//! The tiers of the event loop: every small program over one task of a loop.
//!
//! Polls go every way that up to two can, with and without a waiting callback. The loop's thread runs the loop or closes
//! it, beside at least one other thread. Spawning is included only beside the shortest script, in a thread that does
//! nothing else: the first task cannot tell, and it costs up to a million executions. A last tier has callbacks and
//! functions with programs.

use super::sequences;
use crate::scenario::poll_script::Script;
use crate::scenario::{Op, Scenario, Scheduler, Whom};

const SCRIPTS: [&str; 9] = ["v", "!", "p", "pv", "p!", "k", "kv", "k!", "zv"];

/// Runs until the other thread has finished its one operation: they fall asleep, wake and poll. Also such runs in which all
/// threads drop their handles, but none with a cancel, which would take hundreds of thousands of executions.
pub fn runs() -> Vec<Scenario> {
    let beside_one = |start: Scenario| with(&start, beside(&start, 1));
    let one = starts(&SCRIPTS, &[Op::Run]).into_iter().flat_map(beside_one);
    let all_go = starts(&SCRIPTS, &[Op::DropHandle, Op::Run]).into_iter().flat_map(with_handles_dropped);
    let all_go = all_go.filter(|program| !program.threads[1].contains(&Op::Cancel));
    one.chain(spawns(&[Op::Run])).chain(all_go).collect()
}

/// Number of runs: 6 operations can be a thread by themselves, and a removal more if a callback waits; as many threads end
/// with H, if none cancels.
pub fn number_of_runs() -> usize {
    SCRIPTS.len() * (6 + 7) + 1 + SCRIPTS.len() * (5 + 6)
}

/// A short run and then the end of the loop, beside one or two operations of another thread; and the end alone, beside two
/// threads of one operation. Also both ends while all threads drop their handles.
pub fn ends() -> Vec<Scenario> {
    let after_a_run = starts(&SCRIPTS, &[Op::RunBriefly, Op::Close]).into_iter().flat_map(|start| {
        let both = [beside(&start, 1), beside(&start, 2)].concat();
        with(&start, both)
    });
    // Nothing is polled, so one script stands for all.
    let at_once = starts(&SCRIPTS[..1], &[Op::Close]).into_iter().flat_map(|start| {
        let singles = beside(&start, 1);
        let pairs = singles.iter().enumerate().flat_map(|(at, one)| singles[at..].iter().map(move |two| (one, two)));
        let program = |(one, two): (&Vec<Op>, &Vec<Op>)| {
            let threads = [&start.threads[..], &[one.clone(), two.clone()]].concat();
            Scenario { threads, ..start.clone() }
        };
        pairs.map(program).collect::<Vec<_>>()
    });
    let all_go = starts(&SCRIPTS, &[Op::RunBriefly, Op::DropHandle, Op::Close]);
    let all_go =
        all_go.into_iter().chain(starts(&SCRIPTS[..1], &[Op::DropHandle, Op::Close])).flat_map(with_handles_dropped);
    after_a_run.chain(at_once).chain(spawns(&[Op::RunBriefly, Op::Close])).chain(all_go).collect()
}

/// Adds a thread that drops its handle after at most one operation.
fn with_handles_dropped(start: Scenario) -> Vec<Scenario> {
    let mut others = [beside(&start, 1), beside(&start, 2)].concat();
    others.retain(|other| other.last() == Some(&Op::DropHandle));
    with(&start, others)
}

/// Number of ends, in closed form.
pub fn number_of_ends() -> usize {
    // Nothing follows H, and `Rm` follows an add.
    let one_thread = |m: usize| m + (m - 1) * m + 1;
    let two_threads = |m: usize| m * (m + 1) / 2;
    let all_go = (SCRIPTS.len() + 1) * (6 + 7);
    SCRIPTS.len() * (one_thread(6) + one_thread(7)) + two_threads(6) + two_threads(7) + 1 + all_go
}

/// Programs of a callback or function for its call and for its drop; `Rs` removes the second waiting callback.
const CALLS: [&str; 8] = ["{A}", "{X}", "{G}", "{K}", "{N}", "{F}", "{!}", "{Rs}"];
const DROPS: [&str; 8] = ["~{A}", "~{X}", "~{G}", "~{K}", "~{N}", "~{F}", "~{!}", "~{Rs}"];

/// Scripts of the task, with the operations of another thread beside a waiting callback: the task is done at its first poll,
/// or once it is woken or cancelled, or it panics.
const BESIDE: [(&str, &[&str]); 3] =
    [("v", &["A", "R0", "Rs", "X", "G", "K", "N"]), ("pv", &["X", "K"]), ("!", &["G", "X"])];

/// Runs and ends in which a callback or its drop has a program: a waiting one, a late one, and a function. A drop also
/// meets an end without a run, which abandons the task. A callback removed by another thread is dropped there: then no
/// other one waits, and beside a run its drop spawns nothing, which would take a million executions.
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
            // A registration in the first one's program is numbered before the second.
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

/// A run until the other thread has finished, and a short one followed by the end.
const RUNS: [&str; 2] = ["L", "M Z"];

/// Number of programs that call back, in closed form.
pub fn number_of_calling_back() -> usize {
    (2 + 3) * (8 * (7 + 2 + 2) + 2 * 7 * 2) - 2
}

/// Programs in which the other thread only spawns.
fn spawns(loops_own: &[Op]) -> Vec<Scenario> {
    let shortest = starts(&SCRIPTS[..1], loops_own).into_iter().take(1);
    shortest.flat_map(|start| with(&start, vec![vec![Op::Spawn]])).collect()
}

/// Every script, with and without a waiting callback.
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

/// Every thread of this number of operations that can run beside the loop's.
fn beside(start: &Scenario, length: usize) -> Vec<Vec<Op>> {
    let mut ops = vec![Op::Add { tagged: false }, Op::Remove(Whom::Mine), Op::Cancel, Op::Read];
    ops.extend([Op::Wake, Op::Soon, Op::DropHandle]);
    ops.extend((0..start.setup.len()).map(|nonce| Op::Remove(Whom::Nth(nonce))));
    sequences(&ops, length, |sequence| {
        let threads = [&start.threads[..], &[sequence.to_vec()]].concat();
        Scenario { threads, ..start.clone() }.objection().is_none()
    })
}
