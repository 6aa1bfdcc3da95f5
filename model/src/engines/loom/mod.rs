//! The engine loom: every interleaving of a scenario, with a mutex or an atomic in the place of the write-once cell.

pub mod arc;
pub mod atomic;
pub mod channel;
pub mod explore;
pub mod mutex;
pub mod sync;
