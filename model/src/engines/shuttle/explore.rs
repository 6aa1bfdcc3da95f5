//! shuttle's exploration: its threads, and its choice of schedules.
//!
//! The schedules with few preemptions are those of probabilistic concurrency testing (PCT): Burckhardt, Kothari, Musuvathi
//! and Nagarakatte, "A randomized scheduler with probabilistic guarantees of finding bugs", 2010.

use super::super::Extent;
use super::sync;
use crate::engines::record::recorder;
use shuttle::scheduler::{
    DfsScheduler, PctScheduler, RandomScheduler, ReplayScheduler, Schedule, Scheduler, Task, TaskId,
};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};
use std::cell::RefCell;
use std::mem;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::vec;

use ::shuttle as machine;
#[path = "../shared/primitives.rs"]
mod primitives;

use primitives::ThreadBody;
pub use primitives::{Flag, Mutex, Probe};

/// Runs all bodies at once, the first one on this thread, and returns when all have ended.
pub fn at_once<R: Send + 'static>(bodies: Vec<ThreadBody<R>>) -> Vec<R> {
    primitives::at_once(bodies, sync::be_thread)
}

/// The schedules to be played.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Schedules {
    /// All schedules.
    #[default]
    Every,
    /// A sample in which each step is random.
    Random,
    /// A sample with few preemptions: probabilistic concurrency testing.
    Pct,
    /// The schedule with these steps.
    Given(Steps),
    /// The schedule that these bytes choose: each byte picks one of the tasks that can run; after the last byte the first
    /// task runs.
    Chosen(Vec<u8>),
}

/// The shuttle task that takes each step, as one digit.
pub type Steps = String;

/// The number of schedules in a sample.
pub const SAMPLE: usize = 100;

/// PCT's bug depth: the number of preemptions, plus one.
const DEPTH: usize = 3;

/// The seed of the samples, so that they are the same in each run.
const SEED: u64 = 1;

thread_local! {
    static SCHEDULES: RefCell<Schedules> = const { RefCell::new(Schedules::Every) };
}

/// Plays with these schedules.
pub fn under<R>(schedules: Schedules, play: impl FnOnce() -> R) -> R {
    SCHEDULES.set(schedules);
    let played = play();
    SCHEDULES.take();
    played
}

/// Explores the schedules that [`under`] was given.
///
/// # Errors
///
/// shuttle's message if it gave up, on a deadlock for example.
pub fn explore(execution: impl Fn() + Send + Sync + 'static) -> Result<Extent, String> {
    let (scheduler, extent): (Box<dyn Scheduler + Send>, _) = match SCHEDULES.with_borrow(Schedules::clone) {
        Schedules::Every => (Box::new(DfsScheduler::new(None, false)), Extent::Complete),
        Schedules::Random => (Box::new(RandomScheduler::new_from_seed(SEED, SAMPLE)), Extent::Sampled),
        Schedules::Pct => (Box::new(PctScheduler::new_from_seed(SEED, DEPTH, SAMPLE)), Extent::Sampled),
        Schedules::Given(steps) => (Box::new(given(&steps)), Extent::Sampled),
        Schedules::Chosen(bytes) => (Box::new(Chosen { bytes: bytes.into_iter(), is_over: false }), Extent::Sampled),
    };
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    config.silence_warnings = true;
    // A longer execution is a failure, and no time ends the exploration.
    config.max_steps = MaxSteps::FailAfter(100_000);
    config.max_time = None;
    keep_the_panic_hook(&config);
    let runner = Runner::new(Recorded(scheduler), config);
    catch_unwind(AssertUnwindSafe(|| runner.run(execution))).map_err(super::super::message)?;
    Ok(extent)
}

/// The schedule with these steps. They may stop short of the main thread's end.
fn given(steps: &str) -> ReplayScheduler {
    let tasks = steps.chars().filter_map(|digit| digit.to_digit(36));
    let mut scheduler = ReplayScheduler::new_from_schedule(Schedule::new_from_task_ids(SEED, tasks.map(task)));
    scheduler.set_allow_incomplete();
    scheduler
}

fn task(number: u32) -> TaskId {
    TaskId::from(usize::try_from(number).expect("one digit"))
}

/// The scheduler of one execution, in which each byte chooses a task.
struct Chosen {
    bytes: vec::IntoIter<u8>,
    is_over: bool,
}

impl Scheduler for Chosen {
    fn new_execution(&mut self) -> Option<Schedule> {
        (!mem::replace(&mut self.is_over, true)).then(|| Schedule::new(SEED))
    }

    fn next_task(&mut self, runnable: &[&Task], _: Option<TaskId>, _: bool) -> Option<TaskId> {
        let byte = self.bytes.next().map_or(0, usize::from);
        Some(runnable[byte % runnable.len()].id())
    }

    fn next_u64(&mut self) -> u64 {
        SEED
    }
}

/// Undoes shuttle's panic hook, which it sets on its first run, and which prints every panic, contained ones too.
fn keep_the_panic_hook(config: &Config) {
    static FIRST: Once = Once::new();
    FIRST.call_once(|| {
        let hook = panic::take_hook();
        Runner::new(DfsScheduler::new(Some(1), false), config.clone()).run(|| ());
        panic::set_hook(hook);
    });
}

/// A scheduler that records each execution and each of its steps.
struct Recorded(Box<dyn Scheduler + Send>);

impl Scheduler for Recorded {
    fn new_execution(&mut self) -> Option<Schedule> {
        let schedule = self.0.new_execution()?;
        recorder::begin(sync::this_thread);
        Some(schedule)
    }

    fn next_task(&mut self, runnable: &[&Task], current: Option<TaskId>, is_yielding: bool) -> Option<TaskId> {
        let next = self.0.next_task(runnable, current, is_yielding)?;
        recorder::step(usize::from(next));
        Some(next)
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }
}
