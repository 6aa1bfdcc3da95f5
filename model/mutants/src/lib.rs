//! Mutation testing: copies of the audited files, each with one seeded bug, which the checks must notice.
//!
//! The tables of bugs are in `bugs/`, one file for each layer; [`table`] explains their fields. The build plants the
//! bugs that scenarios can see in copies of the files that the engines compile. A bug with `run` is planted in a copy
//! of the project, where that command of cargo must fail; so is a bug of a file that no engine compiles, with the
//! suites for its place. An edit must match exactly once.
#![forbid(unsafe_code)]
#![allow(missing_docs)]

pub mod guard;
pub mod slot;

pub use whendone_model::project::table;

use whendone_model::engines::Play;
use whendone_model::engines::sections::clients::{Difference, Key, LockStep, explore};

/// Returns the claim that begins like this and does not hold, with the path to a state where it does not.
pub type Explored = fn(&str) -> Option<(&'static str, Vec<String>)>;

/// The most calls of the clients among which the smallest one is looked for that shows a bug.
pub const MOST_CALLS: usize = 4;

/// The smallest client that shows this bug of the kernel; none if no client of up to [`MOST_CALLS`] calls does. None as a
/// whole for other bugs.
pub fn smallest_client(id: &str, key: Key) -> Option<Option<Difference>> {
    let (_, lock_step) = KERNELS.iter().find(|(known, _)| *known == id)?;
    Some(explore(MOST_CALLS, key, *lock_step).err())
}

/// The number of calls and the client, as one line; a dash if there is none.
pub fn told(client: Option<&Difference>) -> String {
    client.map_or_else(|| "-".to_owned(), |client| format!("{}  {}", client.calls(), client.client()))
}

include!(concat!(env!("OUT_DIR"), "/mutants.rs"));
