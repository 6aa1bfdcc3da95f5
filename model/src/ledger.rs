//! What an execution leaves behind: every hand-over, every drop, every broken rule.
//!
//! Lies outside the model checker's world, so that keeping it costs no executions and a failure is
//! found even if a panic on the way was swallowed.

use crate::observation::{HandOver, Told, letter};
use crate::spec::{Nonce, Value};
use crate::trace::{self, Act};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is dropped once, and only once (P15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Thing {
    Callback(Nonce),
    Value(Value),
    /// Of the loop's task.
    Future,
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Thing::Callback(nonce) => f.write_str(&letter(*nonce)),
            Thing::Value(value) => value.fmt(f),
            Thing::Future => f.write_str("the future"),
        }
    }
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
    told: Vec<Told>,
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
        trace::record(|| Act::Drops(thing));
        let mut record = self.record();
        *record.dropped.entry(thing).or_default() += 1;
        record.unlocked(locks_held, || format!("{thing} dropped"));
    }

    /// A hand-over begins.
    pub fn entered(&self, hand_over: HandOver, locks_held: usize) {
        trace::record(|| Act::Enters(hand_over));
        let mut record = self.record();
        if let Some(other) = record.inside {
            record.breaks(format!(
                "P8: hand-over of {} while {} is handed over",
                letter(hand_over.nonce),
                letter(other)
            ));
        }
        record.inside = Some(hand_over.nonce);
        record.touches += 1;
        record.unlocked(locks_held, || format!("{} called", letter(hand_over.nonce)));
        record.handed.push(hand_over);
    }

    /// The hand-over that began last ends.
    pub fn left(&self, nonce: Nonce, locks_held: usize) {
        trace::record(|| Act::Leaves(nonce));
        let mut record = self.record();
        if record.inside != Some(nonce) {
            record.breaks(format!("P8: hand-over of {} ends inside another", letter(nonce)));
        }
        record.inside = None;
        record.touches += 1;
        record.unlocked(locks_held, || format!("{} called", letter(nonce)));
    }

    /// The scheduler is called.
    pub fn scheduled(&self, locks_held: usize) {
        trace::record(|| Act::Schedules);
        let mut record = self.record();
        record.touches += 2;
        record.unlocked(locks_held, || "scheduler called".to_owned());
    }

    /// The hook is told.
    pub fn tell(&self, told: Told, locks_held: usize) {
        let mut record = self.record();
        record.told.push(told);
        record.unlocked(locks_held, || "hook called".to_owned());
    }

    /// What the hook was told so far, in an order of its own.
    pub fn told(&self) -> Vec<Told> {
        let mut told = self.record().told.clone();
        told.sort();
        told
    }

    /// How many hand-overs there were so far.
    pub fn handed(&self) -> usize {
        self.record().handed.len()
    }

    pub fn broken(&self, rule: String) {
        self.record().breaks(rule);
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
            self.breaks(format!("P13: {} under the lock", what()));
        }
    }

    fn breaks(&mut self, rule: String) {
        trace::record(|| Act::Breaks(rule.clone()));
        self.broken.push(rule);
    }
}
