//! Measures: repeats the body of a scenario, and keeps its preparation out of the figures.

use super::allocations;
use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// The length of a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    For(Duration),
    Batches(u32),
}

/// The result of one process, for one operation.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Sample {
    /// The median batch.
    pub ns: f64,
    /// The number of operations in all batches.
    pub operations: u64,
    /// Counted only by `probe-counting`.
    pub allocations: f64,
    /// The figure given to [`Meter::weigh`].
    pub bytes: i64,
}

pub struct Meter {
    plan: Plan,
    sample: Sample,
}

impl Meter {
    pub fn new(plan: Plan) -> Self {
        Meter { plan, sample: Sample::default() }
    }

    /// Repeats preparation and body; `operations` is the number of operations in a body. Its return value is dropped outside
    /// the figures. The first repetition is not counted.
    pub fn repeat<P, S, R>(
        &mut self,
        peer: &mut P,
        operations: u64,
        mut prepare: impl FnMut(&mut P) -> S,
        mut body: impl FnMut(&mut P, S) -> R,
    ) {
        let prepared = prepare(peer);
        drop(black_box(body(peer, prepared)));
        let (begun, mut batches, mut allocations) = (Instant::now(), Vec::with_capacity(1 << 16), 0);
        loop {
            let mut prepared = Some(prepare(peer));
            let mut returned = None;
            let (made, start) = (allocations::made(), Instant::now());
            collected(&mut || returned = prepared.take().map(|prepared| body(peer, prepared)));
            batches.push(start.elapsed().as_nanos() as f64);
            allocations += allocations::made() - made;
            drop(black_box(returned));
            let over = match self.plan {
                Plan::For(time) => begun.elapsed() >= time && batches.len() > 4,
                Plan::Batches(many) => batches.len() >= many as usize,
            };
            if over || batches.len() == batches.capacity() {
                break;
            }
        }
        let total = operations * batches.len() as u64;
        self.sample.ns = median(batches) / operations as f64;
        self.sample.operations = total;
        self.sample.allocations = allocations as f64 / total as f64;
    }

    /// Measures batches that take their time themselves.
    pub fn batches(&mut self, operations: u64, mut batch: impl FnMut() -> Duration) {
        batch();
        let begun = Instant::now();
        let mut batches = vec![];
        while match self.plan {
            Plan::For(time) => begun.elapsed() < time || batches.len() < 5,
            Plan::Batches(many) => batches.len() < many as usize,
        } {
            batches.push(batch().as_nanos() as f64);
        }
        self.sample.operations = operations * batches.len() as u64;
        self.sample.ns = median(batches) / operations as f64;
    }

    /// Notes a number of bytes.
    pub fn weigh(&mut self, bytes: i64) {
        self.sample.bytes = bytes;
    }

    pub fn sample(self) -> Sample {
        self.sample
    }
}

/// callgrind counts the instructions in here (see [`probe`](super::probe)).
#[inline(never)]
fn collected(body: &mut dyn FnMut()) {
    black_box(body)();
}

/// The smallest figure.
pub fn least(figures: Vec<f64>) -> f64 {
    figures.into_iter().min_by(f64::total_cmp).unwrap_or(f64::NAN)
}

/// The middle figure.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
