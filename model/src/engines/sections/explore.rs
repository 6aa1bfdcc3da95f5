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
use std::cell::Cell;
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
}

/// Plays without any reduction.
pub fn plainly<R>(play: impl FnOnce() -> R) -> R {
    IS_PLAIN.set(true);
    let played = play();
    IS_PLAIN.set(false);
    played
}

/// Explores every execution.
///
/// # Errors
///
/// The message of a panic, or the description of a deadlock.
pub fn explore(execution: impl Fn() + Send + Sync + 'static) -> Result<Extent, String> {
    let execution = Rc::new(execution);
    let mut search = Search { path: Vec::new(), is_plain: IS_PLAIN.get() };
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
        if !search.turn() {
            return Ok(Extent::Complete);
        }
    }
}

/// The path from the start to the present execution, and what was explored beside it.
struct Search {
    path: Vec<Choice>,
    is_plain: bool,
}

/// A state in which some threads can take a step.
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
        let (mut asleep, mut depth) = (Vec::new(), 0);
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
            if !self.is_plain {
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
        while let Some(choice) = self.path.last_mut() {
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
}

/// The first of these threads that is not asleep.
fn first(ready: &[usize], asleep: &[(usize, Footprint)]) -> Option<usize> {
    ready.iter().copied().find(|thread| asleep.iter().all(|(asleep, _)| asleep != thread))
}
