//! `cargo verify clients`: every client of the kernel, up to a number of calls or as long as the time reaches.

use super::{differs, print};
use std::error::Error;
use std::panic;
use std::time::Duration;
use whendone_model::engines::sections::clients::{Difference, Key};
use whendone_model::runner::clients::{Budgeted, Clients};

/// Explores every client, number of calls by number of calls.
pub fn explore(calls: u8, key: Key, budget: Option<Duration>, fresh: bool) -> Result<bool, Box<dyn Error>> {
    // The defects of a core may panic, and each difference is printed.
    panic::set_hook(Box::new(|_| ()));
    // A line that nobody reads is no error.
    let told = |clients: &Clients| drop(print(format_args!("{clients}; {:.1} s", clients.seconds)));
    let found = match budget {
        None => Clients::explored(calls, key, told).map(drop),
        Some(budget) => spend(key, budget, fresh, told)?,
    };
    found.as_ref().err().map_or(Ok(()), |difference| print(differs(difference)))?;
    Ok(found.is_ok())
}

/// Goes on with the search of earlier runs until the time is over.
fn spend(
    key: Key,
    budget: Duration,
    fresh: bool,
    told: impl FnMut(&Clients),
) -> Result<Result<(), Difference>, Box<dyn Error>> {
    let mut search = if fresh { Budgeted::new(key) } else { Budgeted::resume(key)? };
    if search.has_begun() {
        print(format_args!("resuming: {search}"))?;
    }
    let found = search.spend(budget, told)?;
    print(search)?;
    Ok(found)
}
