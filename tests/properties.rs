//! The proptest suite: long random programs of one thread, and of several concurrent threads, on the kernel and on the
//! task layer.
//!
//! Each observation must be one that the specification allows. In addition, the promises that people rely on
//! are stated once more without the specification, from the program's text and its hand-overs alone.
//! `PROPTEST_CASES` sets the number of cases. A failure shrinks, and prints the command that plays it again; a
//! failure that depends on timing may shrink badly, and may not reproduce.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use whendone_model::engines::catalog::Engine;
use whendone_model::fuzzing::bytes::{calls_back, decode};
use whendone_model::fuzzing::scenario::{check, command};
use whendone_model::fuzzing::{queue, threads};
use whendone_model::observation::{Answer, Told};
use whendone_model::scenario::names::{Nonce, Part, Value};
use whendone_model::scenario::resolve::Step;
use whendone_model::scenario::{Scenario, Scheduler};

/// A failure is kept as the text of a scenario in `fuzz/seeds`, not in a file of proptest's.
fn config() -> ProptestConfig {
    let default = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => default,
        None => ProptestConfig { cases: 4000, ..default },
    }
}

/// Up to some 300 operations; the first byte chooses scheduler and setup, all others are operations.
fn programs() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..450)
}

/// Programs whose callbacks, drops and wakers call back; an operation of these takes about four bytes.
fn programs_that_call_back() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..900).prop_map(|mut bytes| {
        bytes[0] = bytes[0] & !3 | 1;
        bytes
    })
}

/// Programs that complete late, with up to a hundred waiting callbacks: random bytes would complete early, and remove
/// as many callbacks as they add. After the adds come any operations, or mostly removals.
fn programs_with_a_long_line() -> impl Strategy<Value = Vec<u8>> {
    let adds = prop::collection::vec(0..90_u8, 0..100);
    let [anything, removals] = [0..=255_u8, 60..=237].map(|bytes| prop::collection::vec(bytes, 0..200));
    let after = prop::collection::vec(any::<u8>(), 0..150);
    let parts = (any::<u8>(), adds, prop_oneof![anything, removals], after);
    parts.prop_map(|(head, adds, then, after)| completed(head, &[adds, then].concat(), &after))
}

/// The bytes of programs in which callbacks do nothing.
fn plain(head: u8) -> u8 {
    if calls_back(head) { head ^ 1 } else { head }
}

/// A program whose first completion stands at the end, followed by late operations.
fn completed(head: u8, before: &[u8], after: &[u8]) -> Vec<u8> {
    const READ: u8 = 225;
    const COMPLETE: u8 = 240;
    let waits = before.iter().map(|&byte| if byte < 238 { byte } else { READ });
    [plain(head) & 0x7f].into_iter().chain(waits).chain([COMPLETE]).chain(after.iter().copied()).collect()
}

/// The operations and answers of one program, step by step.
struct Run {
    /// Plays the program again.
    command: String,
    steps: Vec<(Step, Option<Answer>)>,
    handed: Vec<Nonce>,
}

impl Run {
    fn of(bytes: &[u8]) -> Self {
        let scenario = decode(bytes);
        let observed = Engine::Alone.observe(&scenario);
        let (observation, _) = observed.observations.first_key_value().expect("it was executed");
        let mut answers = observation.answers[0].iter().copied();
        let silent =
            |step: &Step| matches!(step, Step::Add { .. } | Step::DropAwait | Step::DropCompleter | Step::DropHandle);
        let thread = scenario.steps().remove(0).into_iter();
        let thread = thread.map(|step| (step, (!silent(&step)).then(|| answers.next().expect("it answers"))));
        let steps = scenario.setup_steps().into_iter().map(|step| (step, None)).chain(thread).collect();
        let handed = observation.handed.iter().map(|handed| handed.nonce).collect();
        Run { command: command(&scenario), steps, handed }
    }

    /// Returns the step that completed the task.
    fn completed_at(&self) -> Option<usize> {
        self.steps.iter().position(|(step, _)| matches!(step, Step::Complete(_) | Step::DropCompleter))
    }

    /// Returns the callbacks that were added by these steps.
    fn added(&self, steps: std::ops::Range<usize>) -> impl Iterator<Item = Nonce> {
        let steps = self.steps[steps].iter();
        steps.filter_map(|(step, _)| if let Step::Add { nonce, .. } = step { Some(*nonce) } else { None })
    }
}

