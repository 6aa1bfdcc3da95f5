//! The player: carries out a scenario's steps on the core of the engine that includes it. Compiled once for each engine.
//!
//! Steps go alike to the kernel alone or to the task layer. The answers are returned, everything else is written into
//! the monitor, and nothing is checked here.

pub mod bench;
mod on_kernel;
mod on_task;

use super::kernel::{Added, CallbackId, Cell, Phase, UNTAGGED};
use super::stage::{Flag, at_once, explore};
use super::sync::explore_handles;
use super::wait::Wait;
use bench::{Bench, Interpreter, Tracked};
use on_kernel::OnKernel;
use on_task::OnTask;
use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::slice;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use whendone_model::engines::record::recorder;
use whendone_model::engines::{Observed, SEEN_ENOUGH, is_enough, is_spare};
use whendone_model::observation::event::Event;
use whendone_model::observation::{Answer, Observation};
use whendone_model::scenario::resolve::{Step, TaskStep};
use whendone_model::scenario::{Scenario, Scheduler};

/// The tag of `b`, `B` and `T`.
const SHARED: NonZeroU64 = NonZeroU64::MIN;

/// Plays the scenario in every execution that the engine explores.
pub fn play(scenario: &Scenario) -> Observed {
    play_by(scenario, perform)
}

/// Plays the scenario like [`play`], with `perform` for one execution.
pub(super) fn play_by(scenario: &Scenario, perform: fn(&Scenario) -> (Observation, Vec<String>)) -> Observed {
    // A conformance check that another exploration left on this thread is discarded.
    recorder::replayed();
    let observed = Arc::new(Mutex::new(Observed::default()));
    let (written, scenario) = (observed.clone(), scenario.clone());
    let explored = explore(move || {
        recorder::record(|| Event::Has(scenario.threads.len()));
        explore_handles(scenario.drops_handles());
        let (observation, mut broken) = perform(&scenario);
        let replayed = recorder::replayed();
        if is_spare() {
            return;
        }
        let is_replayed = replayed == Some(Ok(()));
        broken.extend(replayed.and_then(Result::err));
        recorder::end(Some(&observation), &broken);
        let mut observed = written.lock().unwrap_or_else(PoisonError::into_inner);
        observed.executions += 1;
        observed.replayed += u64::from(is_replayed);
        broken.into_iter().for_each(|rule| *observed.broken.entry(rule).or_default() += 1);
        let is_enough = is_enough(observed.executions, &observation);
        *observed.observations.entry(observation).or_default() += 1;
        drop(observed);
        if is_enough {
            resume_unwind(Box::new(SEEN_ENOUGH));
        }
    });
    let mut observed = observed.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match explored {
        Ok(extent) => observed.extent = extent,
        Err(failure) if failure.ends_with(SEEN_ENOUGH) => {}
        Err(failure) => {
            recorder::replayed();
            recorder::end(None, std::slice::from_ref(&failure));
            observed.broken.insert(failure, 1);
        }
    }
    observed
}

/// One execution.
pub fn perform(scenario: &Scenario) -> (Observation, Vec<String>) {
    let bench = Arc::new(Bench::new(scenario));
    match scenario.scheduler {
        None => perform_on(OnKernel::new(&bench), &bench),
        Some(Scheduler::Loop(_)) => {
            (Observation::default(), vec!["harness: this engine has no event loop; take another".to_owned()])
        }
        Some(scheduler) => perform_on(OnTask::new(&bench, scheduler), &bench),
    }
}

/// One execution on this subject.
pub(super) fn perform_on<S: Subject>(mut subject: S, bench: &Arc<Bench>) -> (Observation, Vec<String>) {
    if let Some(interpreter) = subject.interpreter() {
        assert!(bench.interpreter.set(interpreter).is_ok(), "set once");
    }
    for step in bench.plan.setup.clone() {
        traced(step, |step| subject.carry_out(step));
    }
    recorder::record(|| Event::AllBegin);
    let bodies = bodies(&mut subject, bench.plan.threads.clone());
    if bench.drops_handles {
        subject.drop_handles();
    }
    // What a thread still holds at its end, an await for example, it keeps until the observation is complete.
    let (answers, actors): (Vec<_>, Vec<_>) = at_once(bodies).into_iter().unzip();
    recorder::record(|| Event::AllEnded);
    subject.serve_rest();
    recorder::record(|| Event::AllTold);
    let (handed, told) = bench.monitor.observed();
    // Where handles are dropped, a thread may have the only ones.
    let holders = if bench.drops_handles { &actors[..] } else { slice::from_ref(&subject) };
    if let Some(rule) = holders.iter().find_map(S::broken_at_rest) {
        bench.monitor.broken(rule);
    }
    drop(actors);
    subject.finish();
    drop(subject);
    (Observation { answers, handed, told }, bench.monitor.close(bench.probe.touches()))
}

