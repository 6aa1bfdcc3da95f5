//! shuttle's stage: its threads, and which schedules it tries.

use super::super::Extent;
use super::sync;
use crate::engines::record::recorder;
use shuttle::scheduler::{
    DfsScheduler, PctScheduler, RandomScheduler, ReplayScheduler, Schedule, Scheduler, Task, TaskId,
};
use shuttle::{Config, FailurePersistence, Runner};
use std::cell::RefCell;
use std::mem;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::vec;

use ::shuttle as machine;
#[path = "../shared/primitives.rs"]
mod primitives;

pub use primitives::{Flag, Mutex, Probe};

/// Runs them all at once, the first one on this thread, and returns when all are through.
pub fn at_once<R: Send + 'static>(bodies: Vec<Box<dyn FnOnce() -> R + Send>>) -> Vec<R> {
    primitives::at_once(bodies, sync::be_thread)
}

/// Which schedules are tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Schedules {
    /// All that there are.
    #[default]
    Every,
    /// A sample, drawn anew at each step.
    Random,
    /// A sample with few preemptions: probabilistic concurrency testing.
    Pct,
    /// The one of these steps.
    Given(Steps),
    /// The one that these bytes choose: each says which goes on of those that can; after the last the first one does.
    Chosen(Vec<u8>),
}

/// Which of shuttle's tasks takes each step, a digit for each.
pub type Steps = String;

/// Schedules in a sample.
pub const SAMPLE: usize = 100;

/// How deep a bug may lie that PCT looks for: one step more than preemptions.
const DEPTH: usize = 3;

/// The samples are the same each time.
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

/// Every execution of the schedules that are to be tried.
///
/// # Errors
///
/// What shuttle said when it gave up, on a deadlock for example.
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
    keep_the_panic_hook(&config);
    let runner = Runner::new(Noted(scheduler), config);
    catch_unwind(AssertUnwindSafe(|| runner.run(execution))).map_err(super::super::message)?;
    Ok(extent)
}

/// The schedule of these steps. What follows them, the end of the main thread, is of no interest.
fn given(steps: &str) -> ReplayScheduler {
    let tasks = steps.chars().filter_map(|digit| digit.to_digit(36));
    let mut scheduler = ReplayScheduler::new_from_schedule(Schedule::new_from_task_ids(SEED, tasks.map(task)));
    scheduler.set_allow_incomplete();
    scheduler
}

fn task(number: u32) -> TaskId {
    TaskId::from(usize::try_from(number).expect("one digit"))
}

/// One execution, in which each byte chooses.
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

/// shuttle sets a hook of its own when it runs first, which talks about every panic, contained ones too.
fn keep_the_panic_hook(config: &Config) {
    static FIRST: Once = Once::new();
    FIRST.call_once(|| {
        let hook = panic::take_hook();
        Runner::new(DfsScheduler::new(Some(1), false), config.clone()).run(|| ());
        panic::set_hook(hook);
    });
}

/// Tells a watcher of each execution and each of its steps.
struct Noted(Box<dyn Scheduler + Send>);

impl Scheduler for Noted {
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
