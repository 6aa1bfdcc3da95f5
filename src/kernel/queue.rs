//! Where a callback waits: first in, first out, removable by id.

use super::alloc::vec::{self, Vec};
use core::{mem, option};

/// One place in the queue. A callback that was removed leaves its place empty.
pub(super) struct Place<C> {
    sequence: u64,
    tag: u64,
    callback: Option<C>,
}

/// The queue of one cell: places in order of their sequence. The first needs no allocation.
pub(super) enum Queue<C> {
    One(Option<Place<C>>),
    Many { places: Vec<Place<C>>, live: usize },
}

/// Callbacks moved out whole, to be handed over in order.
pub(super) enum Batch<C> {
    One(option::IntoIter<C>),
    Many(vec::IntoIter<Place<C>>),
}

/// What the buffer may hold beyond twice the live callbacks (P20).
const SLACK: usize = 32;

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
            Queue::One(first) => *self = spill(first.take(), place),
            Queue::Many { places, live } => {
                if places.len() == places.capacity() {
                    fit(places, *live);
                }
                places.push(place);
                *live += 1;
            }
        }
    }

    /// The place of this sequence: the last one, or where it would lie had no gap been closed, or
    /// else by binary search.
    #[inline]
    pub(super) fn find(&mut self, sequence: u64) -> Option<&mut Option<C>> {
        let places = self.places_mut();
        let last = places.len().wrapping_sub(1);
        let guess = sequence.wrapping_sub(places.first()?.sequence) as usize;
        let here = |at: &usize| places.get(*at).is_some_and(|place| place.sequence == sequence);
        let found = [last, guess].into_iter().find(here);
        let at = found.or_else(|| places.binary_search_by_key(&sequence, |place| place.sequence).ok())?;
        Some(&mut places[at].callback)
    }

    /// Takes one out, if it waits.
    #[inline]
    pub(super) fn remove(&mut self, sequence: u64) -> Option<C> {
        let callback = self.find(sequence)?.take()?;
        self.close_up(1);
        Some(callback)
    }

    /// Takes out every one with this tag, in order; scans.
    pub(super) fn remove_all(&mut self, tag: u64) -> Vec<C> {
        let tagged = self.places_mut().iter_mut().filter(|place| place.tag == tag);
        let removed: Vec<C> = tagged.filter_map(|place| place.callback.take()).collect();
        self.close_up(removed.len());
        removed
    }

    #[inline]
    fn places_mut(&mut self) -> &mut [Place<C>] {
        match self {
            Queue::One(first) => first.as_mut_slice(),
            Queue::Many { places, .. } => places,
        }
    }

    /// Gives up the places of callbacks that were taken out: those at the end at once, others when
    /// they are too many.
    #[inline]
    fn close_up(&mut self, taken: usize) {
        match self {
            Queue::One(first) => drop(first.take_if(|place| place.callback.is_none())),
            Queue::Many { places, live } => {
                *live -= taken;
                while places.pop_if(|place| place.callback.is_none()).is_some() {}
                if places.capacity() > 2 * *live + SLACK {
                    fit(places, *live);
                }
            }
        }
    }

    /// Moves everything out, in order.
    #[inline]
    pub(super) fn take(&mut self) -> Batch<C> {
        match mem::replace(self, Queue::new()) {
            Queue::One(first) => Batch::One(first.and_then(|place| place.callback).into_iter()),
            Queue::Many { places, .. } => Batch::Many(places.into_iter()),
        }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Queue::One(None) | Queue::Many { live: 0, .. })
    }

    /// Sequence and tag of all that wait, in order.
    pub(super) fn waiting(&self) -> Vec<(u64, u64)> {
        let places = match self {
            Queue::One(first) => first.as_slice(),
            Queue::Many { places, .. } => places,
        };
        let live = places.iter().filter(|place| place.callback.is_some());
        live.map(|place| (place.sequence, place.tag)).collect()
    }
}

/// The second callback needs a buffer.
#[cold]
fn spill<C>(first: Option<Place<C>>, second: Place<C>) -> Queue<C> {
    let mut places = Vec::with_capacity(SLACK / 4);
    places.extend(first.into_iter().chain([second]));
    Queue::Many { places, live: 2 }
}

/// Closes the gaps and leaves room for as many again, for half as many when they are many. Runs when a push finds no room or a
/// removal leaves too much, and both are then a share of `live` steps away: amortised constant.
#[cold]
fn fit<C>(places: &mut Vec<Place<C>>, live: usize) {
    if live < places.len() {
        places.retain(|place| place.callback.is_some());
    }
    let room = live + (live / 2).max(live.clamp(SLACK / 4, SLACK));
    places.shrink_to(room);
    places.reserve_exact(room - live);
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
