//! What an execution leaves behind: every hand-over, every drop, every broken rule.
//!
//! Lies outside the model checker's world, so that keeping it costs no executions and a failure is
//! found even if a panic on the way was swallowed.

use crate::observation::HandOver;
use crate::spec::{Nonce, Value};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is dropped once, and only once (P15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Thing {
    Callback(Nonce),
    Value(Value),
}

/// The record of one execution.
#[derive(Default)]
pub struct Ledger(Mutex<Record>);

#[derive(Default)]
struct Record {
    handed: Vec<HandOver>,
    inside: Option<Nonce>,
    made: BTreeMap<Thing, usize>,
    dropped: BTreeMap<Thing, usize>,
    /// How often the probe must have been touched.
    touches: usize,
    broken: Vec<String>,
}

impl Ledger {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn made(&self, thing: Thing) {
        *self.record().made.entry(thing).or_default() += 1;
    }

    pub fn dropped(&self, thing: Thing, locks_held: usize) {
        let mut record = self.record();
        *record.dropped.entry(thing).or_default() += 1;
        record.unlocked(locks_held, || format!("{thing:?} dropped"));
    }

    /// A hand-over begins.
    pub fn entered(&self, hand_over: HandOver, locks_held: usize) {
        let mut record = self.record();
        if let Some(other) = record.inside {
            record.broken.push(format!("P8: hand-over of {} while {other} is handed over", hand_over.nonce));
        }
        record.inside = Some(hand_over.nonce);
        record.touches += 1;
        record.unlocked(locks_held, || format!("callback {} called", hand_over.nonce));
        record.handed.push(hand_over);
    }

    /// The hand-over that began last ends.
    pub fn left(&self, nonce: Nonce, locks_held: usize) {
        let mut record = self.record();
        if record.inside != Some(nonce) {
            record.broken.push(format!("P8: hand-over of {nonce} ends inside another"));
        }
        record.inside = None;
        record.touches += 1;
        record.unlocked(locks_held, || format!("callback {nonce} called"));
    }

    /// The scheduler is called.
    pub fn scheduled(&self, locks_held: usize) {
        let mut record = self.record();
        record.touches += 2;
        record.unlocked(locks_held, || "scheduler called".to_owned());
    }

    /// How many hand-overs there were so far.
    pub fn handed(&self) -> usize {
        self.record().handed.len()
    }

    pub fn broken(&self, rule: String) {
        self.record().broken.push(rule);
    }

    /// Ends the record: the hand-overs, and every rule that this execution broke. `touches` is how
    /// often the engine saw its probe touched.
    pub fn close(&self, touches: usize) -> (Vec<HandOver>, Vec<String>) {
        let mut record = self.record();
        let mut broken = std::mem::take(&mut record.broken);
        if record.made != record.dropped {
            broken.push(format!("P15: made {:?}, dropped {:?}", record.made, record.dropped));
        }
        // Without a dependent operation at both ends, overlapping hand-overs stay unseen.
        if record.touches != touches {
            broken.push(format!("harness: the probe saw {touches} touches, not {}", record.touches));
        }
        (std::mem::take(&mut record.handed), broken)
    }
}

impl Record {
    fn unlocked(&mut self, locks_held: usize, what: impl FnOnce() -> String) {
        if locks_held > 0 {
            self.broken.push(format!("P13: {} under the lock", what()));
        }
    }
}
