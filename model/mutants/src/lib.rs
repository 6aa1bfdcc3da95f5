//! Seeded bugs: the audited files again and again, each time with one of them in it.
//!
//! The table is `mutants.toml`. The build plants those that scenarios can see in copies of the files
//! that the engines compile; the others are run on a copy of the project.
#![forbid(unsafe_code)]
#![allow(missing_docs)]

pub mod table;

use whendone_model::engines::Engine;

include!(concat!(env!("OUT_DIR"), "/mutants.rs"));
