//! What an execution leaves behind: every hand-over, every drop, every broken rule.
//!
//! Lies outside the model checker's world, so that keeping it costs no executions and a failure is
//! found even if a panic on the way was swallowed.

use crate::engines::record::recorder;
use crate::observation::event::Event;
use crate::observation::event::Thing;
use crate::observation::{Answer, HandOver, Told};
use crate::scenario::names::{Nonce, Part, TASKS, Task, letter};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The record of one execution.
#[derive(Default)]
pub struct Monitor(Mutex<Record>);

#[derive(Default)]
struct Record {
    handed: Vec<HandOver>,
    /// What has begun and not ended.
    inside: Vec<(Nonce, Part)>,
    /// The tasks of which something is handed over just now.
    handing: Vec<Task>,
    /// A scheduler's thread runs what it took from its queue.
    is_served: bool,
    told: BTreeMap<Told, usize>,
    made: BTreeMap<Thing, usize>,
    dropped: BTreeMap<Thing, usize>,
    /// How often the probe must have been touched.
    touches: usize,
    broken: Vec<String>,
    /// What is seen from now on is no part of the observation any more.
    is_over: bool,
}

impl Monitor {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn made(&self, thing: Thing) {
        *self.record().made.entry(thing).or_default() += 1;
    }

    pub fn dropped(&self, thing: Thing, locks_held: usize) {
        recorder::record(|| Event::Drops(thing));
        let mut record = self.record();
        *record.dropped.entry(thing).or_default() += 1;
        record.unlocked(locks_held, || format!("{thing} dropped"));
    }

    /// The hand-over of something to its task's callback, scheduler or waker begins: at most one at a time (P8).
    pub fn handing(&self, task: Task) {
        let mut record = self.record();
        if record.handing.contains(&task) {
            record.breaks(format!("P8: hand-over of {} while {0} is handed over", TASKS[task]));
        }
        record.handing.push(task);
    }

    /// And it ends.
    pub fn handed_over(&self, task: Task) {
        let mut record = self.record();
        let at = record.handing.iter().rposition(|other| *other == task);
        at.map(|at| record.handing.remove(at));
    }

    /// A callback or waker begins, or its drop or clone does: its place in the record.
    pub fn entered(&self, mut hand_over: HandOver, locks_held: usize) -> usize {
        let mut record = self.record();
        hand_over.amid = record.inside.iter().map(|(nonce, _)| *nonce).collect();
        hand_over.amid.sort();
        recorder::record(|| Event::Enters(hand_over.clone()));
        record.inside.push((hand_over.nonce, hand_over.part));
        record.touches += 1;
        record.unlocked(locks_held, || format!("{} called", letter(hand_over.nonce)));
        record.handed.push(hand_over);
        record.handed.len() - 1
    }

    /// What began at this place was answered.
    pub fn answered(&self, at: usize, answer: Option<Answer>) {
        self.record().handed[at].answers.extend(answer);
    }

    /// And it ends.
    pub fn left(&self, nonce: Nonce, part: Part, locks_held: usize) {
        recorder::record(|| Event::Leaves(nonce, part));
        let mut record = self.record();
        let at = record.inside.iter().rposition(|entered| *entered == (nonce, part));
        at.map(|at| record.inside.remove(at));
        record.touches += 1;
        record.unlocked(locks_held, || format!("{} called", letter(nonce)));
    }

    /// The scheduler of this task is called, and touches the probe so often.
    pub fn scheduled(&self, task: Task, locks_held: usize, touches: usize) {
        recorder::record(|| Event::Schedules(Some(task)));
        let mut record = self.record();
        record.touches += touches;
        record.unlocked(locks_held, || "scheduler called".to_owned());
    }

    /// The scheduler's thread runs something, or is through with it.
    pub fn serves(&self, is_served: bool) {
        self.record().is_served = is_served;
    }

    /// Called while nobody serves a queue: then by whoever completed or added (P11).
    pub fn called_by_its_scheduler(&self, nonce: Nonce) {
        let mut record = self.record();
        if !record.is_served {
            record.breaks(format!("P11: {} called by whoever hands over, not by its scheduler", letter(nonce)));
        }
    }

    /// A waker is cloned.
    pub fn cloned(&self, nonce: Nonce, locks_held: usize) {
        self.record().unlocked(locks_held, || format!("{} cloned", letter(nonce)));
    }

    /// A hook is told.
    pub fn told(&self, told: Told, locks_held: usize) {
        recorder::record(|| Event::Tells(told));
        let mut record = self.record();
        *record.told.entry(told).or_default() += 1;
        record.unlocked(locks_held, || "hook called".to_owned());
    }

    /// Ends the observation: the hand-overs, and what the hook was told.
    pub fn observed(&self) -> (Vec<HandOver>, BTreeMap<Told, usize>) {
        let mut record = self.record();
        record.is_over = true;
        (record.handed.clone(), record.told.clone())
    }

    pub fn is_over(&self) -> bool {
        self.record().is_over
    }

    pub fn broken(&self, rule: String) {
        self.record().breaks(rule);
    }

    /// Ends the record: every rule that this execution broke. `touches` is how often the engine saw its probe touched.
    pub fn close(&self, touches: usize) -> Vec<String> {
        let mut record = self.record();
        let mut broken = std::mem::take(&mut record.broken);
        if record.made != record.dropped {
            broken.push(format!("P15: made {:?}, dropped {:?}", record.made, record.dropped));
        }
        // Without a dependent operation at both ends, overlapping hand-overs stay unseen.
        if record.touches != touches {
            broken.push(format!("harness: the probe saw {touches} touches, not {}", record.touches));
        }
        broken
    }
}

impl Record {
    fn unlocked(&mut self, locks_held: usize, what: impl FnOnce() -> String) {
        if locks_held > 0 {
            self.breaks(format!("P13: {} under the lock", what()));
        }
    }

    fn breaks(&mut self, rule: String) {
        recorder::record(|| Event::Breaks(rule.clone()));
        self.broken.push(rule);
    }
}
