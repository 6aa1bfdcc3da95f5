//! The list of peers, and the scenarios that each of them can do.

use super::awaits::awaits;
use super::floors::floors;
use super::meter::Meter;
use super::peers::core::{Core, Dropped};
use super::peers::event_listener::Listened;
use super::peers::futures_shared::{FuturesShared, Pool};
use super::peers::mutex_vec::MutexVec;
use super::peers::mutex_vec_queue::MutexVecQueue;
use super::peers::plain::{PlainSlots, PlainVec, Stored};
use super::peers::tokio::{Cancelled, CurrentThread, Joined, Notified};
use super::peers::treiber::Treiber;
use super::peers::whendone::{Inline, Looped};
use super::removals::removals;
use super::rows::{Row, Scenario};
use super::scenarios::{callbacks, printing, reading};
use super::threads::threads;
use super::within::{executing, within};

/// Plays a scenario of this size.
pub type Play = fn(&mut Meter, u64);

/// Related scenarios: how a peer plays one, if it is among them.
pub type Group = fn(Scenario) -> Option<Play>;

/// A peer by its name, with the scenarios that it can do.
pub struct Entry {
    pub name: &'static str,
    /// True if a task takes no more than one callback.
    pub only_one: bool,
    groups: &'static [Group],
}

impl Entry {
    pub const fn new(name: &'static str, groups: &'static [Group]) -> Self {
        Entry { name, only_one: false, groups }
    }

    /// True for whendone itself.
    pub fn is_ours(&self) -> bool {
        self.name.starts_with("whendone")
    }
}

impl Row {
    /// Returns how this peer plays the scenario, if it can.
    pub fn of(self, peer: &Entry) -> Option<Play> {
        let more = self.n > 1 || matches!(self.scenario, Scenario::S2 | Scenario::S7);
        let play = peer.groups.iter().find_map(|group| group(self.scenario));
        play.filter(|_| !(more && peer.only_one))
    }

    /// True if counting the instructions takes too long: large rows of loops, and of a peer that searches.
    pub fn takes_too_long(self, peer: &Entry) -> bool {
        let searches = peer.name == YARDSTICK && self.scenario > Scenario::S3;
        let quick = ["whendone", "plain", "mutex", "treiber"].iter().any(|name| peer.name.starts_with(name));
        self.n > 1024 && (searches || !quick)
    }
}

/// The peer with which the others are compared: the obvious solution without a library.
pub const YARDSTICK: &str = "mutex-vec";

/// All peers, the yardstick first.
pub static PEERS: [Entry; 17] = [
    Entry::new(YARDSTICK, &[callbacks::<MutexVec>, removals::<MutexVec>, threads::<MutexVec>]),
    Entry::new("mutex-vec-queue", &[within::<MutexVecQueue>, threads::<MutexVecQueue>]),
    Entry::new("plain-vec", &[callbacks::<PlainVec>, removals::<PlainVec>]),
    Entry::new("plain-slots", &[callbacks::<PlainSlots>, removals::<PlainSlots>]),
    Entry::new("treiber-stack", &[callbacks::<Treiber>, threads::<Treiber>]),
    Entry::new(
        "whendone-core",
        &[callbacks::<CopyCore>, removals::<CopyCore>, threads::<CopyCore>, reading::<CopyCore>],
    ),
    Entry::new("whendone-core-drop", &[callbacks::<DropCore>, removals::<DropCore>]),
    Entry::new(
        "whendone-task",
        &[
            callbacks::<Inline>,
            removals::<Inline>,
            threads::<Inline>,
            reading::<Inline>,
            printing::<Inline>,
            awaits::<Inline>,
        ],
    ),
    Entry::new("whendone-loop", &[within::<Looped>, threads::<Looped>, executing::<Looped>]),
    Entry::new(
        "futures-shared",
        &[callbacks::<FuturesShared>, removals::<FuturesShared>, threads::<FuturesShared>, awaits::<FuturesShared>],
    ),
    Entry::new("futures-local-pool", &[executing::<Pool>]),
    Entry::new("tokio-notify", &[callbacks::<Notified>, removals::<Notified>, threads::<Notified>, awaits::<Notified>]),
    Entry::new("tokio-cancellation", &[callbacks::<Cancelled>, removals::<Cancelled>, threads::<Cancelled>]),
    Entry { only_one: true, ..Entry::new("tokio-join-handle", &[callbacks::<Joined>, threads::<Joined>]) },
    Entry::new("tokio-runtime", &[executing::<CurrentThread>]),
    Entry::new("event-listener", &[callbacks::<Listened>, removals::<Listened>, threads::<Listened>]),
    Entry::new(FLOOR, &[floors]),
];

/// The parts of which operations consist, as a peer.
pub const FLOOR: &str = "floor";

type CopyCore = Core<Stored>;
type DropCore = Core<Dropped>;

/// Finds the peer with this name.
pub fn find(name: &str) -> Option<&'static Entry> {
    PEERS.iter().find(|peer| peer.name == name)
}
