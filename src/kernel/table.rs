//! The effect of every event in every phase, as data. A test walks it on a real cell.

use self::{Answer::*, Event::*, Phase::*};

/// The phases of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Not completed: callbacks wait and can be removed.
    Pending,
    /// Completed, and one thread holds the [`Drain`](super::Drain) token ([P8]).
    ///
    /// [P8]: super#properties
    Draining,
    /// Completed, the queue is empty and nobody drains ([P19]).
    ///
    /// [P19]: super#properties
    Settled,
}

/// The events of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// [`Cell::add`](super::Cell::add)
    Add,
    /// [`Cell::add_late`](super::Cell::add_late)
    AddLate,
    /// [`Cell::add_waiting`](super::Cell::add_waiting)
    AddWaiting,
    /// [`Cell::replace`](super::Cell::replace) of a callback that waits
    Replace,
    /// [`Cell::remove`](super::Cell::remove) of a callback that waits
    Remove,
    /// [`Cell::remove_all`](super::Cell::remove_all) of a tag that waits
    RemoveAll,
    /// [`Cell::complete`](super::Cell::complete)
    Complete,
    /// The drainer looks into the queue and finds callbacks.
    FindSome,
    /// The drainer looks into the queue and finds none.
    FindNone,
}

/// The answers to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Admitted: the callback waits, and its completer or current drainer will hand it over.
    Waits,
    /// The caller owes the drain.
    YouDrain,
    /// Taken out of the queue and given to the caller.
    TakenOut,
    /// Refused: nothing happened, and the argument is given back.
    Refused,
    /// The drain goes on with a new batch.
    GoesOn,
    /// The drain is over.
    Ends,
}

/// One row: in this phase, this event has this answer and leads to this next phase.
pub type Transition = (Phase, Event, Answer, Phase);

/// Every phase and event, refusals included. Only a drainer looks into the queue, so
/// [`Event::FindSome`] and [`Event::FindNone`] have rows only in [`Phase::Draining`].
#[rustfmt::skip]
pub const TRANSITIONS: [Transition; 23] = [
    (Pending,  Add,        Waits,    Pending),
    (Pending,  AddLate,    Refused,  Pending),
    (Pending,  AddWaiting, Waits,    Pending),
    (Pending,  Replace,    TakenOut, Pending),
    (Pending,  Remove,     TakenOut, Pending),
    (Pending,  RemoveAll,  TakenOut, Pending),
    (Pending,  Complete,   YouDrain, Draining),

    (Draining, Add,        Waits,    Draining),
    (Draining, AddLate,    Refused,  Draining),
    (Draining, AddWaiting, Refused,  Draining),
    (Draining, Replace,    Refused,  Draining),
    (Draining, Remove,     Refused,  Draining),
    (Draining, RemoveAll,  Refused,  Draining),
    (Draining, Complete,   Refused,  Draining),
    (Draining, FindSome,   GoesOn,   Draining),
    (Draining, FindNone,   Ends,     Settled),

    (Settled,  Add,        YouDrain, Draining),
    (Settled,  AddLate,    YouDrain, Draining),
    (Settled,  AddWaiting, Refused,  Settled),
    (Settled,  Replace,    Refused,  Settled),
    (Settled,  Remove,     Refused,  Settled),
    (Settled,  RemoveAll,  Refused,  Settled),
    (Settled,  Complete,   Refused,  Settled),
];
