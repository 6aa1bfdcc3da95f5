//! The catalog of engines: the name of each, the scenarios that it can play, and the observations that it must show.
//!
//! A new engine needs a variant of [`Engine`], a place in [`Engine::ALL`], and an arm in each match of this file. No other
//! file lists the engines; `runner/plan.rs` names those that `cargo verify` itself plays on.

use crate::engines::futex::under_loom as on_futex;
use crate::engines::loom::explore::within;
use crate::engines::sections::explore::plainly;
use crate::engines::sections::spread::Spread;
use crate::engines::shuttle::explore::{Schedules, under};
use crate::engines::threads::{engine::player as on_threads, explore::sequentially, timed};
use crate::engines::{self, Observed, SPURIOUS};
use crate::scenario::{Scenario, Scheduler};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// An engine. Its observations must equal the allowed ones, or be contained in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// Every interleaving of lock sections, reads and hand-overs: equal.
    Sections,
    /// Every interleaving of these, without any reduction: equal.
    SectionsPlain,
    /// loom with a mutex for the write-once cell: equal.
    LoomMutex,
    /// loom with an atomic for the write-once cell: equal.
    LoomAtomic,
    /// loom with a mutex for the write-once cell and at most 2 preemptions in an execution: contained.
    LoomBounded,
    /// loom with std's own mutex and write-once cell on a futex, without spurious wake-ups and then with the first sleep on
    /// each word spurious; the kernel, 2 threads: equal.
    LoomFutex,
    /// loom with std's own locks, as before, and at most 3 preemptions in an execution: contained.
    LoomFutexBounded,
    /// Every schedule under shuttle: equal.
    ShuttleEvery,
    /// A random sample of schedules under shuttle: contained.
    ShuttleRandom,
    /// A sample of schedules with few preemptions under shuttle: contained.
    ShuttlePct,
    /// Real threads on std: contained.
    Threads,
    /// Real threads on std, with timestamps: the history of each execution is linearizable.
    Tickets,
    /// One thread after the other on std: contained.
    Alone,
}

/// The bound of [`Engine::LoomFutexBounded`] on the preemptions in an execution.
pub const PREEMPTIONS_ON_FUTEX: usize = 3;

/// The bound of [`Engine::LoomBounded`] on the preemptions in an execution.
pub const PREEMPTIONS: usize = 2;

