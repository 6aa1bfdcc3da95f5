//! How whendone is checked: one specification, one scenario language, one check, several engines.
//!
//! The modules stand in the order in which a scenario meets them; each imports only earlier ones.
#![forbid(unsafe_code)]

// The files that are included once for each engine name this crate as others do.
extern crate self as whendone_model;

pub mod check;
pub mod counterexample;
pub mod engines;
pub mod fuzzing;
pub mod observation;
pub mod project;
pub mod proof;
pub mod protocol;
pub mod runner;
pub mod scenario;
pub mod spec;
pub mod universe;
