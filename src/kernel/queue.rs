//! Where a callback waits: first in, first out, removable by id.

use super::alloc::vec::{self, Vec};
use core::{mem, num::NonZeroU64, slice};

/// One place in the queue. A callback that was removed leaves its place empty.
pub struct Place<C> {
    sequence: NonZeroU64,
    /// With the tag, which costs no more room for being optional.
    waiting: Option<(NonZeroU64, C)>,
}

/// The queue of one cell: places in order of their sequence. A single place needs no allocation.
pub(super) enum Queue<C> {
    One(Place<C>),
    Many { places: Vec<Place<C>>, live: usize },
}

/// Callbacks that were moved out as a whole, in the order in which they are handed over ([P7]). Those that are
/// not taken stay in the batch.
///
/// [P7]: super#properties
pub enum Batch<C> {
    /// The only one.
    One(Option<C>),
    /// Several. The last place is not empty.
    Many(vec::IntoIter<Place<C>>),
}

/// The room in a new buffer.
const FEW: usize = 8;

/// The room in a buffer beyond twice the live callbacks (P20).
const SLACK: usize = 32;

impl<C> Place<C> {
    /// A place without a callback; its sequence finds nothing.
    const EMPTY: Self = Place { sequence: NonZeroU64::MIN, waiting: None };

    fn callback(self) -> Option<C> {
        self.waiting.map(|(_, callback)| callback)
    }
}

impl<C> Queue<C> {
    pub(super) const EMPTY: Self = Queue::One(Place::EMPTY);

    /// Appends; sequences must grow from push to push.
    #[inline(always)]
    pub(super) fn push(&mut self, sequence: NonZeroU64, tag: NonZeroU64, callback: C) {
        let waiting = Some((tag, callback));
        match self {
            Queue::Many { places, live } if places.len() < places.capacity() => {
                places.push(Place { sequence, waiting });
                *live += 1;
            }
            Queue::One(first @ Place { waiting: None, .. }) => *first = Place { sequence, waiting },
            _ => self.grow(Place { sequence, waiting }),
        }
    }

    /// Appends where there is no room.
    #[cold]
    fn grow(&mut self, place: Place<C>) {
        match self {
            Queue::Many { places, live } => {
                fit(places, *live, (*live).max(FEW));
                places.push(place);
                *live += 1;
            }
            Queue::One(first) => *self = spill(mem::replace(first, Place::EMPTY), place),
        }
    }

    /// Swaps a callback that waits for another, which keeps its place.
    pub(super) fn replace(&mut self, sequence: NonZeroU64, callback: C) -> Result<C, C> {
        let places = self.places_mut();
        let found = find(places, sequence).and_then(|at| places[at].waiting.as_mut());
        let Some((_, stored)) = found else { return Err(callback) };
        Ok(mem::replace(stored, callback))
    }

    /// Takes out a callback that waits.
    pub(super) fn remove(&mut self, sequence: NonZeroU64) -> Option<C> {
        match self {
            Queue::Many { places, live } => {
                let at = find(places, sequence)?;
                let callback = mem::ManuallyDrop::new(places[at].waiting.take()?.1); // as in `Cell::add`
                *live -= 1;
                close_up(places, *live);
                Some(mem::ManuallyDrop::into_inner(callback))
            }
            Queue::One(first) if first.sequence == sequence => first.waiting.take().map(|(_, callback)| callback),
            Queue::One(_) => None,
        }
    }

    /// Takes out every callback with this tag, in order. Scans the queue.
    pub(super) fn remove_all(&mut self, tag: NonZeroU64) -> Vec<C> {
        let places = self.places_mut().iter_mut().map(|place| &mut place.waiting);
        let tagged = places.filter(|waiting| matches!(waiting, Some((tagged, _)) if *tagged == tag));
        let removed: Vec<C> = tagged.filter_map(|waiting| waiting.take()).map(|(_, callback)| callback).collect();
        if let Queue::Many { places, live } = self {
            *live -= removed.len();
            close_up(places, *live);
        }
        removed
    }

    fn places_mut(&mut self) -> &mut [Place<C>] {
        match self {
            Queue::One(first) => slice::from_mut(first),
            Queue::Many { places, .. } => places,
        }
    }

    /// Moves all callbacks out, in order.
    pub(super) fn take(&mut self) -> Batch<C> {
        match mem::replace(self, Queue::EMPTY) {
            Queue::One(first) => Batch::One(first.callback()),
            Queue::Many { places, .. } => Batch::Many(places.into_iter()),
        }
    }

    /// Returns how many callbacks wait.
    pub(super) fn len(&self) -> usize {
        match self {
            Queue::One(first) => usize::from(first.waiting.is_some()),
            Queue::Many { live, .. } => *live,
        }
    }

    /// Returns sequence and tag of the callbacks that wait, in order.
    pub(super) fn waiting(&self) -> Vec<(u64, u64)> {
        let places = match self {
            Queue::One(first) => slice::from_ref(first),
            Queue::Many { places, .. } => places,
        };
        let live = places.iter().filter_map(|place| Some((place.sequence.get(), place.waiting.as_ref()?.0.get())));
        live.collect()
    }
}

/// Moves the first callback and a second one to a new buffer.
#[cold]
fn spill<C>(first: Place<C>, second: Place<C>) -> Queue<C> {
    let mut places = Vec::with_capacity(FEW);
    places.extend([first, second]);
    Queue::Many { places, live: 2 }
}

/// Finds the place with this sequence: it is the last one, or where it would be if no gap had been
/// closed, or is found by binary search.
fn find<C>(places: &[Place<C>], sequence: NonZeroU64) -> Option<usize> {
    let guess = sequence.get().wrapping_sub(places.first()?.sequence.get()) as usize;
    let here = |at: &usize| places.get(*at).is_some_and(|place| place.sequence == sequence);
    let found = [places.len().wrapping_sub(1), guess].iter().copied().find(here);
    found.or_else(|| places.binary_search_by_key(&sequence, |place| place.sequence).ok())
}

/// Removes the places of callbacks that were taken out: those at the end at once, the others when
/// there are too many of them.
fn close_up<C>(places: &mut Vec<Place<C>>, live: usize) {
    while places.last().is_some_and(|place| place.waiting.is_none()) {
        places.pop();
    }
    if places.capacity() > 2 * live + SLACK {
        fit(places, live, live / 2);
    }
}

/// Closes the gaps and leaves room for `room` more callbacks. A push without room doubles the buffer, a
/// removal that leaves too much room shrinks it; either way the next time is at least a fixed share of
/// `live` steps away, so the cost is amortised constant.
#[cold]
fn fit<C>(places: &mut Vec<Place<C>>, live: usize, room: usize) {
    if live < places.len() {
        places.retain(|place| place.waiting.is_some());
    }
    places.shrink_to(live + room);
    places.reserve_exact(room);
}

impl<C> Batch<C> {
    pub(super) const EMPTY: Self = Batch::One(None);

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Batch::One(callback) => callback.is_none(),
            Batch::Many(places) => places.len() == 0,
        }
    }
}

impl<C> Iterator for Batch<C> {
    type Item = C;

    fn next(&mut self) -> Option<C> {
        match self {
            Batch::One(callback) => callback.take(),
            Batch::Many(places) => places.find_map(Place::callback),
        }
    }
}
