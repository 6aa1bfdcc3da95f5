//! Where a callback waits: first in, first out, removable by id.

use super::alloc::vec::{self, Vec};
use core::{iter::FusedIterator, mem, option};

/// One place in the queue. A callback that was removed leaves its place empty.
pub(super) struct Place<C> {
    sequence: u64,
    tag: u64,
    callback: Option<C>,
}

/// The queue of one cell. The first callback needs no allocation.
pub(super) enum Queue<C> {
    One(Option<Place<C>>),
    Many(Line<C>),
}

/// Places in order of their sequence, the last one never empty.
pub(super) struct Line<C> {
    places: Vec<Place<C>>,
    live: usize,
}

/// Callbacks moved out whole, to be handed over in order.
pub(super) enum Batch<C> {
    One(option::IntoIter<C>),
    Many(vec::IntoIter<Place<C>>),
}

impl<C> Queue<C> {
    pub(super) const fn new() -> Self {
        Queue::One(None)
    }

    /// Appends; sequences must grow from push to push.
    #[inline]
    pub(super) fn push(&mut self, sequence: u64, tag: u64, callback: C) {
        let place = Place { sequence, tag, callback: Some(callback) };
        match self {
            Queue::One(first @ None) => *first = Some(place),
            Queue::One(first) => {
                let mut line = Line { places: Vec::new(), live: 0 };
                first.take().into_iter().chain([place]).for_each(|place| line.push(place));
                *self = Queue::Many(line);
            }
            Queue::Many(line) => line.push(place),
        }
    }

    /// The callback stored under this sequence, if it waits.
    pub(super) fn find(&mut self, sequence: u64) -> Option<&mut C> {
        match self {
            Queue::One(first) => first.as_mut().filter(|place| place.sequence == sequence)?.callback.as_mut(),
            Queue::Many(line) => line.find(sequence).and_then(|at| line.places[at].callback.as_mut()),
        }
    }

    /// Takes one out. Amortised constant in order of the adds, else a binary search.
    #[inline]
    pub(super) fn remove(&mut self, sequence: u64) -> Option<C> {
        match self {
            Queue::One(first) => first.take_if(|place| place.sequence == sequence)?.callback,
            Queue::Many(line) => line.find(sequence).and_then(|at| line.remove(at)),
        }
    }

    /// Takes out every one with this tag, in order; scans.
    pub(super) fn remove_all(&mut self, tag: u64) -> Vec<C> {
        match self {
            Queue::One(first) => {
                first.take_if(|place| place.tag == tag).and_then(|place| place.callback).into_iter().collect()
            }
            Queue::Many(line) => line.remove_all(tag),
        }
    }

    /// Moves everything out, in order.
    #[inline]
    pub(super) fn take(&mut self) -> Batch<C> {
        match mem::replace(self, Queue::new()) {
            Queue::One(first) => Batch::One(first.and_then(|place| place.callback).into_iter()),
            Queue::Many(line) => Batch::Many(line.places.into_iter()),
        }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Queue::One(first) => first.is_none(),
            Queue::Many(line) => line.live == 0,
        }
    }

    /// Sequence and tag of all that wait, in order.
    pub(super) fn waiting(&self) -> Vec<(u64, u64)> {
        let places = match self {
            Queue::One(first) => first.as_slice(),
            Queue::Many(line) => &line.places,
        };
        let live = places.iter().filter(|place| place.callback.is_some());
        live.map(|place| (place.sequence, place.tag)).collect()
    }
}

impl<C> Line<C> {
    /// What the buffer may hold beyond twice the live callbacks (P20).
    const SLACK: usize = 16;

    #[inline]
    fn push(&mut self, place: Place<C>) {
        if self.places.len() == self.places.capacity() {
            self.fit();
        }
        self.places.push(place);
        self.live += 1;
    }

    /// Where this sequence lies: where it would lie had nothing been closed up, else a search.
    fn find(&self, sequence: u64) -> Option<usize> {
        let guess = sequence.wrapping_sub(self.places.first()?.sequence) as usize;
        match self.places.get(guess) {
            Some(place) if place.sequence == sequence => Some(guess),
            _ => self.places.binary_search_by_key(&sequence, |place| place.sequence).ok(),
        }
    }

    #[inline]
    fn remove(&mut self, at: usize) -> Option<C> {
        let callback = self.places[at].callback.take()?;
        self.live -= 1;
        self.close_up();
        Some(callback)
    }

    fn remove_all(&mut self, tag: u64) -> Vec<C> {
        let tagged = self.places.iter_mut().filter(|place| place.tag == tag);
        let removed: Vec<C> = tagged.filter_map(|place| place.callback.take()).collect();
        self.live -= removed.len();
        self.close_up();
        removed
    }

    /// Gives up empty places: those at the end at once, the others when they are too many.
    #[inline]
    fn close_up(&mut self) {
        while self.places.pop_if(|place| place.callback.is_none()).is_some() {}
        if self.places.capacity() > 2 * self.live + Self::SLACK {
            self.fit();
        }
    }

    /// Closes the gaps and leaves room for half as many again. Runs when a push finds no room or a
    /// removal leaves too much, and both are then a share of `live` steps away: amortised constant.
    #[cold]
    fn fit(&mut self) {
        if self.live < self.places.len() {
            self.places.retain(|place| place.callback.is_some());
        }
        let room = self.live + (self.live / 2).max(Self::SLACK / 2);
        self.places.shrink_to(room);
        self.places.reserve_exact(room - self.live);
    }
}

impl<C> Batch<C> {
    pub(super) fn one(callback: C) -> Self {
        Batch::One(Some(callback).into_iter())
    }
}

impl<C> Iterator for Batch<C> {
    type Item = C;

    #[inline]
    fn next(&mut self) -> Option<C> {
        match self {
            Batch::One(callback) => callback.next(),
            Batch::Many(places) => places.find_map(|place| place.callback),
        }
    }
}

impl<C> FusedIterator for Batch<C> {}