impl Engine {
    pub const ALL: [Engine; 13] = [
        Engine::Sections,
        Engine::SectionsPlain,
        Engine::LoomMutex,
        Engine::LoomAtomic,
        Engine::LoomBounded,
        Engine::LoomFutex,
        Engine::LoomFutexBounded,
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
            Engine::LoomFutex => "loom-futex",
            Engine::LoomFutexBounded => "loom-futex-bounded",
            Engine::Sections => "sections",
            Engine::SectionsPlain => "sections-plain",
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
            Engine::LoomFutex => "loom, std's own locks on a futex",
            Engine::LoomFutexBounded => "loom, std's own locks on a futex, few preemptions",
            Engine::Sections => "sections on coroutines",
            Engine::SectionsPlain => "sections on coroutines, without reductions",
            Engine::ShuttleEvery => "shuttle, every schedule",
            Engine::ShuttleRandom => "shuttle, random schedules",
            Engine::ShuttlePct => "shuttle, few preemptions at random (PCT)",
            Engine::Threads => "real threads",
            Engine::Tickets => "real threads, with timestamps",
            Engine::Alone => "one thread after the other",
        }
    }

    pub fn play(self) -> engines::Play {
        match self {
            Engine::LoomMutex => engines::loom::mutex::on_loop::player_on_loop::play,
            Engine::LoomAtomic => engines::loom::atomic::on_loop::player_on_loop::play,
            Engine::LoomBounded => |scenario| within(PREEMPTIONS, || (Engine::LoomMutex.play())(scenario)),
            Engine::LoomFutex => engines::futex::engine::player::play,
            Engine::LoomFutexBounded => {
                |scenario| on_futex::within(PREEMPTIONS_ON_FUTEX, || (Engine::LoomFutex.play())(scenario))
            }
            Engine::Sections => engines::sections::engine::on_loop::player_on_loop::play,
            Engine::SectionsPlain => |scenario| plainly(|| (Engine::Sections.play())(scenario)),
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
        use Engine::{LoomAtomic, LoomFutex, LoomMutex, Sections, SectionsPlain, ShuttleEvery};
        matches!(self, LoomMutex | LoomAtomic | LoomFutex | Sections | SectionsPlain | ShuttleEvery)
    }

    /// True if the facade has std's own locks, and not those of a model checker.
    pub fn has_stds_locks(self) -> bool {
        matches!(self, Engine::LoomFutex | Engine::LoomFutexBounded)
    }

    /// The bound within which it explores, in words; none if it explores every execution.
    pub fn bound(self) -> Option<String> {
        match self {
            Engine::LoomBounded => Some(format!("at most {PREEMPTIONS} preemptions in an execution")),
            Engine::LoomFutex => Some(SPURIOUS.to_owned()),
            Engine::LoomFutexBounded => {
                Some(format!("at most {PREEMPTIONS_ON_FUTEX} preemptions in an execution, {SPURIOUS}"))
            }
            Engine::ShuttleRandom | Engine::ShuttlePct | Engine::Threads | Engine::Tickets => {
                Some("a sample of the executions".to_owned())
            }
            Engine::Alone => Some("one thread after the other".to_owned()),
            _ => None,
        }
    }

    /// The reason why this engine cannot play this scenario, and the engines that can.
    pub fn objection(self, scenario: &Scenario) -> Option<String> {
        self.objection_to_kind(scenario).or_else(|| self.objection_to_size(scenario))
    }

    /// The part that concerns schedulers and panics.
    fn objection_to_kind(self, scenario: &Scenario) -> Option<String> {
        let name = self.name();
        let is_sections = matches!(self, Engine::Sections | Engine::SectionsPlain);
        let is_shuttle = matches!(self, Engine::ShuttleEvery | Engine::ShuttleRandom | Engine::ShuttlePct);
        let is_on_one_thread = self.is_loom() || is_sections || self.has_stds_locks();
        let is_plain = !scenario.has_programs() && scenario.resolved().tasks == 1;
        let runs = matches!(scenario.scheduler, None | Some(Scheduler::Inline | Scheduler::Queue));
        match scenario.threads.len() {
            _ if self == Engine::Tickets && !(is_plain && runs) => {
                let able = "only one task whose scheduler runs callbacks without programs";
                Some(format!("{name} plays {able}: play it with --engine threads"))
            }
            _ if scenario.script().is_some() && !self.is_loom() && !is_sections => {
                let who = "sections, loom-mutex, loom-atomic or loom-bounded";
                Some(format!("{name} has no event loop: play it with --engine {who}"))
            }
            _ if is_shuttle && scenario.scheduler == Some(Scheduler::Panic) => {
                let why = "treats a lock taken during a panic as poisoned, and @panic panics";
                Some(format!("{name} {why}: play it with --engine loom-mutex or threads"))
            }
            _ if is_shuttle && scenario.unwinds() => {
                let why = "treats a lock taken during a panic as poisoned, and a thread panics";
                Some(format!("{name} {why}: play it with --engine threads"))
            }
            2.. if is_on_one_thread && scenario.unwinds() => {
                let why = "runs all threads on one of the system, and a thread panics beside others";
                Some(format!("{name} {why}: play it with --engine threads"))
            }
            _ => None,
        }
    }

    /// The part that concerns the number of threads, and the layer where it bounds that number.
    fn objection_to_size(self, scenario: &Scenario) -> Option<String> {
        let (name, threads) = (self.name(), scenario.threads.len());
        let others = |able: &str| format!("{name} plays {able}, and this scenario has {threads}");
        match threads {
            // Of three threads two could sleep on one word, and which of them a wake-up ends is not chosen.
            _ if self.has_stds_locks() && (scenario.scheduler.is_some() || threads > 2) => {
                let able = "only programs of the kernel, with at most 2 threads";
                let who = if threads > 4 { "sections" } else { "sections or loom-atomic" };
                Some(format!("{name} plays {able}: play it with --engine {who}"))
            }
            5.. if self.is_loom() && scenario.script().is_some() => {
                Some(format!("{}: play it with --engine sections", others("at most 4 threads")))
            }
            5.. if self.is_loom() => {
                let who = others("at most 4 threads");
                Some(format!("{who}: play it with --engine sections, shuttle-random, shuttle-pct or threads"))
            }
            0 | 1 if self == Engine::ShuttlePct => {
                Some(format!("{}: play it with --engine alone", others("at least 2 threads")))
            }
            _ => None,
        }
    }

    /// True if it is loom with loom's locks.
    fn is_loom(self) -> bool {
        matches!(self, Engine::LoomMutex | Engine::LoomAtomic | Engine::LoomBounded)
    }

    pub fn observe(self, scenario: &Scenario) -> Observed {
        match self.objection(scenario) {
            Some(objection) => {
                Observed { broken: [(format!("harness: {objection}"), 1)].into(), ..Observed::default() }
            }
            None => (self.play())(scenario),
        }
    }

    /// True if this engine can spread one program over threads of the system.
    pub fn can_spread(self) -> bool {
        matches!(self, Engine::Sections | Engine::SectionsPlain)
    }

    /// Observes like [`observe`](Self::observe), on this many threads of the system if the program is large.
    pub fn observe_on(self, scenario: &Scenario, workers: usize) -> Observed {
        match self.objection(scenario) {
            None if self.can_spread() => Spread::over(workers).play(self.play(), scenario),
            _ => self.observe(scenario),
        }
    }
}

/// Plays the scenario with these schedules.
pub fn on_shuttle(schedules: Schedules, scenario: &Scenario) -> Observed {
    under(schedules, || engines::shuttle::engine::player::play(scenario))
}

impl FromStr for Engine {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let names: Vec<&str> = Engine::ALL.into_iter().map(Engine::name).collect();
        let known = Engine::ALL.into_iter().find(|engine| engine.name() == name);
        known.ok_or_else(|| format!("no engine `{name}`: the engines are {}", names.join(", ")))
    }
}
