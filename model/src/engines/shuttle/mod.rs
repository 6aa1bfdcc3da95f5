//! The engine shuttle: every schedule of a small scenario, or a sample of the schedules of a larger one.

pub mod engine;
pub mod explore;
pub mod sync;
