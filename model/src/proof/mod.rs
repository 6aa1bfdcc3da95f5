//! Proves, before any scenario is played, that the protocol is right for any number of threads and callbacks.

pub mod counterexample;
pub mod cross_check;
pub mod obligations;
pub mod solver;
