//! The number of executions of a program, estimated before they are explored: from some nodes of the tree of choices.
//!
//! A random walk through the tree, with the reciprocal of its probability as its weight, estimates the number of leaves
//! (Knuth, "Estimating the efficiency of backtrack programs", 1975). Here the weights of single walks differ by orders of
//! magnitude, because a thread that happens to drain takes many steps more. So many walks go on at once, as in stochastic
//! enumeration (Rubinstein, 2013; Vaisman and Kroese, 2017), and those that come to nodes of the same kind become one, with the
//! weight of both and the way of one of them, drawn by their weights (Chen, "Heterogeneous sampling", 1992). The sum of the
//! weights of all leaves has their number as its expected value, whatever the kinds are.
//!
//! Two nodes are of the same kind if each thread has taken as many steps and comes to the same operation next, and if the order
//! of the steps that depend on each other falls into the same bucket. The first pass has one bucket, each later one twice as
//! many, so that it merges less and takes longer. With as many buckets as orders nothing is left to chance.
//!
//! The tree is that of plain depth-first search. Sleep sets leave out a part of it.

use super::world::{self, Footprint, Operation};
use crate::engines::{Observed, set_spare};
use fastrand::Rng;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The executions of which one may be spent.
const SHARE: f64 = 100.0;

/// The part of an estimate by which the one before it may differ, unless too many executions would be spent.
const APART: f64 = 0.1;

/// The most executions that are spent.
const MOST: f64 = 100_000.0;

/// The buckets of the last pass, if it comes to that.
const MOST_BUCKETS: u64 = 1 << 20;

thread_local! {
    static SAMPLER: RefCell<Option<Sampler>> = const { RefCell::new(None) };
}

/// An estimated number of executions.
#[derive(Clone, Copy, Debug)]
pub struct Estimate {
    pub executions: f64,
    /// The estimate of the pass before, if there was one.
    pub before: Option<f64>,
    /// The number of executions that were spent.
    pub spent: u64,
}

/// Estimates the number of executions that `play` would explore on this engine without a reduction. The first pass over the
/// tree is made in any case. Others follow as long as all together take a hundredth of the executions, or as many as `least`
/// says, and as long as the last two differ by more than a tenth.
///
/// # Errors
///
/// The failure of an execution.
pub fn estimate(seed: u64, least: u64, play: impl FnOnce() -> Observed) -> Result<Estimate, String> {
    SAMPLER.set(Some(Sampler::new(seed, least)));
    let observed = play();
    let failure = || observed.broken.into_keys().next().unwrap_or_else(|| "nothing was played".to_owned());
    let Sampler { passes, spent, .. } =
        SAMPLER.take().filter(|sampler| !sampler.passes.is_empty()).ok_or_else(failure)?;
    let (last, earlier) = passes.split_last().expect("there is one");
    Ok(Estimate { executions: *last, before: earlier.last().copied(), spent })
}

/// Nodes that are sampled in place of an exploration.
pub(super) struct Sampler {
    random: Rng,
    /// The open nodes, by their kind. So all ways to one have been met before it is visited.
    open: BTreeMap<Kind, Node>,
    buckets: u64,
    /// The weight of the leaves that this pass has met, and the executions that it has spent.
    leaves: f64,
    spent_here: u64,
    /// The number of leaves, by each pass that has ended.
    passes: Vec<f64>,
    spent: u64,
    least: u64,
}

/// The kind of a node: the number of steps that lead there, those of each thread, the next operation of each thread before
/// the last of these steps, and the bucket.
type Kind = (usize, Vec<usize>, Vec<Operation>, u64);

/// A node that stands for others of its kind.
#[derive(Clone, Default)]
struct Node {
    weight: f64,
    /// The threads that take the steps to it.
    path: Vec<usize>,
}

impl Sampler {
    fn new(seed: u64, least: u64) -> Self {
        let (open, passes) = (BTreeMap::new(), Vec::new());
        let random = Rng::with_seed(seed);
        let mut new = Sampler { random, open, buckets: 1, leaves: 0.0, spent_here: 0, passes, spent: 0, least };
        new.open(&[], 0, Node { weight: 1.0, path: Vec::new() });
        new
    }

    /// The sampler that is to run now, if an estimate is wanted.
    pub(super) fn wanted() -> Option<Self> {
        SAMPLER.take()
    }

