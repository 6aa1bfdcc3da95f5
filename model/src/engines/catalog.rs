//! The engines by name: what each plays, and which observations it must show. A new engine is added here.

use crate::engines::loom::explore::within;
use crate::engines::shuttle::explore::{Schedules, under};
use crate::engines::threads::{engine::player as on_threads, explore::sequentially, timed};
use crate::engines::{self, Observed};
use crate::scenario::{Scenario, Scheduler};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// An engine by name, and what its observations must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// loom with a mutex for the write-once cell: equal to what is allowed.
    LoomMutex,
    /// loom with an atomic for it: contained in what is allowed, and what is missing is pinned.
    LoomAtomic,
    /// loom with a mutex for it and at most [`PREEMPTIONS`]: contained.
    LoomBounded,
    /// Every schedule under shuttle: equal.
    ShuttleEvery,
    /// A random sample of schedules under shuttle: contained.
    ShuttleRandom,
    /// A sample of schedules with few preemptions under shuttle: contained.
    ShuttlePct,
    /// Real threads on std: contained.
    Threads,
    /// Real threads on std, with tickets: explained, each execution by itself.
    Tickets,
    /// One thread after the other on std: contained.
    Alone,
}

/// How often a thread of [`Engine::LoomBounded`] is interrupted in an execution, at the most.
pub const PREEMPTIONS: usize = 2;

impl Engine {
    pub const ALL: [Engine; 9] = [
        Engine::LoomMutex,
        Engine::LoomAtomic,
        Engine::LoomBounded,
        Engine::ShuttleEvery,
        Engine::ShuttleRandom,
        Engine::ShuttlePct,
        Engine::Threads,
        Engine::Tickets,
        Engine::Alone,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Engine::LoomMutex => "loom-mutex",
            Engine::LoomAtomic => "loom-atomic",
            Engine::LoomBounded => "loom-bounded",
            Engine::ShuttleEvery => "shuttle-every",
            Engine::ShuttleRandom => "shuttle-random",
            Engine::ShuttlePct => "shuttle-pct",
            Engine::Threads => "threads",
            Engine::Tickets => "tickets",
            Engine::Alone => "alone",
        }
    }

    pub fn describe(self) -> &'static str {
        match self {
            Engine::LoomMutex => "loom, outcome behind a mutex",
            Engine::LoomAtomic => "loom, outcome behind an atomic",
            Engine::LoomBounded => "loom, outcome behind a mutex, few preemptions",
            Engine::ShuttleEvery => "shuttle, every schedule",
            Engine::ShuttleRandom => "shuttle, random schedules",
            Engine::ShuttlePct => "shuttle, few preemptions at random (PCT)",
            Engine::Threads => "real threads",
            Engine::Tickets => "real threads, with tickets",
            Engine::Alone => "one thread after the other",
        }
    }

    pub fn play(self) -> engines::Play {
        match self {
            Engine::LoomMutex => engines::loom::mutex::on_loop::player_on_loop::play,
            Engine::LoomAtomic => engines::loom::atomic::on_loop::player_on_loop::play,
            Engine::LoomBounded => |scenario| within(PREEMPTIONS, || (Engine::LoomMutex.play())(scenario)),
            Engine::ShuttleEvery => |scenario| on_shuttle(Schedules::Every, scenario),
            Engine::ShuttleRandom => |scenario| on_shuttle(Schedules::Random, scenario),
            Engine::ShuttlePct => |scenario| on_shuttle(Schedules::Pct, scenario),
            Engine::Threads => on_threads::play,
            Engine::Tickets => timed::play,
            Engine::Alone => |scenario| sequentially(|| on_threads::play(scenario)),
        }
    }

    /// True if every allowed observation must be seen.
    pub fn is_complete(self) -> bool {
        matches!(self, Engine::LoomMutex | Engine::ShuttleEvery)
    }

    /// Why it cannot play this scenario, and who can.
    pub fn objection(self, scenario: &Scenario) -> Option<String> {
        let (name, threads) = (self.name(), scenario.threads.len());
        let others = |able: &str| format!("{name} plays {able}, and this scenario has {threads}");
        let is_loom = matches!(self, Engine::LoomMutex | Engine::LoomAtomic | Engine::LoomBounded);
        let is_shuttle = matches!(self, Engine::ShuttleEvery | Engine::ShuttleRandom | Engine::ShuttlePct);
        let is_plain = !scenario.has_programs() && scenario.resolved().tasks == 1;
        let runs = matches!(scenario.scheduler, None | Some(Scheduler::Inline | Scheduler::Queue));
        match threads {
            _ if self == Engine::Tickets && !(is_plain && runs) => {
                let able = "one task, whose scheduler runs callbacks, and they do nothing";
                Some(format!("{name} plays {able}: play it with --engine threads"))
            }
            _ if scenario.script().is_some() && !is_loom => {
                let who = "loom-mutex, loom-atomic or loom-bounded";
                Some(format!("{name} has no event loop: play it with --engine {who}"))
            }
            _ if is_shuttle && scenario.scheduler == Some(Scheduler::Panic) => {
                let why = "takes a lock that is locked amid a panic for poisoned, and @panic panics";
                Some(format!("{name} {why}: play it with --engine loom-mutex or threads"))
            }
            5.. if is_loom && scenario.script().is_some() => Some(others("at most 4 threads")),
            5.. if is_loom => {
                let who = others("at most 4 threads");
                Some(format!("{who}: play it with --engine shuttle-random, shuttle-pct or threads"))
            }
            0 | 1 if self == Engine::ShuttlePct => {
                Some(format!("{}: play it with --engine alone", others("2 threads at least")))
            }
            _ => None,
        }
    }

    pub fn observe(self, scenario: &Scenario) -> Observed {
        match self.objection(scenario) {
            Some(objection) => {
                Observed { broken: [(format!("harness: {objection}"), 1)].into(), ..Observed::default() }
            }
            None => (self.play())(scenario),
        }
    }
}

/// Plays it with these schedules.
pub fn on_shuttle(schedules: Schedules, scenario: &Scenario) -> Observed {
    under(schedules, || engines::shuttle::engine::player::play(scenario))
}

impl FromStr for Engine {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let names: Vec<&str> = Engine::ALL.into_iter().map(Engine::name).collect();
        let known = Engine::ALL.into_iter().find(|engine| engine.name() == name);
        known.ok_or_else(|| format!("there is no engine `{name}`, only {}", names.join(", ")))
    }
}
