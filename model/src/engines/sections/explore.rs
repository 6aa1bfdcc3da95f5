//! The exploration: a depth-first search through the choices of which thread takes the next step, by running the whole
//! execution again for each.
//!
//! One reduction, which can be switched off: *sleep sets*. If two steps have the same effect in both orders, only one
//! order is explored: Godefroid, "Partial-order methods for the verification of concurrent systems", 1996, chapter 5.

use super::super::Extent;
use super::estimate::Sampler;
use super::world::{self, Footprint};
use super::{machine, sync};
use crate::engines::record::recorder;
use crate::engines::set_spare;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

#[path = "../shared/primitives.rs"]
mod primitives;

use primitives::ThreadBody;
pub use primitives::{Flag, Mutex, Probe};

/// Runs all bodies at once, the first one on this thread, and returns when all have ended.
pub fn at_once<R: Send + 'static>(bodies: Vec<ThreadBody<R>>) -> Vec<R> {
    primitives::at_once(bodies, sync::be_thread)
}

thread_local! {
    static IS_PLAIN: Cell<bool> = const { Cell::new(false) };
    static PART: RefCell<Option<Part>> = const { RefCell::new(None) };
}

/// A search, and a function that is called with it after each execution. The exploration is cut once that returns false.
struct Part {
    search: Search,
    goes_on: Box<dyn FnMut(&mut Search) -> bool>,
}

/// Plays without any reduction.
pub fn plainly<R>(play: impl FnOnce() -> R) -> R {
    IS_PLAIN.set(true);
    let played = play();
    IS_PLAIN.set(false);
    played
}

/// Plays the executions of this search instead of all.
pub(super) fn partly<R>(
    search: Search,
    goes_on: impl FnMut(&mut Search) -> bool + 'static,
    play: impl FnOnce() -> R,
) -> R {
    PART.set(Some(Part { search, goes_on: Box::new(goes_on) }));
    let played = play();
    PART.take();
    played
}

/// Explores every execution, or those of a part, which is given by `partly`.
///
/// # Errors
///
/// The message of a panic, or the description of a deadlock.
pub fn explore(execution: impl Fn() + Send + Sync + 'static) -> Result<Extent, String> {
    let execution = Rc::new(execution);
    let whole = || Part { search: Search::default(), goes_on: Box::new(|_| true) };
    let Part { mut search, mut goes_on } = PART.take().unwrap_or_else(whole);
    let begin = || {
        recorder::begin(sync::this_thread);
        let body = execution.clone();
        world::begin(move || body(), false);
    };
    let mut sampler = Sampler::wanted();
    while let Some(mut sampling) = sampler {
        begin();
        let ended = sampling.visit();
        set_spare(false);
        ended?;
        sampler = sampling.goes_on();
        if sampler.is_none() {
            return Ok(Extent::Sampled);
        }
    }
    loop {
        begin();
        let ended = search.run();
        set_spare(false);
        ended?;
        if !goes_on(&mut search) {
            return Ok(Extent::Cut);
        }
        if !search.turn() {
            return Ok(Extent::Complete);
        }
    }
}

/// The path from the start to the present execution, and what was explored beside it.
#[derive(Clone, Default)]
pub(super) struct Search {
    path: Vec<Choice>,
    /// The number of choices at the begin of the path that stay as they are, because others explore what is beside them.
    fixed: usize,
}

/// A state in which some threads can take a step.
#[derive(Clone)]
struct Choice {
    ready: Vec<usize>,
    /// Threads whose next steps, with these footprints, lead only to executions that were explored.
    asleep: Vec<(usize, Footprint)>,
    chosen: usize,
    /// The accesses of the chosen step.
    footprint: Footprint,
}

impl Search {
    /// Runs one execution: along the path, and from its end on with the first choice of each state.
    ///
    /// # Errors
    ///
    /// The message of a panic, or the description of a deadlock.
    fn run(&mut self) -> Result<(), String> {
        let (mut asleep, mut depth, is_plain) = (Vec::new(), 0, IS_PLAIN.get());
        loop {
            let ready = world::ready();
            if ready.is_empty() || world::has_failed() {
                return world::end();
            }
            if depth == self.path.len() {
                let Some(chosen) = first(&ready, &asleep) else {
                    set_spare(true);
                    world::go_on_to_the_end();
                    return world::end();
                };
                self.path.push(Choice {
                    ready,
                    asleep: std::mem::take(&mut asleep),
                    chosen,
                    footprint: Footprint::default(),
                });
            } else {
                assert_eq!(self.path[depth].ready, ready, "an execution that is repeated does the same");
            }
            let choice = &mut self.path[depth];
            choice.footprint = world::step(choice.chosen);
            let footprint = choice.footprint;
            if !is_plain {
                asleep = choice
                    .asleep
                    .iter()
                    .filter(|(thread, asleep)| *thread != choice.chosen && asleep.is_independent_of(footprint))
                    .copied()
                    .collect();
            }
            depth += 1;
        }
    }

    /// Turns to the next choice of the last state that has one. False if there is none.
    fn turn(&mut self) -> bool {
        while let Some(choice) = self.path[self.fixed..].last_mut() {
            choice.asleep.push((choice.chosen, choice.footprint));
            match first(&choice.ready, &choice.asleep) {
                Some(next) => {
                    choice.chosen = next;
                    return true;
                }
                None => drop(self.path.pop()),
            }
        }
        false
    }

    /// Gives away what is left beside the first choice of the path that has something left: about the largest part, and the
    /// last one in order. None if this search would keep nothing. The execution must have ended.
    pub(super) fn give(&mut self) -> Option<Search> {
        let has_left = |choice: &Choice| {
            let beside = |thread: &&usize| **thread != choice.chosen;
            choice.ready.iter().filter(beside).any(|thread| !choice.is_asleep(*thread))
        };
        let mut left = (self.fixed..self.path.len()).filter(|depth| has_left(&self.path[*depth]));
        let (depth, _kept) = (left.next()?, left.next()?);
        let mut given = Search { path: self.path[..=depth].to_vec(), fixed: depth };
        self.fixed = depth + 1;
        given.turn().then_some(given)
    }

    /// Gives away all that is left, if there is anything. The execution must have ended.
    pub(super) fn give_all(&mut self) -> Option<Search> {
        let mut given = self.clone();
        self.fixed = self.path.len();
        given.turn().then_some(given)
    }

    /// The threads that take the steps to the next execution. The order of these lists is that of the search.
    pub(super) fn place(&self) -> Vec<usize> {
        self.path.iter().map(|choice| choice.chosen).collect()
    }
}

impl Choice {
    fn is_asleep(&self, thread: usize) -> bool {
        self.asleep.iter().any(|(asleep, _)| *asleep == thread)
    }
}

/// The first of these threads that is not asleep.
fn first(ready: &[usize], asleep: &[(usize, Footprint)]) -> Option<usize> {
    ready.iter().copied().find(|thread| asleep.iter().all(|(asleep, _)| asleep != thread))
}
