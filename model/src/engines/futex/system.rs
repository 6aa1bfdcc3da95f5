//! The system's promise about a futex: a thread falls asleep only if the word is still the expected one, and no wake-up comes
//! between the two; a wake-up ends a sleep that has begun, and a sleep may also end without one.
//!
//! Every call of the system takes its place in the order of the word by a read-modify-write on it, and the rest of the call
//! belongs to that step: loom switches threads before the step, and not after it. A wake-up hands over all that the waker has
//! seen, because loom's does; the system promises less.

use super::choice::Choice;
use super::fault::Fault;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread::{self, Thread};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A word on which threads sleep.
pub struct Futex {
    word: AtomicU32,
    bed: Mutex<Bed>,
}

/// The sleeping threads of a word. It lies outside of the model, and is touched only in a step on the word.
#[derive(Default)]
struct Bed {
    /// The threads, with the numbers of their sleeps, the first one first.
    asleep: Vec<(usize, Thread)>,
    /// The number of sleeps that have begun. Those that ended at once count too.
    begun: usize,
}

impl Futex {
    pub fn new(word: u32) -> Self {
        Futex { word: AtomicU32::new(word), bed: Mutex::default() }
    }

    pub fn word(&self) -> &AtomicU32 {
        &self.word
    }

    /// The word, as a load sees it. Where no choice asks for a load, a read-modify-write, which sees the newest word: loom leaves
    /// out interleavings around a load (`model/src/check/blind_spots.rs`).
    pub fn look(&self, order: Ordering) -> u32 {
        if Choice::present().loads { self.word.load(order) } else { self.word.fetch_or(0, order) }
    }

    /// Sleeps, if the word is the expected one, until a wake-up. A sleep that is chosen to end without one ends at once: a thread
    /// that goes on later is one that woke later, and in between no wake-up was for it.
    pub fn wait(&self, expected: u32) {
        let now = self.step();
        if now != expected && !Fault::SleepsUnasked.is_present() {
            return;
        }
        let mut bed = self.bed();
        let number = bed.begun;
        bed.begun += 1;
        if Choice::present().ends_at_once(number) {
            return;
        }
        bed.asleep.push((number, thread::current()));
        drop(bed);
        while self.bed().asleep.iter().any(|(asleep, _)| *asleep == number) {
            thread::park();
        }
    }

    /// Ends the sleep of one thread, if one sleeps.
    pub fn wake_one(&self) {
        self.step();
        let mut bed = self.bed();
        if !bed.asleep.is_empty() {
            let last = bed.asleep.len() - 1;
            let (_, woken) = bed.asleep.remove(if Choice::present().wakes_last { last } else { 0 });
            woken.unpark();
        }
    }

    /// Ends all sleeps.
    pub fn wake_all(&self) {
        self.step();
        self.bed().asleep.drain(..).for_each(|(_, woken)| woken.unpark());
    }

    /// The place of a call in the order of the word.
    fn step(&self) -> u32 {
        self.word.fetch_or(0, Ordering::Relaxed)
    }

    fn bed(&self) -> MutexGuard<'_, Bed> {
        self.bed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
