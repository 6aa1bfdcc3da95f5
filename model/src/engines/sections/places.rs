//! The operations on a queue since it was last taken as a whole, and the places that they leave in it; the same for the
//! batch that was taken then.
//!
//! Nothing prints a queue's representation, or a batch, so the key of a state needs a stand-in for them.

use super::clients::Key;
use crate::scenario::names::Nonce;
use std::hash::{Hash, Hasher};

#[derive(Clone, Default)]
pub struct Places {
    operations: Vec<Operation>,
    /// The number of each push, and its callback if that still waits.
    places: Vec<(usize, Option<Waiting>)>,
    pushes: usize,
    /// The room in the buffer; none while a single place suffices.
    room: usize,
}

#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    pub nonce: Nonce,
    pub tagged: bool,
    /// True if another callback took its place.
    is_replaced: bool,
}

#[derive(Clone, Copy, Hash)]
enum Operation {
    Push(bool),
    /// With the number of the push, like the next one.
    Remove(usize),
    Replace(usize),
    RemoveAll,
}

/// `FEW` and `SLACK` of `src/kernel/queue.rs`.
const FEW: usize = 8;
const SLACK: usize = 32;

impl Places {
    pub fn push(&mut self, nonce: Nonce, tagged: bool) {
        self.operations.push(Operation::Push(tagged));
        if self.room > 0 && self.places.len() == self.room {
            let live = self.waiting().count();
            self.fit(live.max(FEW));
        } else if self.room == 0 && !self.places.is_empty() {
            self.room = FEW;
        }
        self.places.push((self.pushes, Some(Waiting { nonce, tagged, is_replaced: false })));
        self.pushes += 1;
    }

    fn place(&mut self, nonce: Nonce) -> Option<&mut (usize, Option<Waiting>)> {
        self.places.iter_mut().find(|(_, waiting)| waiting.is_some_and(|waiting| waiting.nonce == nonce))
    }

    pub fn replace(&mut self, nonce: Nonce) {
        let Some((push, Some(waiting))) = self.place(nonce) else { return };
        waiting.is_replaced = true;
        let replaced = Operation::Replace(*push);
        self.operations.push(replaced);
    }

    pub fn remove(&mut self, nonce: Nonce) {
        let Some((push, waiting)) = self.place(nonce) else { return };
        *waiting = None;
        let removed = Operation::Remove(*push);
        self.operations.push(removed);
        self.close_up();
    }

    pub fn remove_all(&mut self) {
        self.operations.push(Operation::RemoveAll);
        self.places.iter_mut().for_each(|(_, waiting)| *waiting = waiting.filter(|waiting| !waiting.tagged));
        self.close_up();
    }

    fn close_up(&mut self) {
        while self.places.last().is_some_and(|(_, waiting)| waiting.is_none()) {
            self.places.pop();
        }
        let live = self.waiting().count();
        if self.room > 2 * live + SLACK {
            self.fit(live / 2);
        }
    }

    fn fit(&mut self, room: usize) {
        self.places.retain(|(_, waiting)| waiting.is_some());
        self.room = self.places.len() + room;
    }

    /// The callbacks that wait, in order, with their tags.
    pub fn waiting(&self) -> impl Iterator<Item = Waiting> {
        self.places.iter().filter_map(|(_, waiting)| *waiting)
    }

    pub fn hash_by(&self, key: Key, to: &mut impl Hasher) {
        if key == Key::Operations {
            return self.operations.hash(to);
        }
        let first = self.places.first().map_or(self.pushes, |(push, _)| *push);
        (self.room, self.pushes - first).hash(to);
        let kept = |waiting: Waiting| (waiting.tagged, waiting.is_replaced);
        let places: Vec<_> = self.places.iter().map(|(push, waiting)| (push - first, waiting.map(kept))).collect();
        places.hash(to);
    }
}
