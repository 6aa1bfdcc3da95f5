//! The facade of the one-shot: locks, threads and the clock. A test under loom has its own in their place.

pub(crate) use std::sync::{Arc, Mutex, MutexGuard};
pub(crate) use std::thread;
pub(crate) use std::time::Instant;
