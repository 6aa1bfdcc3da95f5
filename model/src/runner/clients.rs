//! The exploration of every client of the kernel, as a part of a run: by number of calls, or as far as a budget of time
//! reaches.

use crate::engines::sections::clients::{Difference, Explored, Key, Search, number};
use crate::engines::sections::engine::lockstep;
use crate::project::copy::folder_in_target;
use crate::project::sources::{Core, first_bytes, sources_digest};
use rayon::{ThreadPoolBuildError, ThreadPoolBuilder};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{fmt, fs, io};

/// The parts of the everyday run: the most calls of a client, and the key.
pub const EVERYDAY: [(u8, Key); 2] = [(5, Key::Operations), (8, Key::Places)];

/// The most calls for which the formulas fit.
pub const MOST: u8 = 15;

/// Sets the number of threads that explore clients; without a number, one for each processor. Must come before the first
/// exploration.
///
/// # Errors
///
/// If the threads cannot be started.
pub fn use_processors(workers: Option<NonZeroU16>) -> Result<(), ThreadPoolBuildError> {
    ThreadPoolBuilder::new().num_threads(workers.map_or(0, NonZeroU16::get).into()).build_global()
}

/// All clients of up to some number of calls.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Clients {
    pub calls: u8,
    pub key: Key,
    /// The clients of exactly this number of calls, each call in a thread of its own, and in every split into threads.
    pub parallel: u64,
    pub splits: u64,
    pub states: usize,
    pub choices: u64,
    pub seconds: f64,
}

impl Clients {
    /// Explores all clients of up to this number of calls. Tells each number that is finished.
    ///
    /// # Errors
    ///
    /// The first difference from the specification.
    pub fn explored(calls: u8, key: Key, mut told: impl FnMut(&Clients)) -> Result<Self, Difference> {
        let start = Instant::now();
        let mut search = Search::new(key);
        loop {
            search.advance(lockstep::play, || true)?;
            let clients = Clients::found(&search, key, start.elapsed());
            told(&clients);
            if clients.calls == calls {
                return Ok(clients);
            }
        }
    }

    /// The clients of the most calls that are finished.
    fn found(search: &Search, key: Key, time: Duration) -> Self {
        let calls = search.finished.len() - 1;
        let Explored { states, choices } = search.finished[calls];
        let (parallel, splits) = number(calls);
        let calls = calls as u8;
        Clients { calls, key, parallel, splits, states, choices, seconds: time.as_secs_f64() }
    }
}

/// A line of the table.
impl fmt::Display for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Clients { calls, key, parallel, splits, states, choices, .. } = self;
        let how = match key {
            Key::Operations => "without a reduction",
            Key::Places => "with the reduced key",
        };
        write!(f, "every client of up to {calls} calls, {how}: {states} states, {choices} choices; ")?;
        write!(f, "of {calls} calls {parallel} in as many threads, {splits} in all")
    }
}

/// An exploration that goes as far as its time reaches, and goes on from there the next time.
#[derive(Serialize, Deserialize)]
pub struct Budgeted {
    /// The digest of the core, the engine and the player: a search of others is of no use.
    sources: [u8; 32],
    key: Key,
    /// The time of all runs.
    time: Duration,
    search: Search,
}

impl Budgeted {
    /// The file of a search with this key.
    ///
    /// # Errors
    ///
    /// If the target folder cannot be made.
    pub fn path(key: Key) -> io::Result<PathBuf> {
        let name = match key {
            Key::Operations => "clients-plain.search",
            Key::Places => "clients.search",
        };
        Ok(folder_in_target("verify").map_err(io::Error::other)?.join(name))
    }

    /// A search that has not begun.
    pub fn new(key: Key) -> Self {
        let sources = first_bytes([Core::compiled().sha256.as_bytes(), &sources_digest()]);
        Budgeted { sources, key, time: Duration::ZERO, search: Search::new(key) }
    }

    /// The search that an earlier run of the same sources has left, or a new one.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn resume(key: Key) -> io::Result<Self> {
        let path = Self::path(key)?;
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read.map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?,
        };
        let new = Self::new(key);
        let known = postcard::from_bytes(&bytes).ok().filter(|known: &Budgeted| known.sources == new.sources);
        Ok(known.unwrap_or(new))
    }

    /// True if it has explored something.
    pub fn has_begun(&self) -> bool {
        self.search.explored != Explored::default()
    }

    /// Explores for so long, and tells each number of calls that is finished. Afterwards the search is stored.
    ///
    /// # Errors
    ///
    /// If the file cannot be written. The inner error is the first difference.
    pub fn spend(&mut self, budget: Duration, mut told: impl FnMut(&Clients)) -> io::Result<Result<(), Difference>> {
        let (start, before) = (Instant::now(), self.time);
        let last = usize::from(MOST);
        while self.search.finished.len() <= last {
            match self.search.advance(lockstep::play, || start.elapsed() < budget) {
                Ok(true) => told(&Clients::found(&self.search, self.key, before + start.elapsed())),
                Ok(false) => break,
                Err(difference) => return Ok(Err(difference)),
            }
        }
        self.time = before + start.elapsed();
        let bytes = postcard::to_stdvec(self).map_err(io::Error::other)?;
        let path = Self::path(self.key)?;
        let unfinished = path.with_extension("unfinished");
        fs::write(&unfinished, bytes)?;
        fs::rename(unfinished, path)?;
        Ok(Ok(()))
    }
}

/// The frontier: what is explored to the end, and the share of the next number of calls, by an estimate.
impl fmt::Display for Budgeted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Search { explored, finished, .. } = &self.search;
        let Some(calls) = finished.len().checked_sub(1) else {
            return write!(f, "frontier: no client is explored to the end");
        };
        write!(f, "frontier: every client of up to {calls} calls")?;
        let choices = |calls: usize| finished[calls].choices as f64;
        if explored.choices > finished[calls].choices && calls > 1 {
            // Each call more multiplies the choices by about the same.
            let expected = choices(calls).powi(2) / choices(calls - 1) - choices(calls);
            let share = (explored.choices as f64 - choices(calls)) / expected;
            write!(f, "; of {} calls about {:.0} %, by the growth so far", calls + 1, (100.0 * share).min(99.0))?;
        }
        write!(f, "; {} states, {} choices, {:.0} s in all", explored.states, explored.choices, self.time.as_secs_f64())
    }
}
