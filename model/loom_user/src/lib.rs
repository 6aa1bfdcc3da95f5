//! Code built on whendone, as a user writes it: the sum of the values of tasks that other threads complete.
//!
//! Its loom test is `tests/sum.rs`; `tests/oneshot.rs` is that of an adapter. This command runs them:
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test -p whendone-loom-user --release --target-dir target/loom
//! ```

#[cfg(loom)]
use loom::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::SeqCst},
};
#[cfg(not(loom))]
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::SeqCst},
};
use whendone::{Completer, Inline, Task};

/// Returns a task that is done once all of these are, with the sum of their values.
pub fn sum(tasks: &[&Task<u32>]) -> Task<u32> {
    sum_by(tasks, |left| left.fetch_sub(1, SeqCst) - 1)
}

/// As [`sum`], with a race: two threads may count down at once, and then none of them is the last.
pub fn racy_sum(tasks: &[&Task<u32>]) -> Task<u32> {
    sum_by(tasks, |left| {
        let rest = left.load(SeqCst) - 1;
        left.store(rest, SeqCst);
        rest
    })
}

struct Sum {
    left: AtomicUsize,
    so_far: Mutex<u32>,
    completer: Mutex<Option<Completer<u32>>>,
}

fn sum_by(tasks: &[&Task<u32>], count_down: fn(&AtomicUsize) -> usize) -> Task<u32> {
    let (completer, all) = whendone::task(Inline);
    let (so_far, completer) = (Mutex::new(0), Mutex::new(Some(completer)));
    let sum = Arc::new(Sum { left: AtomicUsize::new(tasks.len()), so_far, completer });
    for task in tasks {
        let sum = sum.clone();
        task.add_done_callback(move |task| {
            *sum.so_far.lock().unwrap() += task.outcome().unwrap().value().unwrap();
            if count_down(&sum.left) == 0 {
                let total = *sum.so_far.lock().unwrap();
                // Taken out first, so that no lock is held when the callbacks of the sum run.
                let completer = sum.completer.lock().unwrap().take();
                completer.map(|completer| completer.complete(total));
            }
        });
    }
    all
}
