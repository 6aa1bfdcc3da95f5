//! The record of one execution of a scenario: its events, the rules that are checked while it runs, and its timestamps.

pub mod monitor;
pub mod recorder;
pub mod tickets;
