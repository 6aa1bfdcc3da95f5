//! Plays a scenario on the core that lies beside this file. Included once for each engine.
//!
//! The same steps go to the kernel alone or to the task layer. What they answer is returned, what
//! happens besides is written into the ledger, and nothing is judged here.

pub mod bench;
mod on_kernel;
mod on_task;

use bench::{Bench, Carrier, Tracked};
use on_kernel::OnKernel;
use on_task::OnTask;
use super::kernel::{Added, CallbackId, Cell, Phase};
use super::schedule::Schedule;
use super::stage::{Flag, at_once, explore};
use super::sync::explore_handles;
use super::wait::Wait;
use cooked_waker::{IntoWaker, Wake, WakeRef};
use std::future::{Future, IntoFuture};
use std::panic::resume_unwind;
use std::slice;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use whendone_model::engines::{Observed, SEEN_ENOUGH, is_enough};
use whendone_model::observation::event::Event;
use whendone_model::observation::{Answer, Observation};
use whendone_model::scenario::{Scenario, Scheduler};
use whendone_model::scenario::resolve::{TaskStep, Step};
use whendone_model::engines::record::recorder;

/// The tag of `b`, `B` and `T`.
const SHARED: u64 = u64::MAX;

/// Plays it in every way that the engine knows.
pub fn play(scenario: &Scenario) -> Observed {
    play_by(scenario, perform)
}

/// The same, with what one execution is.
pub(super) fn play_by(scenario: &Scenario, perform: fn(&Scenario) -> (Observation, Vec<String>)) -> Observed {
    // What another exploration left on this thread is none of this one's.
    recorder::replayed();
    let observed = Arc::new(Mutex::new(Observed::default()));
    let (written, scenario) = (observed.clone(), scenario.clone());
    let explored = explore(move || {
        recorder::record(|| Event::Has(scenario.threads.len()));
        explore_handles(scenario.drops_handles());
        let (observation, mut broken) = perform(&scenario);
        let replayed = recorder::replayed();
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

pub(super) fn perform_on<S: Subject>(mut subject: S, bench: &Arc<Bench>) -> (Observation, Vec<String>) {
    if let Some(carrier) = subject.carrier() {
        assert!(bench.carrier.set(carrier).is_ok(), "set once");
    }
    let (setup, threads) = (bench.plan.setup.clone(), bench.plan.threads.clone());
    for step in setup {
        traced(step, |step| subject.carry_out(step));
    }
    recorder::record(|| Event::AllBegin);
    // All share the flags, made here so that each execution has its own.
    let flags: Arc<Vec<Flag>> = Arc::new((0..=9).map(|_| Flag::new()).take(flag_count(&threads)).collect());
    let last = threads.len().saturating_sub(1);
    let bodies = threads.into_iter().enumerate().map(|(thread, steps)| {
        let (mut actor, flags) = (subject.fork(), flags.clone());
        Box::new(move || {
            let mut carry_out = |(task, step)| match step {
                Step::Signal(flag) => {
                    flags[usize::from(flag)].raise();
                    None
                }
                Step::Wait(flag) => {
                    flags[usize::from(flag)].wait();
                    None
                }
                step => actor.carry_out((task, step)),
            };
            let answers: Vec<Answer> = steps.into_iter().filter_map(|step| traced(step, &mut carry_out)).collect();
            actor.through(thread == last);
            (answers, actor)
        }) as Box<dyn FnOnce() -> (Vec<Answer>, S) + Send>
    });
    let bodies = bodies.collect();
    if bench.drops_handles {
        subject.let_go();
    }
    // What a thread still holds at its end, an await for example, it keeps until all is told.
    let (answers, actors): (Vec<_>, Vec<_>) = at_once(bodies).into_iter().unzip();
    recorder::record(|| Event::AllEnded);
    subject.settle();
    recorder::record(|| Event::AllTold);
    let (handed, told) = bench.ledger.observed();
    // Where handles are dropped, a thread may have the only ones.
    let holders = if bench.drops_handles { &actors[..] } else { slice::from_ref(&subject) };
    if let Some(rule) = holders.iter().find_map(S::broken_at_rest) {
        bench.ledger.broken(rule);
    }
    drop(actors);
    subject.finish();
    drop(subject);
    (Observation { answers, handed, told }, bench.ledger.close(bench.probe.touches()))
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

/// What a thread carries its steps out with.
pub(super) trait Subject: Send + 'static {
    /// The same, for another thread.
    fn fork(&mut self) -> Self;
    fn carry_out(&mut self, step: TaskStep) -> Option<Answer>;
    /// Who carries out what callbacks do, if they can do something.
    fn carrier(&self) -> Option<Weak<dyn Carrier>> {
        None
    }
    /// Its handles go: all threads have theirs, or one is through with its own.
    fn let_go(&mut self) {}
    /// A thread has carried out its steps, or the last one of all has.
    fn through(&mut self, _is_last: bool) {}
    /// Lets come what was still to come when all threads are through.
    fn settle(&mut self) {}
    /// Gives up what nobody used, which is no part of the observation any more.
    fn finish(&mut self) {}
    /// What is wrong when nothing is going on.
    fn broken_at_rest(&self) -> Option<String>;
}

/// A done cell is settled, a pending one is not.
pub(super) fn at_rest<T, C>(cell: &Cell<T, C>) -> Option<String> {
    let snapshot = cell.snapshot();
    let expected = if cell.outcome().is_some() { Phase::Settled } else { Phase::Pending };
    let right = snapshot.phase == expected && (expected == Phase::Pending || snapshot.waiting.is_empty());
    (!right).then(|| format!("P19: at rest the cell is {snapshot:?}"))
}

/// The id of a callback that waits in another cell.
fn foreign<C>(other: &Arc<Cell<Tracked, C>>, callback: C) -> CallbackId {
    match Cell::add(other, 0, callback) {
        Added::Waits(id) | Added::YouDrain(id, _) => id,
    }
}
