//! The record of one execution: its events, the rules that are checked as it runs, its timestamps.

pub mod monitor;
pub mod recorder;
pub mod tickets;