    /// Spends one execution: visits the next open node, and opens those behind it.
    ///
    /// # Errors
    ///
    /// The message of a panic, or the description of a deadlock.
    pub(super) fn visit(&mut self) -> Result<(), String> {
        self.spent_here += 1;
        let (_, Node { weight, mut path }) = self.open.pop_first().expect("a pass has not ended");
        let mut steps = Vec::new();
        for thread in &path {
            world::ready();
            steps.push((*thread, world::step(*thread)));
        }
        // Where there is no choice, it goes on at once.
        let ready = loop {
            match world::ready()[..] {
                [only] if !world::has_failed() => {
                    steps.push((only, world::step(only)));
                    path.push(only);
                }
                ref ready => break ready.to_vec(),
            }
        };
        if ready.is_empty() {
            self.leaves += weight;
        }
        let (next, bucket) = (world::next(), order(&steps) % self.buckets);
        for thread in ready {
            self.open(&next, bucket, Node { weight, path: [&path[..], &[thread]].concat() });
        }
        set_spare(true);
        world::go_on_to_the_end();
        world::end()
    }

    /// Adds a node to those of its kind.
    fn open(&mut self, next: &[Operation], bucket: u64, node: Node) {
        let mut taken = vec![0; node.path.iter().map(|thread| thread + 1).max().unwrap_or(0)];
        node.path.iter().for_each(|thread| taken[*thread] += 1);
        let known = self.open.entry((node.path.len(), taken, next.to_vec(), bucket)).or_default();
        let weight = known.weight + node.weight;
        if self.random.f64() * weight < node.weight {
            known.path = node.path;
        }
        known.weight = weight;
    }

    /// True if more executions are to be spent. Otherwise keeps the passes for the estimate.
    pub(super) fn goes_on(mut self) -> Option<Self> {
        if self.open.is_empty() {
            self.spent += self.spent_here;
            self.passes.push(self.leaves);
            let next = self.spent + 2 * self.spent_here;
            let is_enough = next as f64 > (self.leaves / SHARE).max(self.least as f64) && self.is_settled();
            if is_enough || next as f64 > MOST || self.buckets == MOST_BUCKETS {
                SAMPLER.set(Some(self));
                return None;
            }
            (self.leaves, self.spent_here) = (0.0, 0);
            self.buckets *= 2;
            self.open(&[], 0, Node { weight: 1.0, path: Vec::new() });
        }
        Some(self)
    }

    /// True if the last two passes have about the same estimate.
    fn is_settled(&self) -> bool {
        matches!(self.passes[..], [.., before, last] if (last - before).abs() <= APART * last)
    }
}

/// A digest of the order of those steps that depend on each other: for each step, how many steps of every thread come before it.
fn order(steps: &[(usize, Footprint)]) -> u64 {
    let mut needs = BTreeSet::new();
    let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
    for (at, (thread, footprint)) in steps.iter().enumerate() {
        let (mut need, mut before) = (BTreeMap::new(), BTreeMap::new());
        for (other, earlier) in &steps[..at] {
            *before.entry(*other).or_insert(0) += 1;
            if other != thread && !earlier.is_independent_of(*footprint) {
                need.insert(*other, before[other]);
            }
        }
        let nth = taken.entry(*thread).or_default();
        needs.insert((*thread, *nth, need));
        *nth += 1;
    }
    let mut hasher = DefaultHasher::new();
    needs.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_of_a_kind_become_one_with_their_weight() {
        let node = |path: &[usize], weight| Node { weight, path: path.to_vec() };
        let mut sampler = Sampler::new(1, 0);
        sampler.open.clear();
        [node(&[0, 2], 3.0), node(&[2, 0], 1.0), node(&[0, 0], 1.0)]
            .into_iter()
            .for_each(|node| sampler.open(&[], 0, node));
        sampler.open(&[], 1, node(&[0, 2], 2.0));
        let open: Vec<_> = sampler.open.iter().map(|(kind, node)| (kind.clone(), node.weight)).collect();
        assert_eq!(
            open,
            [
                ((2, vec![1, 0, 1], vec![], 0), 4.0),
                ((2, vec![1, 0, 1], vec![], 1), 2.0),
                ((2, vec![2], vec![], 0), 1.0)
            ]
        );
        // The way is drawn by the weights.
        let first = (0..1000).filter(|_| {
            sampler.open.clear();
            [node(&[0, 2], 3.0), node(&[2, 0], 1.0)].into_iter().for_each(|node| sampler.open(&[], 0, node));
            sampler.open.values().all(|node| node.path[0] == 0)
        });
        assert!((700..800).contains(&first.count()));
    }

    #[test]
    fn the_order_of_two_steps_counts_if_one_depends_on_the_other() {
        let [a, b] = [Footprint::writing(1), Footprint::writing(2)];
        assert_ne!(order(&[(0, a), (1, a)]), order(&[(1, a), (0, a)]));
        assert_eq!(order(&[(0, a), (1, b)]), order(&[(1, b), (0, a)]));
        assert_eq!(order(&[(0, a), (0, b), (1, a)]), order(&[(0, a), (1, a), (0, b)]));
        assert_ne!(order(&[(0, a), (0, b), (1, b)]), order(&[(0, a), (1, b), (0, b)]));
    }
}
