//! Seeded bugs: the audited files again and again, each time with one of them in it.
//!
//! The table is `mutants.toml`; the build plants each bug in copies of the files.
#![forbid(unsafe_code)]
#![allow(missing_docs)]

use whendone_model::engines::Engine;

/// A seeded bug, ready to be played.
pub struct Mutant {
    pub id: &'static str,
    /// The property.
    pub breaks: &'static str,
    /// `outcome`, or the rule that only the harness sees.
    pub shown_by: &'static str,
    pub why: &'static str,
    pub play: Engine,
}

include!(concat!(env!("OUT_DIR"), "/mutants.rs"));
