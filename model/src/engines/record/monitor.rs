//! The runtime monitor of an execution: it records every hand-over and drop, and checks the rules that no observation
//! shows.
//!
//! Its state is outside the model checker's world, so that monitoring adds no executions, and a violation is found even
//! if a panic was swallowed.

use crate::engines::record::recorder;
use crate::observation::event::{Event, Thing};
use crate::observation::{Answer, HandOver, Told};
use crate::scenario::names::{Nonce, Part, TASKS, Task, letter};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The monitor of one execution.
#[derive(Default)]
pub struct Monitor(Mutex<Monitored>);

#[derive(Default)]
struct Monitored {
    handed: Vec<HandOver>,
    /// The callers' code that has begun and not ended.
    inside: Vec<(Nonce, Part)>,
    /// The tasks with a hand-over in progress.
    handing: Vec<Task>,
    /// True while a scheduler's thread runs an entry of its queue.
    is_served: bool,
    told: BTreeMap<Told, usize>,
    made: BTreeMap<Thing, usize>,
    dropped: BTreeMap<Thing, usize>,
    /// The number of touches that the probe must have seen.
    touches: usize,
    broken: Vec<String>,
    /// True once the observation is complete.
    is_over: bool,
}

impl Monitor {
    fn locked(&self) -> MutexGuard<'_, Monitored> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn made(&self, thing: Thing) {
        *self.locked().made.entry(thing).or_default() += 1;
    }

    pub fn dropped(&self, thing: Thing, locks_held: usize) {
        recorder::record(|| Event::Drops(thing));
        let mut monitored = self.locked();
        *monitored.dropped.entry(thing).or_default() += 1;
        monitored.unlocked(locks_held, || format!("{thing} dropped"));
    }

    /// Begins a hand-over of this task, to a callback, a scheduler or a waker: at most one at a time (P8).
    pub fn handing(&self, task: Task) {
        mark_ordered();
        let mut monitored = self.locked();
        if monitored.handing.contains(&task) {
            monitored.breaks(format!("P8: hand-over of {} during another hand-over of {0}", TASKS[task]));
        }
        monitored.handing.push(task);
    }

    /// Ends a hand-over of this task.
    pub fn handed_over(&self, task: Task) {
        mark_ordered();
        let mut monitored = self.locked();
        let at = monitored.handing.iter().rposition(|other| *other == task);
        at.map(|at| monitored.handing.remove(at));
    }

    /// Begins a callback, a waker, or the program of a drop or clone. Returns its place among the hand-overs.
    pub fn entered(&self, mut hand_over: HandOver, locks_held: usize) -> usize {
        mark_ordered();
        let mut monitored = self.locked();
        hand_over.amid = monitored.inside.iter().map(|(nonce, _)| *nonce).collect();
        hand_over.amid.sort();
        recorder::record(|| Event::Enters(hand_over.clone()));
        monitored.inside.push((hand_over.nonce, hand_over.part));
        monitored.touches += 1;
        monitored.unlocked(locks_held, || format!("{} called", letter(hand_over.nonce)));
        monitored.handed.push(hand_over);
        monitored.handed.len() - 1
    }

    /// Adds an answer to the program that began at this place.
    pub fn answered(&self, at: usize, answer: Option<Answer>) {
        self.locked().handed[at].answers.extend(answer);
    }

    /// Ends a callback, a waker, or the program of a drop or clone.
    pub fn left(&self, nonce: Nonce, part: Part, locks_held: usize) {
        mark_ordered();
        recorder::record(|| Event::Leaves(nonce, part));
        let mut monitored = self.locked();
        let at = monitored.inside.iter().rposition(|entered| *entered == (nonce, part));
        at.map(|at| monitored.inside.remove(at));
        monitored.touches += 1;
        monitored.unlocked(locks_held, || format!("{} called", letter(nonce)));
    }

    /// Records a call of this task's scheduler, which touches the probe this many times.
    pub fn scheduled(&self, task: Task, locks_held: usize, touches: usize) {
        recorder::record(|| Event::Schedules(Some(task)));
        let mut monitored = self.locked();
        monitored.touches += touches;
        monitored.unlocked(locks_held, || "scheduler called".to_owned());
    }

    /// Records that the scheduler's thread begins to run an entry of its queue, or has ended one.
    pub fn serves(&self, is_served: bool) {
        self.locked().is_served = is_served;
    }

    /// Checks that the scheduler's thread calls this callback, and not the thread that completed or added (P11).
    pub fn called_by_its_scheduler(&self, nonce: Nonce) {
        let mut monitored = self.locked();
        if !monitored.is_served {
            monitored.breaks(format!("P11: {} called by the draining thread, not by its scheduler", letter(nonce)));
        }
    }

    /// Records the clone of a waker.
    pub fn cloned(&self, nonce: Nonce, locks_held: usize) {
        self.locked().unlocked(locks_held, || format!("{} cloned", letter(nonce)));
    }

    /// Records the print of a value.
    pub fn printed(&self, thing: Thing, locks_held: usize) {
        self.locked().unlocked(locks_held, || format!("{thing} printed"));
    }

    /// Records a report to a hook.
    pub fn told(&self, told: Told, locks_held: usize) {
        recorder::record(|| Event::Tells(told));
        let mut monitored = self.locked();
        *monitored.told.entry(told).or_default() += 1;
        monitored.unlocked(locks_held, || "hook called".to_owned());
    }

    /// Completes the observation: the hand-overs, and the reports to the hook.
    pub fn observed(&self) -> (Vec<HandOver>, BTreeMap<Told, usize>) {
        let mut monitored = self.locked();
        monitored.is_over = true;
        (monitored.handed.clone(), monitored.told.clone())
    }

    pub fn is_over(&self) -> bool {
        self.locked().is_over
    }

    pub fn broken(&self, rule: String) {
        self.locked().breaks(rule);
    }

    /// Ends the execution and returns the rules that it broke. `touches` is the number that the engine's probe saw.
    pub fn close(&self, touches: usize) -> Vec<String> {
        let mut monitored = self.locked();
        let mut broken = std::mem::take(&mut monitored.broken);
        if monitored.made != monitored.dropped {
            broken.push(format!("P15: made {:?}, dropped {:?}", monitored.made, monitored.dropped));
        }
        // Overlapping hand-overs are seen only if both ends of each are dependent operations.
        if monitored.touches != touches {
            broken.push(format!("harness: the probe saw {touches} touches, not {}", monitored.touches));
        }
        broken
    }
}

impl Monitored {
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

thread_local! {
    static IS_ORDERED: Cell<bool> = const { Cell::new(false) };
}

/// Marks the present step: an observation will show its place in the order of all marked steps.
fn mark_ordered() {
    IS_ORDERED.set(true);
}

/// Whether the step that ends now was marked. Takes the mark away.
pub fn take_ordered() -> bool {
    IS_ORDERED.take()
}
