//! The exploration of an engine that chooses spurious wake-ups: loom's, first without them, and then with one on each word.

use super::super::Extent;
use super::choice::Choice;
pub use super::under_loom::{Flag, Mutex, Probe, at_once};
use std::sync::Arc;

/// Explores the model, each choice to its end: no sleep ends without a wake-up, and on each word the first one does.
///
/// # Errors
///
/// loom's message if it gave up, on a deadlock for example.
pub fn explore(execution: impl Fn() + Send + Sync + 'static) -> Result<Extent, String> {
    let execution = Arc::new(execution);
    let explored = [Choice::PLAIN, Choice::FIRST_SPURIOUS].map(|choice| {
        let execution = execution.clone();
        move || choice.during(|| super::under_loom::explore(move || execution()))
    });
    let mut extent = Extent::FirstSleepSpurious(None);
    for explore in explored {
        extent = match explore()? {
            Extent::Complete => extent,
            Extent::Bounded(preemptions) => Extent::FirstSleepSpurious(Some(preemptions)),
            less => less,
        };
    }
    Ok(extent)
}
