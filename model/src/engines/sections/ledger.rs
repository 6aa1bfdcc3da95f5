//! The hand-overs, drops and locks of the kernel in lock step, compared with the specification when they happen.

use super::sync::locks_held;
use crate::scenario::names::{Nonce, letter};
use crate::spec::cell::Spec;
use std::cell::{RefCell, RefMut};
use std::rc::Rc;

/// A callback or an outcome.
pub struct Payload {
    pub number: usize,
    pub ledger: Rc<Ledger>,
}

/// The state of the specification, and what was seen of the core.
#[derive(Default)]
pub struct Ledger(RefCell<Entries>);

#[derive(Default)]
pub struct Entries {
    pub spec: Spec,
    /// The number of hand-overs.
    pub handed: usize,
    pub inside: Option<Nonce>,
    /// The number of drops of each payload.
    pub drops: Vec<usize>,
    pub broken: Option<String>,
}

impl Drop for Payload {
    fn drop(&mut self) {
        let mut entries = self.ledger.entries();
        entries.drops[self.number] += 1;
        if locks_held() > 0 {
            entries.breaks("P13: a callback or an outcome is dropped under the lock".to_owned());
        }
    }
}

impl Ledger {
    pub fn entries(&self) -> RefMut<'_, Entries> {
        self.0.borrow_mut()
    }

    pub fn payload(self: &Rc<Self>) -> Payload {
        let drops = &mut self.entries().drops;
        drops.push(0);
        Payload { number: drops.len() - 1, ledger: self.clone() }
    }
}

impl Entries {
    pub fn breaks(&mut self, rule: String) {
        self.broken.get_or_insert(rule);
    }

    pub fn is_pending(&self) -> bool {
        self.spec.outcome().is_none()
    }

    /// Begins a hand-over: the next one that the specification has scheduled.
    pub fn enter(&mut self, nonce: Nonce) {
        if locks_held() > 0 {
            self.breaks(format!("P13: {} is called under the lock", letter(nonce)));
        }
        if let Some(other) = self.inside.replace(nonce) {
            self.breaks(format!("P8: {} is handed over during the hand-over of {}", letter(nonce), letter(other)));
        }
        let place = self.spec.scheduled().iter().position(|scheduled| *scheduled == nonce);
        let property = match place {
            Some(place) if place == self.handed => None,
            Some(place) if place < self.handed => Some("P4"),
            Some(_) => Some("P7"),
            None if self.is_pending() => Some("P6"),
            None => Some("P9"),
        };
        property
            .into_iter()
            .for_each(|property| self.breaks(format!("{property}: {} is handed over now", letter(nonce))));
        self.handed += 1;
    }
}
