//! Defective copies of the core: one for each facade, with defects that are switched on one at a time. The self-test plays
//! them, so that each engine and each check must show what it can see.
//!
//! `build.rs` makes the copies from `self_test.toml`. Copies that carry all defects at once, with switches, are known as
//! mutant schemata: Untch, Offutt and Harrold, "Mutation analysis using mutant schemata", 1993.

use crate::engines::catalog::{Engine, PREEMPTIONS, PREEMPTIONS_ON_FUTEX};
use crate::engines::futex::under_loom as on_futex;
use crate::engines::loom::explore::within;
use crate::engines::sections::clients::{self, Difference, Explored, Key};
use crate::engines::sections::explore::plainly;
use crate::engines::shuttle::explore::{Schedules, under};
use crate::engines::threads::{explore::sequentially, timed};
use crate::engines::{Observed, Play};
use crate::scenario::Scenario;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// A defect of the copies.
pub struct Defect {
    pub id: &'static str,
    /// The property, or the word, with which a verdict must name it.
    pub shown_by: &'static str,
    pub why: &'static str,
    /// The program that shows it.
    pub program: &'static str,
    /// The ability that an engine needs to show it.
    pub needs: Option<Needs>,
}

/// An ability of an engine.
#[derive(Clone, Copy, Debug)]
pub enum Needs {
    /// It finds a race of two threads.
    Races,
    /// It is loom: every schedule of a queue takes shuttle minutes, at a deadlock shuttle prints a report, and real threads
    /// hang.
    Loom,
    /// It records what the protocol is compared with.
    Protocol,
}

impl Needs {
    pub fn is_met_by(self, engine: Engine) -> bool {
        use Engine::{LoomAtomic, LoomBounded, LoomFutex, LoomFutexBounded, LoomMutex};
        use Engine::{ShuttleEvery, ShuttlePct, ShuttleRandom};
        match engine {
            LoomMutex | LoomAtomic | LoomBounded | LoomFutex | LoomFutexBounded => true,
            ShuttleEvery | ShuttleRandom => !matches!(self, Needs::Loom),
            ShuttlePct => matches!(self, Needs::Protocol),
            Engine::Sections | Engine::SectionsPlain => true,
            Engine::Threads | Engine::Tickets | Engine::Alone => false,
        }
    }
}

include!(concat!(env!("OUT_DIR"), "/defects.rs"));

/// The place of the defect that is on, counted from 1; 0 for none.
static ON: AtomicUsize = AtomicUsize::new(0);

/// True if this defect is on. The edits call it.
pub fn is_on(id: &str) -> bool {
    let on = ON.load(Ordering::Relaxed);
    on > 0 && DEFECTS.get(on - 1).is_some_and(|defect| defect.id == id)
}

impl Defect {
    /// Plays the scenario on the copy of this engine, with this defect alone.
    pub fn play(&self, engine: Engine, scenario: &Scenario) -> Observed {
        self.alone(|| on_copy(engine, scenario))
    }

    /// Explores every client of up to this number of calls, with this defect alone.
    ///
    /// # Errors
    ///
    /// The first difference from the specification.
    pub fn explore(&self, calls: usize, key: Key) -> Result<Explored, Difference> {
        self.alone(|| clients::explore(calls, key, sections::lockstep::play))
    }

    fn alone<R>(&self, play: impl FnOnce() -> R) -> R {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let place = DEFECTS.iter().position(|defect| defect.id == self.id).expect("it is planted");
        ON.store(place + 1, Ordering::Relaxed);
        let played = play();
        ON.store(0, Ordering::Relaxed);
        played
    }
}

fn on_copy(engine: Engine, scenario: &Scenario) -> Observed {
    let on_shuttle = |schedules| under(schedules, || shuttle::player::play(scenario));
    let play: Play = match engine {
        Engine::LoomMutex => loom_mutex::player::play,
        Engine::LoomAtomic => loom_atomic::player::play,
        Engine::LoomBounded => |scenario| within(PREEMPTIONS, || loom_mutex::player::play(scenario)),
        Engine::LoomFutex => loom_futex::player::play,
        Engine::LoomFutexBounded => {
            |scenario| on_futex::within(PREEMPTIONS_ON_FUTEX, || loom_futex::player::play(scenario))
        }
        Engine::ShuttleEvery => return on_shuttle(Schedules::Every),
        Engine::ShuttleRandom => return on_shuttle(Schedules::Random),
        Engine::ShuttlePct => return on_shuttle(Schedules::Pct),
        Engine::Sections => sections::player::play,
        Engine::SectionsPlain => |scenario| plainly(|| sections::player::play(scenario)),
        Engine::Threads => threads::player::play,
        Engine::Tickets => |scenario| timed::play_by(scenario, threads::player::perform),
        Engine::Alone => |scenario| sequentially(|| threads::player::play(scenario)),
    };
    play(scenario)
}
