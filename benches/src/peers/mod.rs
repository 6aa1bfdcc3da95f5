//! Who does the job: one trait, and each peer used as its own users would use it.

mod event_listener;
mod futures_shared;
mod mutex_vec;
mod plain;
mod tokio;
mod treiber;
mod whendone;

use super::check::Check;
use super::meter::Meter;
use super::{scenarios, threads};

/// Someone who runs callbacks when a task is done, with what it needs on one thread.
pub trait Peer {
    /// What those hold who add.
    type Task;
    /// What the one who completes holds.
    type Completer;
    /// Names one registration.
    type Id;
    /// Callbacks run in turns of a loop: completing only queues them.
    const HAS_LOOP: bool = false;
    /// What one thread adds runs in that order also when another adds or completes. Not so for
    /// futures: one that is polled before its task is done stands in line again behind those that are not.
    const ORDERED_AMONG_THREADS: bool = true;

    fn new() -> Self;
    fn task(&mut self) -> (Self::Completer, Self::Task);
    /// Late adds too.
    fn add(&mut self, task: &mut Self::Task, check: Check) -> Self::Id;
    /// Lets a registration stand.
    fn keep(id: Self::Id) {
        drop(id);
    }
    fn complete(completer: Self::Completer, task: &mut Self::Task, value: u64);
    /// The loop's turn.
    fn turn(&mut self) {}
    /// Lets an add or a removal take effect, where that needs a turn.
    fn settle(&mut self) {}
}

/// One that can take callbacks out.
pub trait Removes: Peer {
    fn remove(&mut self, task: &mut Self::Task, id: Self::Id);
}

/// One whose outcome can be read at any time.
pub trait Reads: Peer {
    fn read(task: &Self::Task) -> u64;
}

/// One that may be used by two threads at once.
pub trait Threads: Peer<Task: Clone + Send + Sync, Completer: Send> {}
impl<P: Peer<Task: Clone + Send + Sync, Completer: Send>> Threads for P {}

/// A peer by its name, and which scenarios it can do.
pub struct Entry {
    pub name: &'static str,
    /// Takes no more than one callback on a task.
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

/// The yardstick.
pub const YARDSTICK: &str = "plain-vec";

/// Everybody, the yardstick first.
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

/// The peer of this name.
pub fn find(name: &str) -> Option<&'static Entry> {
    PEERS.iter().find(|peer| peer.name == name)
}
