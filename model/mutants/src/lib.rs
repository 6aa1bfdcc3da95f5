//! Mutation testing: copies of the audited files, each with one seeded bug, which the checks must notice.
//!
//! The tables of bugs are in `bugs/`, one file for each layer; [`table`] explains their fields. The build plants the
//! bugs that scenarios can see in copies of the files that the engines compile. A bug with `run` is planted in a copy
//! of the project, where that command of cargo must fail; so is a bug of a file that no engine compiles, with the
//! suites for its place. An edit must match exactly once.
#![forbid(unsafe_code)]
#![allow(missing_docs)]

pub mod guard;
pub mod slot;

pub use whendone_model::project::table;

use whendone_model::engines::Play;
use whendone_model::engines::sections::clients::LockStep;

/// Returns the claim that begins like this and does not hold, with the path to a state where it does not.
pub type Explored = fn(&str) -> Option<(&'static str, Vec<String>)>;

include!(concat!(env!("OUT_DIR"), "/mutants.rs"));
