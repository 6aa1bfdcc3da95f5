//! One file a fuzz target: bytes become a scenario, and the scenario is checked.

pub mod bytes;
pub mod queue;
pub mod scenario;
pub mod schedule;
pub mod text;
pub mod threads;
