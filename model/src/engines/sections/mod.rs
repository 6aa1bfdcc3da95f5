//! The engine of sections: every interleaving of a scenario, with coroutines for threads, in which a thread can be
//! interrupted only where another one could notice it: before a lock, an atomic, a hand-over.
//!
//! It explores what loom explores, many times faster, and with any number of threads; it has one memory order, the
//! sequentially consistent one. loom remains the engine for the others.

#[path = "../shared/channel.rs"]
pub mod channel;
pub mod clients;
pub mod engine;
pub mod estimate;
pub mod explore;
pub mod ledger;
pub mod machine;
pub mod places;
pub mod spread;
pub mod sync;
pub mod world;
