//! `cargo verify clients`: every client of the kernel, up to a number of calls or as long as the time reaches.

use super::closed_world::differs;
use super::print;
use memory_stats::memory_stats;
use serde_json::json;
use std::error::Error;
use std::panic;
use std::time::Duration;
use whendone_model::engines::sections::clients::{Difference, Key};
use whendone_model::runner::clients::{Budgeted, Clients};
use whendone_model::runner::part::Found;

/// Explores every client, number of calls by number of calls.
pub fn explore(calls: u8, key: Key, budget: Option<Duration>, fresh: bool) -> Result<Found, Box<dyn Error>> {
    // The defects of a core may panic, and each difference is printed.
    panic::set_hook(Box::new(|_| ()));
    let mut explored = Vec::new();
    let told = |clients: &Clients| {
        // A line that nobody reads is no error.
        drop(print(format_args!("{clients}; {:.1} s{}", clients.seconds, memory())));
        explored.push(clients.clone());
    };
    let found = match budget {
        None => Clients::explored(calls, key, told).map(drop),
        Some(budget) => spend(key, budget, fresh, told)?,
    };
    let difference = found.err().as_ref().map(differs);
    difference.as_ref().map_or(Ok(()), print)?;
    let exit = u8::from(difference.is_some());
    Ok(Found { exit, figures: json!({ "clients": explored, "difference": difference }), ..Found::default() })
}

/// The memory of this process at this moment, where the system tells it. A search only grows.
fn memory() -> String {
    memory_stats().map_or_else(String::new, |used| format!(", {} MB", used.physical_mem / 1_000_000))
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