proptest! {
    #![proptest_config(config())]

    /// P1-P11, P15-P17, P19: the whole specification, and the rules that are visible in no answer.
    #[test]
    fn long_programs_show_what_the_specification_allows(bytes in programs()) {
        check(&bytes);
    }

    /// P1-P11, P15-P17, P19: the same with many waiting callbacks.
    #[test]
    fn programs_with_a_long_line_show_what_the_specification_allows(bytes in programs_with_a_long_line()) {
        check(&bytes);
    }

    /// P12, P14: the same for programs whose callbacks, drops and wakers call back and panic, on all tasks and
    /// schedulers.
    #[test]
    fn programs_that_call_back_show_what_the_specification_allows(bytes in programs_that_call_back()) {
        check(&bytes);
    }

    /// P20: the buffer of a queue is bounded by its waiting callbacks.
    #[test]
    fn a_queue_keeps_no_more_than_its_waiting_callbacks_need(bytes in prop_oneof![programs(), programs_with_a_long_line()]) {
        queue::check(&bytes);
    }

    /// P12, P14, P15: whatever callers' code calls back, and whatever panics, a callback that runs was added and runs
    /// once, and a callback that was added to a done task runs, unless it was removed or its scheduler refuses it. Each
    /// panic is reported once, and everything is dropped once.
    #[test]
    fn each_callback_runs_once_though_callers_code_calls_back_or_panics(bytes in programs_that_call_back()) {
        let scenario = decode(&bytes);
        let again = command(&scenario);
        let plan = scenario.resolved();
        let observed = Engine::Alone.observe(&scenario);
        let (observation, _) = observed.observations.first_key_value().expect("it was executed");
        prop_assert!(observed.broken.is_empty(), "{} breaks {:?}", again, observed.broken);
        let calls = observation.handed.iter().filter(|entry| entry.part == Part::Call);
        let called: Vec<Nonce> = calls.map(|entry| entry.nonce).filter(|nonce| !plan.registrations[*nonce].is_waker).collect();
        let once: BTreeSet<Nonce> = called.iter().copied().collect();
        prop_assert_eq!(called.len(), once.len(), "{} called {:?}", again, called);
        let mut panicked = BTreeMap::new();
        for entry in &observation.handed {
            let (nonce, body) = (entry.nonce, &plan.registrations[entry.nonce]);
            // A panic in the clone of a waker is the answer of the poll.
            if entry.part != Part::Clone && matches!(body.program(entry.part), [.., (_, Step::Panic)]) {
                // The drop of a closure that was called belongs to its call.
                let told = match entry.part {
                    _ if body.is_waker => Told::WakerPanicked(nonce),
                    _ if once.contains(&nonce) => Told::CallbackPanicked(nonce),
                    _ => Told::DropPanicked(nonce),
                };
                *panicked.entry(told).or_default() += 1;
            }
        }
        let told = observation.told.iter().filter(|(told, _)| told.is_of_a_panic());
        let told = told.filter(|(told, _)| !matches!(told, Told::SchedulerPanicked(_)));
        let told: BTreeMap<Told, usize> = told.map(|(told, times)| (*told, *times)).collect();
        prop_assert_eq!(told, panicked, "{} shows {}", again, observation);
        let (mut added, mut removed, mut done) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let threads = plan.threads.iter().zip(&observation.answers).map(|(steps, answers)| (&steps[..], &answers[..]));
        let parts = observation.handed.iter().map(|entry| (plan.registrations[entry.nonce].program(entry.part), &entry.answers[..]));
        for (steps, answers) in [(&plan.setup[..], &[][..])].into_iter().chain(threads).chain(parts) {
            let mut answers = answers.iter();
            for &(task, step) in steps {
                match step {
                    Step::Add { nonce, .. } => drop(added.insert(nonce)),
                    Step::Remove(nonce) if answers.next() == Some(&Answer::Did(true)) => removed.extend(nonce),
                    // The answer does not contain the names of the removed callbacks.
                    Step::RemoveAll if answers.next() != Some(&Answer::Count(0)) => return Ok(()),
                    Step::Complete(_) => drop((answers.next(), done.insert(task))),
                    Step::DropCompleter => drop(done.insert(task)),
                    Step::Read | Step::Print | Step::Poll(_) | Step::PollAgain(_) => drop(answers.next()),
                    _ => {}
                }
            }
        }
        let refuses = matches!(scenario.scheduler, Some(Scheduler::Refuse | Scheduler::Panic));
        let due = added.iter().filter(|nonce| !refuses && done.contains(&plan.registrations[**nonce].task));
        let due: BTreeSet<Nonce> = due.copied().filter(|nonce| !removed.contains(nonce)).collect();
        prop_assert_eq!(once, due, "{} shows {}", again, observation);
    }

    /// P7: the order of hand-over is the order of the adds, which is that of the names. (An await shows the name of
    /// its last poll at the place of its first.)
    #[test]
    fn hand_over_follows_the_order_of_the_adds(
        head: u8, before in prop::collection::vec(any::<u8>(), 0..200), after in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let run = Run::of(&completed(head, &before, &after));
        let added: Vec<Nonce> = run.added(0..run.steps.len()).collect();
        let callbacks = run.handed.iter().filter(|nonce| added.contains(nonce));
        prop_assert!(callbacks.is_sorted(), "{} handed over {:?}", run.command, run.handed);
    }

    /// P11: a late add is handed over once, and after all earlier ones.
    #[test]
    fn late_adds_are_handed_over_once_and_last(
        head: u8, before in prop::collection::vec(any::<u8>(), 0..50), after in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let run = Run::of(&completed(head, &before, &after));
        let completed = run.completed_at().expect("it is completed");
        let late: Vec<Nonce> = run.added(completed..run.steps.len()).collect();
        prop_assert!(run.handed.ends_with(&late), "{} handed over {:?}, late were {late:?}", run.command, run.handed);
        let again = run.handed.iter().filter(|handed| late.contains(handed)).count();
        prop_assert_eq!(again, late.len(), "{} handed over {:?}", run.command, run.handed);
    }

    /// P9: a removal answers true for exactly the callbacks that are never handed over, and once. P10: and never for a
    /// foreign id.
    #[test]
    fn removed_with_true_means_never_handed_over(
        head: u8, before in prop::collection::vec(any::<u8>(), 0..200), after in prop::collection::vec(any::<u8>(), 0..50),
    ) {
        // Without `T`, whose answer is a number and contains no names.
        let before: Vec<u8> = before.into_iter().map(|byte| if (230..238).contains(&byte) { 0 } else { byte }).collect();
        let run = Run::of(&completed(head, &before, &after));
        let mut removed: HashMap<Nonce, usize> = HashMap::new();
        for (step, answer) in &run.steps {
            match (step, answer) {
                (Step::Remove(Some(nonce)), Some(Answer::Did(true))) => *removed.entry(*nonce).or_default() += 1,
                (Step::Remove(None), answer) => prop_assert_eq!(*answer, Some(Answer::Did(false)), "{}", run.command),
                _ => {}
            }
        }
        for nonce in run.added(0..run.steps.len()) {
            let (out, over) = (removed.get(&nonce).copied().unwrap_or(0), run.handed.iter().filter(|&&n| n == nonce).count());
            prop_assert_eq!(out + over, 1, "{}: {} was removed {} times and handed over {} times", run.command, nonce, out, over);
        }
    }

    /// P6: nothing is handed over while the task is pending.
    #[test]
    fn nothing_is_handed_over_before_completion(head: u8, before in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = completed(head, &before, &[]);
        bytes.pop();
        let run = Run::of(&bytes);
        prop_assert_eq!(run.handed, Vec::<Nonce>::new(), "{}", run.command);
    }

    /// P1, P2: the value of the first completion is read ever after.
    #[test]
    fn every_read_after_completion_gives_the_first_value(mut bytes in programs()) {
        bytes[0] = plain(bytes[0]);
        let run = Run::of(&bytes);
        let mut outcome = None;
        for (step, answer) in &run.steps {
            match (step, answer) {
                (Step::Complete(value), _) => outcome = outcome.or(Some(*value)),
                (Step::DropCompleter, _) => outcome = outcome.or(Some(Value::Abandoned)),
                (Step::Read | Step::Print | Step::Poll(_) | Step::PollAgain(_), Some(Answer::Outcome(read))) => prop_assert_eq!(*read, outcome, "{}", run.command),
                _ => {}
            }
        }
    }
}

