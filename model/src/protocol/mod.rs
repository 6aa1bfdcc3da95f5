//! The transition system between the specification and the code, and each execution held against it.

pub mod conformance;
pub mod describe;
pub mod model;
pub mod phase;
pub mod properties;
