//! The engine loom: every interleaving of a scenario, with a mutex or an atomic in the place of the write-once cell.

use ::loom as machine;

pub mod atomic;
#[path = "../shared/channel.rs"]
pub mod channel;
pub mod explore;
pub mod mutex;
pub mod sync;
