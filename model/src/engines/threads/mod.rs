//! On std, with this machine's own threads: all at once, one after the other, or with each call timestamped.

pub mod engine;
pub mod explore;
pub mod sync;
pub mod timed;
