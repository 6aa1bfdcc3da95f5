//! The engine of real threads on std: all at once, one after the other, or with a timestamp on each call.

pub mod engine;
pub mod explore;
pub mod sync;
pub mod timed;
