//! The specification of a scenario: the exact set of observations that it may show.
//!
//! There are three specifications, to be read in this order: `cell`, the page of one task; `interleavings`, the task layer
//! and its schedulers; and `event_loop`, with the page `timers`. `allowed` enumerates the first two or the third, and `linearizability` searches
//! for one history. `explained` has the states of the first two beside an execution.

pub mod cell;
pub mod interleavings;
mod machine;

pub mod event_loop;
mod loop_state;
mod naps;
mod timers;

pub mod allowed;
pub mod explained;
pub mod linearizability;
