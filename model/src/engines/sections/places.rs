//! The operations on a queue since it was last taken as a whole, and the places that they leave in it.
//!
//! Nothing prints a queue's representation, so the key of a state needs a stand-in for it.

use super::clients::Key;
use crate::scenario::names::Nonce;
use std::hash::{Hash, Hasher};

/// A callback, and whether it has the shared tag.
type Waiting = (Nonce, bool);

#[derive(Clone, Default)]
pub struct Places {
    operations: Vec<Operation>,
    /// The number of each push, and its callback if that still waits.
    places: Vec<(usize, Option<Waiting>)>,
    pushes: usize,
    /// The room in the buffer; none while a single place suffices.
    room: usize,
}

#[derive(Clone, Copy, Hash)]
enum Operation {
    Push(bool),
    /// With the number of the push.
    Remove(usize),
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
        self.places.push((self.pushes, Some((nonce, tagged))));
        self.pushes += 1;
    }

    pub fn remove(&mut self, nonce: Nonce) {
        let place = self.places.iter_mut().find(|(_, waiting)| waiting.is_some_and(|(waiting, _)| waiting == nonce));
        let Some((push, waiting)) = place else { return };
        *waiting = None;
        self.operations.push(Operation::Remove(*push));
        self.close_up();
    }

    pub fn remove_all(&mut self) {
        self.operations.push(Operation::RemoveAll);
        self.places.iter_mut().for_each(|(_, waiting)| *waiting = waiting.filter(|(_, tagged)| !tagged));
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

    /// Nothing can be removed by id once the cell is done: then gaps and numbers do not matter.
    pub fn hash_by(&self, key: Key, is_pending: bool, to: &mut impl Hasher) {
        if key == Key::Operations {
            return self.operations.hash(to);
        }
        if !is_pending {
            self.room.hash(to);
            return self.waiting().for_each(|(_, tagged)| tagged.hash(to));
        }
        let first = self.places.first().map_or(self.pushes, |(push, _)| *push);
        (self.room, self.pushes - first).hash(to);
        let places = self.places.iter().map(|(push, waiting)| (push - first, waiting.map(|(_, tagged)| tagged)));
        places.for_each(|place| place.hash(to));
    }
}
