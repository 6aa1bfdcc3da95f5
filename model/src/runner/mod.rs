//! `cargo verify` as a run: the plan, the workers, what they found, and what is expected of it.

pub mod baseline;
pub mod checkpoint;
pub mod count;
pub mod explore;
pub mod merge;
pub mod plan;
pub mod report;
pub mod self_test;
pub mod table;
pub mod tally;
pub mod workers;
