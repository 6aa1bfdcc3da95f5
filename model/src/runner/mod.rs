//! `cargo verify` as a run: the plan, the workers, what they found, and what is expected of it.

pub mod baseline;
pub mod checkpoint;
pub mod merge;
pub mod plan;
pub mod report;
pub mod self_test;
pub mod workers;
