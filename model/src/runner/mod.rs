//! Takes every planned scenario through the check, in a pool of workers, and reports the counts against the baseline.

pub mod audit;
pub mod baseline;
pub mod checkpoint;
pub mod clients;
pub mod count;
pub mod estimate;
pub mod evidence;
pub mod explore;
pub mod interrupt;
pub mod merge;
pub mod mutants;
pub mod own_table;
pub mod part;
pub mod plan;
pub mod report;
pub mod self_test;
pub mod shard;
pub mod table;
pub mod tally;
pub mod workers;