/// Programs are as long as documented: of each kind a fourth has 200 operations or more.
#[test]
fn one_program_in_four_has_200_operations_or_more() {
    fn long(programs: impl Strategy<Value = Vec<u8>>) -> usize {
        let mut runner = TestRunner::deterministic();
        let drawn = (0..400).map(|_| programs.new_tree(&mut runner).expect("it filters nothing").current());
        drawn.filter(|bytes| decode(bytes).operations() >= 200).count()
    }
    let counts = [long(programs()), long(programs_with_a_long_line()), long(programs_that_call_back())];
    assert!(counts.iter().all(|&count| count >= 100), "{counts:?} of 400");
}

/// Threads that run at once, with up to `most` operations each.
fn concurrent(most: usize) -> impl Strategy<Value = Scenario> {
    let schedulers = prop::sample::select(vec![None, Some(Scheduler::Inline), Some(Scheduler::Queue)]);
    let tags = prop::collection::vec(any::<bool>(), 0..6);
    let threads = prop::collection::vec(prop::collection::vec(any::<u8>(), 1..=most), 2..=4);
    let parts = (schedulers, tags, prop::bool::weighted(0.1), threads);
    parts.prop_map(|(scheduler, tags, done, threads)| threads::program(scheduler, &tags, done, &threads))
}

/// Programs to which failures of planted bugs have shrunk. Any failure that is found is kept here, too.
const KEPT: [&str; 7] = [
    "; A | A A A R2",
    "; C A | A R1",
    "; C | A A A A",
    "; C | G A A R1",
    "@inline ; C | A",
    "@inline ; A P D P R0 A A R4 Rm Rm A Q | P P G",
    "; A | A B R1 R2 Rm B R2 Rm R3 B R4 B T R1 R5 R5 R2 R5 R2 A A B B G Rf",
];

/// P1-P11, P15-P19, D1
#[test]
fn programs_that_once_showed_a_bug_are_linearizable() {
    for text in KEPT {
        threads::check(&text.parse().expect("well formed"));
    }
}

// A program is played many times, so this property has one case for 20 cases of the others.
proptest! {
    #![proptest_config(ProptestConfig { cases: config().cases.div_ceil(20), ..config() })]

    /// P1-P11, P15-P19, D1: the history of calls on real threads is linearizable: the specification explains it in an
    /// order in which a call that ended before another began comes before it.
    #[test]
    fn concurrent_programs_are_linearizable(scenario in concurrent(40)) {
        threads::check(&scenario);
    }
}
