//! The parts of the model that need no engine, compiled by themselves for the generated mutants.
#![forbid(unsafe_code)]
#![allow(dead_code, reason = "the other parts use some functions")]

// The files of the protocol call it by its name.
extern crate self as whendone_model;

#[path = "../src/check"]
pub mod check {
    pub mod fault;
    mod verdict;
    pub use verdict::{Verdict, check, check_against};
}
#[path = "../src/engines"]
pub mod engines {
    mod observed;
    pub mod record;
    pub use observed::{Extent, Observed};
}
#[path = "../src/observation/mod.rs"]
pub mod observation;
#[path = "../src/protocol/mod.rs"]
pub mod protocol;
#[path = "../src/scenario/mod.rs"]
pub mod scenario;
#[path = "../src/spec/mod.rs"]
pub mod spec;
#[path = "../src/universe/mod.rs"]
pub mod universe;
