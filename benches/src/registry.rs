//! The list of peers, and the scenarios that each of them can do.

use super::meter::Meter;
use super::peers::{
    Peer, Reads, Removes, Threads, event_listener, futures_shared, mutex_vec, plain, tokio, treiber, whendone,
};
use super::scenarios::{self, Row, Scenario};
use super::threads;

/// A peer by its name, with the scenarios that it can do.
pub struct Entry {
    pub name: &'static str,
    /// True if a task takes no more than one callback.
    pub only_one: bool,
    pub lives: fn(&mut Meter, u64),
    pub adds: fn(&mut Meter, u64),
    pub completes: fn(&mut Meter, u64),
    pub late: Option<fn(&mut Meter, u64)>,
    pub reads: Option<fn(&mut Meter, u64)>,
    pub removals: Option<scenarios::Removals>,
    pub threads: Option<threads::Two>,
}

impl Entry {
    pub const fn of<P: Peer>(name: &'static str) -> Self {
        let (lives, late) = (scenarios::lives::<P>, Some(scenarios::late::<P> as fn(&mut Meter, u64)));
        let (adds, completes) = (scenarios::adds::<P>, scenarios::completes::<P>);
        Entry { name, only_one: false, lives, adds, completes, late, reads: None, removals: None, threads: None }
    }

    pub const fn removes<P: Removes>(self) -> Self {
        Entry { removals: Some(scenarios::Removals::of::<P>()), ..self }
    }

    const fn reads<P: Reads>(self) -> Self {
        Entry { reads: Some(scenarios::reads::<P>), ..self }
    }

    const fn threads<P: Threads>(self) -> Self {
        Entry { threads: Some(threads::Two::of::<P>()), ..self }
    }

    const fn takes_one(self) -> Self {
        Entry { only_one: true, late: None, ..self }
    }
}

impl Row {
    /// Returns how this peer plays the scenario, if it can.
    pub fn of(self, peer: &Entry) -> Option<fn(&mut Meter, u64)> {
        match self.scenario {
            Scenario::S1 | Scenario::S5 => (self.n <= 1 || !peer.only_one).then_some(peer.lives),
            Scenario::S2 => peer.late,
            Scenario::S3 => peer.removals.as_ref().map(|removals| removals.pairs),
            Scenario::S4 => peer.removals.as_ref().map(|removals| removals.shuffled),
            Scenario::S4Remove => peer.removals.as_ref().map(|removals| removals.alone),
            Scenario::S4First => peer.removals.as_ref().map(|removals| removals.first),
            Scenario::S4Compact => peer.removals.as_ref().map(|removals| removals.compacted),
            Scenario::Add | Scenario::Complete => (self.n <= 1 || !peer.only_one).then_some(match self.scenario {
                Scenario::Add => peer.adds,
                _ => peer.completes,
            }),
            Scenario::Read => peer.reads,
            Scenario::S6 => peer.threads.as_ref().map(|two| two.race),
            Scenario::S7 => peer.threads.as_ref().filter(|_| !peer.only_one).map(|two| two.add),
        }
    }

    /// True if there are too many instructions to count: large rows of loops, and of a peer that searches.
    pub fn takes_too_long(self, peer: &Entry) -> bool {
        let searches = peer.name == "mutex-vec" && self.scenario > Scenario::S3;
        let quick = ["whendone", "plain", "mutex", "treiber"].iter().any(|name| peer.name.starts_with(name));
        self.n > 1024 && (searches || !quick)
    }
}

/// The peer that the others are compared with.
pub const YARDSTICK: &str = "plain-vec";

/// All peers, the yardstick first.
pub static PEERS: [Entry; 12] = [
    Entry::of::<plain::PlainVec>(YARDSTICK).removes::<plain::PlainVec>(),
    Entry::of::<plain::PlainSlots>("plain-slots").removes::<plain::PlainSlots>(),
    Entry::of::<mutex_vec::MutexVec>("mutex-vec").removes::<mutex_vec::MutexVec>().threads::<mutex_vec::MutexVec>(),
    Entry::of::<treiber::Treiber>("treiber-stack").threads::<treiber::Treiber>(),
    Entry::of::<whendone::Core>("whendone-core")
        .removes::<whendone::Core>()
        .threads::<whendone::Core>()
        .reads::<whendone::Core>(),
    Entry::of::<whendone::Inline>("whendone-task")
        .removes::<whendone::Inline>()
        .threads::<whendone::Inline>()
        .reads::<whendone::Inline>(),
    Entry::of::<whendone::Looped>("whendone-loop")
        .removes::<whendone::Looped>()
        .threads::<whendone::Looped>()
        .reads::<whendone::Looped>(),
    Entry::of::<futures_shared::FuturesShared>("futures-shared")
        .removes::<futures_shared::FuturesShared>()
        .threads::<futures_shared::FuturesShared>(),
    Entry::of::<tokio::Notified>("tokio-notify").removes::<tokio::Notified>().threads::<tokio::Notified>(),
    Entry::of::<tokio::Cancelled>("tokio-cancellation").removes::<tokio::Cancelled>().threads::<tokio::Cancelled>(),
    Entry::of::<tokio::Joined>("tokio-join-handle").takes_one().threads::<tokio::Joined>(),
    Entry::of::<event_listener::Listened>("event-listener")
        .removes::<event_listener::Listened>()
        .threads::<event_listener::Listened>(),
];

/// Finds the peer with this name.
pub fn find(name: &str) -> Option<&'static Entry> {
    PEERS.iter().find(|peer| peer.name == name)
}
