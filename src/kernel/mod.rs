//! The verified core: the state of one task, the queue of its callbacks, and the duty to hand them over.
//!
//! Follow one callback. It is admitted by [`Cell::add`] (in `cell.rs`), waits in the queue
//! (`queue.rs`), and is handed over by the holder of the [`Drain`] token (`drain.rs`). The effect of
//! every transition in every phase is written down once, as data: [`TRANSITIONS`].
//!
//! # Specification
//!
//! The sequential meaning of a [`Cell`]. Clients cannot tell the concurrent core from this page.
//!
//! ```text
//! state      Pending { waiting: [(id, tag)] }  |  Done { outcome }
//! scheduled  [id]        append-only: the order in which callbacks are handed over
//!
//! add(id, tag)      Pending: append to waiting            Done: append to scheduled
//! add_late(id)      if phase() is Settled: as add; otherwise refused, nothing happens
//! remove(id)        Pending: take it out, say whether it was there          Done: false, nothing happens
//! remove_all(tag)   Pending: take out every one with that tag               Done: none, nothing happens
//! add_waiting(id)   Pending: append to waiting            Done: refused, given back
//! replace(id)       Pending: swap the stored value if it is there           Done: refused, given back
//! complete(v)       Pending: state = Done(v), append all of waiting to scheduled, true     Done: false, v goes back
//! outcome()         none while Pending, then always the same
//! phase()           Pending while Pending; once Done: Settled if all of scheduled was handed over, else Draining
//! serial()          the number that new was given
//! into_outcome()    as outcome(), by value; the last call on a cell: what is in waiting is dropped, not scheduled
//! ```
//!
//! Completion is the point of no return: a removal that succeeds means *it will never run*; once the
//! cell is done, nothing can be removed, and every callback is handed over exactly once, in the
//! order of `scheduled`, also when late adds race with the hand-over of earlier ones.
//!
//! # Protocol
//!
//! ```text
//!              complete                    the drainer finds the queue empty
//!   Pending ---------------> Draining ------------------------------------> Settled
//!   add, remove, replace     add: append, the drainer will find it             |
//!                               ^                                              |
//!                               +------------ add: this caller drains ---------+
//! ```
//!
//! One lock guards phase and queue; the outcome is in a write-once cell beside it. Leaving
//! `Pending` publishes the outcome and takes the whole queue in one lock section. A transition
//! never drains by itself: it returns a [`Drain`] token, and the token is spent by
//! [`Cell::drain`]: it hands over the batch in order, and locks; an empty queue makes the cell
//! `Settled` in that same lock section, otherwise it takes the queue and goes on. So the hand-over of
//! one cell is serial, first in first out, and never nested. [`Cell::add_late`] is the transition from `Settled`, the
//! hand-over and the drain in one, for a callback that its caller keeps.
//!
//! # Properties
//!
//! * P1 exactly one completion succeeds; the others get their value back untouched.
//! * P2 every answer that shows completion comes when the final outcome can be read.
//! * P3 a read that happens after an answer that says done never says pending.
//! * P4, P5 each registration that is not removed is handed over exactly once.
//! * P6 nothing is handed over before completion.
//! * P7 hand-over follows the order of the adds, late adds included.
//! * P8 hand-overs of one cell never overlap and never nest.
//! * P9, P10 a removal succeeds only if the callback waited and now never runs; a stale or foreign
//!   id touches nothing.
//! * P11 a late add is handed over after all earlier ones.
//! * P12, P13 no user code runs under the lock: not a call, not a drop, not a comparison.
//! * P14 a hand-over that unwinds loses no other callback and never leaves `Draining` behind.
//! * P15 every stored callback and outcome is dropped exactly once, outside the lock.
//! * P18, P19 every lock section ends; with finitely many adds the drain ends, and `Settled` means
//!   that the queue is empty and nobody drains.
//! * P20 the buffer holds at most twice the live callbacks plus a constant.
//!
//! There are no atomics and no memory orderings here. The lock orders every answer except one: a
//! *pending* answer of [`Cell::outcome`] is bounded only by happens-before.
//!
//! # Vendoring
//!
//! Copy this folder and put a module `sync` beside it, with `Mutex::{new, lock}` (the guard derefs,
//! no poisoning shows) and `OnceLock::{new, get, set, into_inner}`. Nothing else is needed but `alloc`. The
//! folder compiles in a crate of edition 2018, and with Rust 1.71.
//!
//! # Rejected
//!
//! * A lock-free stack: 1.3 times faster with at most one callback, slower with more; last in first
//!   out until reversed; every pair of add and remove leaks a node until completion; its models with
//!   three threads cannot be explored to the end.
//! * Dispatching under the lock: callers' code would run inside it (P13).
//! * A terminal `Done` in which late adders dispatch for themselves: two of them dispatch the same
//!   task at once (P8), and overtake earlier callbacks (P7).
//! * A removal that waits for a running callback: it deadlocks inside that callback.

extern crate alloc;

mod cell;
mod drain;
mod queue;
mod table;

pub use cell::{Added, CallbackId, Cell, Snapshot, UNTAGGED};
pub use drain::Drain;
pub use queue::Batch;
pub use table::{Answer, Event, Phase, TRANSITIONS, Transition};
