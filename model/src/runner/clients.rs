//! The exploration of every client of the kernel, as a part of a run: by number of calls.

use crate::engines::sections::clients::{Difference, Explored, Key, explore, number};
use crate::engines::sections::engine::lockstep;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Instant;

/// The parts of the everyday run: the most calls of a client, and the key.
pub const EVERYDAY: [(u8, Key); 2] = [(4, Key::Operations), (6, Key::Places)];

/// All clients of up to some number of calls.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Clients {
    pub calls: u8,
    pub key: Key,
    /// The clients of exactly this number of calls, each call in a thread of its own, and in every split into threads.
    pub parallel: u64,
    pub splits: u64,
    pub states: usize,
    pub executions: u64,
    pub seconds: f64,
}

impl Clients {
    /// Explores all clients of up to this number of calls.
    ///
    /// # Errors
    ///
    /// The first difference from the specification.
    pub fn explored(calls: u8, key: Key) -> Result<Self, Difference> {
        let start = Instant::now();
        let Explored { states, executions } = explore(calls.into(), key, lockstep::play)?;
        let (parallel, splits) = number(calls.into());
        let seconds = start.elapsed().as_secs_f64();
        Ok(Clients { calls, key, parallel, splits, states, executions, seconds })
    }
}

/// A line of the table.
impl fmt::Display for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Clients { calls, key, parallel, splits, states, executions, .. } = self;
        let how = match key {
            Key::Operations => "without a reduction",
            Key::Places => "with the reduced key",
        };
        write!(f, "every client of up to {calls} calls, {how}: {states} states, {executions} executions; ")?;
        write!(f, "of {calls} calls {parallel} in as many threads, {splits} in all")
    }
}
