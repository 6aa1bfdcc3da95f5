//! The transition system between specification and code: it refines the page, and each execution of a scenario is
//! checked for conformance with it.

pub mod conformance;
pub mod describe;
pub mod model;
pub mod phase;
pub mod properties;
