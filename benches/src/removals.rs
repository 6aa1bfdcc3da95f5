//! S3 and S4: callbacks that are removed before their turn.

use super::allocations::live;
use super::check::{Log, VALUE};
use super::meter::Meter;
use super::peers::Removes;
use super::registry::Play;
use super::rows::Scenario::{self, *};
use super::scenarios::{BATCH, Pair, finish};
use std::cell::RefCell;
use std::hint::black_box;
use std::ops::Range;

/// The scenarios of a peer that removes.
pub fn removals<P: Removes>(scenario: Scenario) -> Option<Play> {
    match scenario {
        S3 => Some(pairs::<P>),
        S4 => Some(shuffled::<P>),
        S4Remove => Some(|meter, n| some_removals::<P>(meter, n, 0..n)),
        S4First => Some(|meter, n| some_removals::<P>(meter, n, 0..n / 4)),
        S4Compact => Some(|meter, n| some_removals::<P>(meter, 4 * n, 3 * n..4 * n)),
        _ => None,
    }
}

/// S3. Weighs the bytes that the pairs leave behind; the others must run in the end.
fn pairs<P: Removes>(meter: &mut Meter, others: u64) {
    let (log, mut peer) = (Log::leak(), P::new());
    let (completer, mut task) = peer.task();
    for sequence in 0..others {
        P::keep(peer.add(&mut task, log.check(sequence)));
    }
    let pair = |peer: &mut P, task: &mut P::Task| {
        let id = peer.add(task, log.check(others));
        peer.settle();
        peer.remove(black_box(&mut *task), id);
        peer.settle();
    };
    pair(&mut peer, &mut task);
    let before = live();
    let mut in_batch = |peer: &mut P, ()| (0..BATCH).for_each(|_| pair(peer, &mut task));
    meter.repeat(&mut peer, BATCH, |_| (), &mut in_batch);
    meter.weigh(live() - before);
    P::complete(completer, &mut task, VALUE);
    peer.turn();
    log.settle(others);
}

/// S4.
fn shuffled<P: Removes>(meter: &mut Meter, n: u64) {
    let (log, mut peer) = (Log::leak(), P::new());
    let (completer, mut task) = peer.task();
    let (order, rounds) = (random_order(n), (BATCH / n).max(1));
    let mut ids = Vec::with_capacity(n as usize);
    meter.repeat(
        &mut peer,
        rounds * n,
        |_| (),
        |peer, ()| {
            for _ in 0..rounds {
                ids.extend((0..n).map(|sequence| Some(peer.add(&mut task, log.check(sequence)))));
                peer.settle();
                for &at in &order {
                    ids[at].take().into_iter().for_each(|id| peer.remove(black_box(&mut task), id));
                }
                peer.settle();
                ids.clear();
            }
        },
    );
    P::complete(completer, &mut task, VALUE);
    peer.turn();
    log.settle(0);
}

/// Adds `all`, removes them in random order, and measures a part of the removals.
fn some_removals<P: Removes>(meter: &mut Meter, all: u64, measured: Range<u64>) {
    let (log, order) = (Log::leak(), random_order(all));
    let (begin, count) = (measured.start as usize, (measured.end - measured.start) as usize);
    let (tasks, stay) = ((BATCH / count as u64).max(1), all - measured.end);
    let mut stays: Vec<_> = order[begin + count..].to_vec();
    stays.sort_unstable();
    let left = RefCell::new(Vec::new());
    let prepare = |peer: &mut P| {
        finish(peer, &mut left.borrow_mut(), log, stay);
        let prepared = (0..tasks).map(|nth| {
            let (completer, mut task) = peer.task();
            let check = |at| stays.binary_search(&at).map_or(log.never(), |turn| log.check(nth * stay + turn as u64));
            let mut ids: Vec<_> = (0..all as usize).map(|at| Some(peer.add(&mut task, check(at)))).collect();
            peer.settle();
            let mut removed: Vec<_> = order[..begin + count].iter().filter_map(|&at| ids[at].take()).collect();
            ids.into_iter().flatten().for_each(P::keep);
            let measured = removed.split_off(begin);
            removed.into_iter().for_each(|id| peer.remove(&mut task, id));
            peer.settle();
            ((completer, task), measured)
        });
        prepared.unzip()
    };
    let body = |peer: &mut P, (mut tasks, measured): (Vec<Pair<P>>, Vec<Vec<P::Id>>)| {
        for ((_, task), ids) in tasks.iter_mut().zip(measured) {
            for id in ids {
                peer.remove(black_box(task), id);
            }
            peer.settle();
        }
        left.replace(tasks)
    };
    let mut peer = P::new();
    meter.repeat(&mut peer, tasks * count as u64, prepare, body);
    finish(&mut peer, &mut left.borrow_mut(), log, stay);
}

/// A random order, the same on every call. Another one costs other instructions (S4Compact), so a generator from a library
/// would move the budget with its version.
fn random_order(n: u64) -> Vec<usize> {
    let (mut order, mut random): (Vec<_>, _) = ((0..n as usize).collect(), 1_u64);
    for at in (1..order.len()).rev() {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(at, (random >> 33) as usize % (at + 1));
    }
    order
}
