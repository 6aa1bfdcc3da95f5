//! Code built on whendone, as a user writes it: the value of the first of several tasks that other threads complete.
//!
//! Its shuttle test is `tests/first.rs`. This command runs it:
//!
//! ```text
//! RUSTFLAGS="--cfg shuttle" cargo test -p whendone-shuttle-user --target-dir target/shuttle
//! ```

#[cfg(shuttle)]
use shuttle::sync::{Arc, Mutex};
#[cfg(not(shuttle))]
use std::sync::{Arc, Mutex};
use whendone::{Completer, Inline, Task};

/// Returns a task that is done once one of these is, with the outcome of that one.
pub fn first(tasks: &[Task<u32>]) -> Task<u32> {
    first_by(tasks, |completer| completer.lock().unwrap().take())
}

/// As [`first`], with a race: two threads may both find the completer there, and then one of them takes nothing.
pub fn racy_first(tasks: &[Task<u32>]) -> Task<u32> {
    first_by(tasks, |completer| {
        let is_there = completer.lock().unwrap().is_some();
        let taken = is_there.then(|| completer.lock().unwrap().take());
        taken.map(|taken| taken.expect("it was there"))
    })
}

/// The completer, until a thread takes it.
type Place = Mutex<Option<Completer<u32>>>;

fn first_by(tasks: &[Task<u32>], take: fn(&Place) -> Option<Completer<u32>>) -> Task<u32> {
    let (completer, first) = whendone::task(Inline);
    let completer = Arc::new(Mutex::new(Some(completer)));
    for task in tasks {
        let completer = completer.clone();
        task.add_done_callback(move |task| {
            // Taken out first, so that no lock is held when the callbacks of the first task run.
            if let Some(completer) = take(&completer) {
                completer.complete_with(task.outcome().unwrap().clone()).unwrap();
            }
        });
    }
    first
}