/// A thread of the scenario: returns its answers, and the subject with what it still holds.
type Thread<S> = Box<dyn FnOnce() -> (Vec<Answer>, S) + Send>;

fn bodies<S: Subject>(subject: &mut S, threads: Vec<Vec<TaskStep>>) -> Vec<Thread<S>> {
    // All share the flags, made here so that each execution has its own.
    let flags: Arc<Vec<Flag>> = Arc::new((0..=9).map(|_| Flag::new()).take(flag_count(&threads)).collect());
    let last = threads.len().saturating_sub(1);
    let body = |(thread, steps): (usize, Vec<TaskStep>)| {
        let (mut actor, flags) = (subject.fork(), flags.clone());
        Box::new(move || {
            let mut answers = Vec::new();
            let mut take = |step: &TaskStep| answers.extend(traced(*step, |step| carry_out(&mut actor, &flags, step)));
            let panics = steps.iter().position(|(_, step)| *step == Step::Panic);
            let (before, amid) = steps.split_at(panics.unwrap_or(steps.len()));
            before.iter().for_each(&mut take);
            if !amid.is_empty() {
                while_it_unwinds(|| amid.iter().for_each(take));
            }
            actor.end(thread == last);
            (answers, actor)
        }) as Thread<S>
    };
    threads.into_iter().enumerate().map(body).collect()
}

/// Panics, makes a call in a destructor that the panic runs, and catches the panic.
fn while_it_unwinds(call: impl FnOnce()) {
    struct Amid<F: FnOnce()>(Option<F>);
    impl<F: FnOnce()> Drop for Amid<F> {
        fn drop(&mut self) {
            self.0.take().into_iter().for_each(|call| call());
        }
    }
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _amid = Amid(Some(call));
        recorder::record(|| Event::Panics);
        resume_unwind(Box::new("a thread of the scenario"));
    }));
    recorder::record(|| Event::Caught);
    drop(unwound);
}

fn carry_out<S: Subject>(actor: &mut S, flags: &[Flag], (task, step): TaskStep) -> Option<Answer> {
    match step {
        Step::Signal(flag) => {
            flags[usize::from(flag)].raise();
            None
        }
        Step::Wait(flag) => {
            flags[usize::from(flag)].wait();
            None
        }
        Step::Panic => None,
        step => actor.carry_out((task, step)),
    }
}

fn traced(step: TaskStep, carry_out: impl FnOnce(TaskStep) -> Option<Answer>) -> Option<Answer> {
    recorder::record(|| Event::Begins(step));
    let answer = carry_out(step);
    recorder::record(|| Event::Ends(step, answer));
    answer
}

fn flag_count(steps: &[Vec<TaskStep>]) -> usize {
    let flags = steps.iter().flatten().filter_map(|(_, step)| match step {
        Step::Signal(flag) | Step::Wait(flag) => Some(usize::from(*flag) + 1),
        _ => None,
    });
    flags.max().unwrap_or(0)
}

/// The part of the core under test, as one thread of the scenario uses it.
pub(super) trait Subject: Send + 'static {
    /// A handle of this subject, for another thread.
    fn fork(&mut self) -> Self;
    fn carry_out(&mut self, step: TaskStep) -> Option<Answer>;
    /// The interpreter of callbacks' programs, if callbacks can have programs.
    fn interpreter(&self) -> Option<Weak<dyn Interpreter>> {
        None
    }
    /// Drops this thread's handles: before the threads begin, or as a step of one.
    fn drop_handles(&mut self) {}
    /// Ends this thread, after its steps; `is_last` for the scenario's last thread.
    fn end(&mut self, _is_last: bool) {}
    /// Runs the callbacks that are still queued after all threads have ended.
    fn serve_rest(&mut self) {}
    /// Drops everything unused, after the observation is complete.
    fn finish(&mut self) {}
    /// The rule that is broken while nothing is going on.
    fn broken_at_rest(&self) -> Option<String>;
}

/// The broken rule of a cell at rest: a done cell must be settled, and any other one pending.
pub(super) fn at_rest<T, C>(cell: &Cell<T, C>) -> Option<String> {
    let snapshot = cell.snapshot();
    let expected = if cell.outcome().is_some() { Phase::Settled } else { Phase::Pending };
    let right = snapshot.phase == expected && (expected == Phase::Pending || snapshot.waiting.is_empty());
    (!right).then(|| format!("P19: at rest the cell is {snapshot:?}"))
}

/// The id of a callback that waits in `other`.
fn foreign<C>(other: &Arc<Cell<Tracked, C>>, callback: C) -> CallbackId {
    match other.add(UNTAGGED, callback) {
        Added::Waits(id) | Added::YouDrain(id, _) => id,
    }
}
