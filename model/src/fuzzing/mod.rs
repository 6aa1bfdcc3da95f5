//! The source of scenarios from bytes: one file for each fuzz target, which decodes a scenario and checks it.

pub mod bytes;
pub mod queue;
pub mod scenario;
pub mod schedule;
pub mod text;
pub mod threads;
