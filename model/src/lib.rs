//! How whendone is checked: one specification, one scenario language, one check, several engines.
//!
//! The folders in the order in which a scenario meets them. Each imports only folders above it, and [`project`].
//!
//! * [`scenario`]: a small concurrent program as data and as a line of text, a litmus test.
//! * [`observation`]: the client's view of an execution, its events, and the history of timestamped calls.
//! * [`universe`]: the closed world, all scenarios up to a size, and samples of larger ones.
//! * [`spec`]: the specification, from which the allowed observations of a scenario are computed.
//! * [`protocol`]: the transition system between specification and code; model checking and conformance.
//! * [`engines`]: coroutines, loom, shuttle and real threads, which run a scenario on the shipped files and record it.
//! * [`proof`]: the proofs of the protocol for any number of threads and callbacks and of the queue for any length.
//! * [`check`]: the comparison of observed with allowed, the classes of failures, and the tools' blind spots.
//! * [`counterexample`]: a failing execution, made as small as possible, drawn, with the token that replays it.
//! * [`fuzzing`]: the fuzz targets, and random programs on real threads.
//! * [`runner`]: `cargo verify` as a run, from the plan over the pool of workers to the report and the baseline.
//! * `bin/verify`: the command line.
//!
//! [`soundness`] looks at all of it from outside: the tables of `SOUNDNESS.md`.
//!
//! [`project`] stands apart: the project's files as data, with their digest, copies of the tree, vendored cores. So does
//! [`vendoring`]: the core laid down in another crate, and the check of the facade that a vendor writes.
#![forbid(unsafe_code)]
#![warn(clippy::too_many_lines)]

// The files that are compiled once for each engine call this crate by its name, as the seeded bugs do.
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
pub mod soundness;
pub mod spec;
pub mod universe;
pub mod vendoring;
