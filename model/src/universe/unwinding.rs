//! The tier of unwinding: one thread, which panics. What stands behind the panic is carried out by destructors.
//!
//! There is one thread, because loom runs all threads on one of the system: while one of them unwinds, all others would
//! seem to, and each lock that they release would be poisoned.

use crate::scenario::Scenario;

/// Threads; `c` completes the task.
const THREADS: [&str; 18] = [
    "! c A",
    "! A c A",
    "A ! Rm c",
    "A ! c Rm",
    "! A{!} c",
    "A{!} ! c",
    "c ! A{!}",
    "c ! A G",
    "G ! c G",
    "P ! Q c",
    "P ! c Q",
    "P ! P c",
    "P ! Jm c",
    "P P ! Q c",
    "P ! c P",
    "! P^{!} c",
    "P{!} ! c",
    "! P c",
];

/// Threads in which a callback or a waker panics when it is dropped. `@panic` drops callbacks while it panics itself.
const DROPS: [&str; 4] = ["A~{!} ! Rm c", "! A~{!} Rm c", "P~{!} ! Q c", "P~{!} ! P c"];

const COMPLETIONS: [&str; 3] = ["C", "X", "D"];

/// Callbacks that wait.
const WAITING: [&str; 2] = ["", "aa"];

/// Callbacks that wait, panic, add another one and complete another task.
const CALLING: [&str; 3] = ["a{!}a", "a{A} a", "a{y.C} y.a{G}"];

/// Every program of the tier.
pub(super) fn programs() -> Vec<Scenario> {
    let (all, calling) = ([&THREADS[..], &DROPS].concat(), [&WAITING[..], &CALLING].concat());
    let on = [("@inline", &calling[..], &all[..]), ("@queue", &calling, &all)];
    let on = on.into_iter().chain([("@refuse", &WAITING[..], &all[..]), ("@panic", &WAITING, &THREADS)]);
    let mut texts = Vec::new();
    for (front, setups, threads) in on {
        for (setup, thread) in setups.iter().flat_map(|setup| threads.iter().map(move |thread| (setup, thread))) {
            texts.extend(COMPLETIONS.map(|complete| format!("{front} {setup} ; {}", thread.replace('c', complete))));
        }
    }
    texts.iter().map(|text| text.parse().unwrap_or_else(|malformed| panic!("{malformed}"))).collect()
}

/// Number of programs, in closed form: completions, times starts, times threads.
pub(super) fn number() -> usize {
    3 * ((5 + 5 + 2) * (18 + 4) + 2 * 18)
}
