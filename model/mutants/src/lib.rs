//! Seeded bugs: the audited files again and again, each time with one of them in it.
//!
//! The table is `mutants.toml`. The build plants those that scenarios can see in copies of the files
//! that the engines compile; the others are run on a copy of the project.
#![forbid(unsafe_code)]
#![allow(missing_docs)]

pub mod table;

use whendone_model::engines::Play;

/// Which claim that begins like this does not hold, and the way to where it does not.
pub type Explored = fn(&str) -> Option<(&'static str, Vec<String>)>;

include!(concat!(env!("OUT_DIR"), "/mutants.rs"));
