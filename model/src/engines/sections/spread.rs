//! A large program on several threads of the system. Its search is divided into parts, each of which has its executions
//! one after the other in the order of the search; a thread without work is given a part of a part.
//!
//! A part begins with its path, and with the sleep set of each choice on it. So each execution is explored that one thread
//! would explore, and no other. Nothing else is shared: each thread has its own coroutines.

use super::explore::{Search, partly};
use super::world;
use crate::engines::{Extent, Observed, Play, message};
use crate::scenario::Scenario;
use std::collections::BTreeMap;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// The way in which a program is spread.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    /// The number of threads of the system.
    pub workers: usize,
    /// The number of executions after which a program counts as large. Before, it has one thread.
    pub alone: u64,
}

/// The executions that take less time than some threads need to begin.
const ALONE: u64 = 1_000;

impl Spread {
    pub fn over(workers: usize) -> Self {
        Spread { workers, alone: ALONE }
    }

    /// Plays the scenario on the engine of sections, with the result that one thread would have: what comes after the first
    /// failing execution in the order of the search does not count. Not for an exploration that is watched, or ends when
    /// enough is seen.
    pub fn play(self, play: Play, scenario: &Scenario) -> Observed {
        if self.workers == 1 {
            return play(scenario);
        }
        let pool = Arc::new(Pool::default());
        let mut executions = 0;
        let given_to = pool.clone();
        let goes_on = move |search: &mut Search| {
            executions += 1;
            if executions == self.alone {
                given_to.locked().extend(search.give_all().map(|all| (all.place(), Part::Open(all))));
            }
            true
        };
        let mut observed = partly(Search::default(), goes_on, || play(scenario));
        if !pool.locked().is_empty() {
            thread::scope(|scope| {
                for _ in 1..self.workers {
                    scope.spawn(|| {
                        pool.work(play, scenario);
                        world::leave();
                    });
                }
                pool.work(play, scenario);
            });
        }
        let parts = mem::take(&mut *pool.locked()).into_values();
        parts.filter_map(Part::done).for_each(|next| observed.append(next));
        observed
    }
}

/// The place of a part in the order of the search.
type Place = Vec<usize>;

enum Part {
    Open(Search),
    UnderWay,
    Done(Observed),
}

impl Part {
    /// The search, if the part is open. It is under way then.
    fn take_open(&mut self) -> Option<Search> {
        match mem::replace(self, Part::UnderWay) {
            Part::Open(search) => return Some(search),
            other => *self = other,
        }
        None
    }

    fn done(self) -> Option<Observed> {
        if let Part::Done(observed) = self { Some(observed) } else { None }
    }
}

#[derive(Default)]
struct Pool {
    /// The parts up to the first known failure. Neighbours that are done become one.
    parts: Mutex<BTreeMap<Place, Part>>,
    changed: Condvar,
    /// The number of threads that wait for a part.
    waiting: AtomicUsize,
    has_failed: AtomicBool,
}

impl Pool {
    fn locked(&self) -> MutexGuard<'_, BTreeMap<Place, Part>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plays parts until none is left.
    fn work(self: &Arc<Self>, play: Play, scenario: &Scenario) {
        while let Some((place, search)) = self.take() {
            let (pool, at) = (self.clone(), place.clone());
            let goes_on = move |search: &mut Search| pool.goes_on(&at, search);
            let played = catch_unwind(AssertUnwindSafe(|| partly(search, goes_on, || play(scenario))));
            // A panic of the harness must not leave others waiting.
            let failed = |payload| Observed { broken: [(message(payload), 1)].into(), ..Observed::default() };
            self.done(place, played.unwrap_or_else(failed));
        }
    }

    /// The first part that is open. Waits for one as long as another part may give one away.
    fn take(&self) -> Option<(Place, Search)> {
        let mut parts = self.locked();
        loop {
            let open = parts.iter_mut().find_map(|(place, part)| Some((place.clone(), part.take_open()?)));
            if open.is_some() || !parts.values().any(|part| matches!(part, Part::UnderWay)) {
                return open;
            }
            self.waiting.fetch_add(1, Ordering::Relaxed);
            parts = self.changed.wait(parts).unwrap_or_else(PoisonError::into_inner);
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Gives a part of the search to a thread that waits. False if the search comes after a failure.
    fn goes_on(&self, place: &Place, search: &mut Search) -> bool {
        let is_waited_for = self.waiting.load(Ordering::Relaxed) > 0;
        if !is_waited_for && !self.has_failed.load(Ordering::Relaxed) {
            return true;
        }
        let mut parts = self.locked();
        if !parts.contains_key(place) {
            return false;
        }
        let is_open = parts.values().any(|part| matches!(part, Part::Open(_)));
        if let Some(given) = (is_waited_for && !is_open).then(|| search.give()).flatten() {
            parts.insert(given.place(), Part::Open(given));
            self.changed.notify_one();
        }
        true
    }

    fn done(&self, place: Place, observed: Observed) {
        let mut parts = self.locked();
        if parts.contains_key(&place) {
            if observed.extent == Extent::Cut {
                parts.split_off(&place);
                self.has_failed.store(true, Ordering::Relaxed);
            }
            parts.insert(place, Part::Done(observed));
            join(&mut parts);
        }
        self.changed.notify_all();
    }
}

/// Makes one part of neighbours that are done, so that there are not many more parts than threads.
fn join(parts: &mut BTreeMap<Place, Part>) {
    let mut joined: Vec<(Place, Part)> = Vec::new();
    for (place, part) in mem::take(parts) {
        match (joined.last_mut(), part) {
            (Some((_, Part::Done(before))), Part::Done(observed)) => before.append(observed),
            (_, part) => joined.push((place, part)),
        }
    }
    parts.extend(joined);
}
