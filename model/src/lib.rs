//! How whendone is checked: one specification, one scenario language, one check, several engines.
//!
//! A [`scenario`] is a small concurrent program. The specification, [`spec`], says what it may show,
//! [`allowed`]. An engine, [`engines`], plays it on the real core and says what it showed,
//! [`observation`]. The one check, [`judge`], holds the two against each other. Which scenarios there
//! are is not a matter of taste: [`universe`].
#![forbid(unsafe_code)]

// The files that are included once for each engine name this crate as others do.
extern crate self as whendone_model;

pub mod allowed;
pub mod blind_spots;
pub mod canary;
pub mod chosen;
pub mod claims;
pub mod concurrent;
pub mod core_files;
pub mod countermodel;
pub mod crew;
pub mod crowd;
pub mod decode;
pub mod display;
pub mod engines;
pub mod exhibit;
pub mod explain;
pub mod facts;
pub mod fault;
pub mod history;
pub mod journal;
pub mod judge;
pub mod ledger;
pub mod loop_spec;
pub mod loop_universe;
pub mod merge;
pub mod observation;
pub mod pinned;
pub mod plain_list;
pub mod plan;
pub mod proof;
pub mod protocol;
pub mod replay;
pub mod report;
pub mod round_trip;
pub mod scenario;
pub mod script;
pub mod seeded;
pub mod shrink;
pub mod solver;
pub mod spec;
pub mod text;
pub mod token;
pub mod trace;
pub mod tree;
pub mod universe;
pub mod vendored;
pub mod words;
