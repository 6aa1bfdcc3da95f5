//! The protocol proven for any number of threads and callbacks, by two solvers.

pub mod counterexample;
pub mod cross_check;
pub mod obligations;
pub mod solver;
