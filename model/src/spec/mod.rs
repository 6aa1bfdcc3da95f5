//! What a scenario may show: the cell, the interleavings of its operations, the event loop.

pub mod allowed;
pub mod cell;
pub mod event_loop;
pub mod interleavings;
pub mod linearizability;
