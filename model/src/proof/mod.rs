//! Proves, before any scenario is played, that the protocol is right for any number of threads and callbacks, and that
//! the queue is for any length.

pub mod counterexample;
pub mod cross_check;
pub mod obligations;
mod play;
pub mod queue;
pub mod solver;
pub mod tie;
pub mod walks;
pub mod why3;
