//! The scenarios of an await: first poll, further poll, wake, drop.

use super::check::VALUE;
use super::meter::Meter;
use super::peers::{Awaits, Value};
use super::registry::Play;
use super::rows::Scenario::{self, *};
use super::scenarios::BATCH;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Wake, Waker};

/// The scenarios of a library that can be awaited.
pub fn awaits<P: Awaits>(scenario: Scenario) -> Option<Play> {
    match scenario {
        AwaitFirst => Some(first_polls::<P>),
        AwaitAgain => Some(further_polls::<P>),
        AwaitWake => Some(wakes::<P>),
        AwaitDrop => Some(drops::<P>),
        _ => None,
    }
}

/// Counts its wakes. It is one `Arc`, so a clone of a waker is one read-modify-write, and a drop another.
#[derive(Default)]
struct Woken(AtomicU64);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(self.0.load(Relaxed) + 1, Relaxed);
    }
}

type Pair<P> = (<P as Awaits>::Completer, <P as Awaits>::Task);
type Awaited<P> = (Pair<P>, <P as Awaits>::Wait);

fn unpolled<P: Awaits>() -> Vec<Awaited<P>> {
    let awaited = (0..BATCH).map(|_| {
        let (completer, task) = P::task();
        let wait = P::wait(&task);
        ((completer, task), wait)
    });
    awaited.collect()
}

fn polled<P: Awaits>(waker: &Waker) -> Vec<Awaited<P>> {
    let mut awaited = unpolled::<P>();
    poll_all::<P>(&mut awaited, waker);
    awaited
}

fn poll_all<P: Awaits>(awaited: &mut [Awaited<P>], waker: &Waker) {
    for (_, wait) in awaited {
        assert!(Pin::new(wait).poll(&mut Context::from_waker(waker)).is_pending(), "nobody has completed it");
    }
}

fn first_polls<P: Awaits>(meter: &mut Meter, _: u64) {
    let waker = Waker::from(Arc::<Woken>::default());
    let body = |_: &mut (), mut awaited: Vec<Awaited<P>>| {
        poll_all::<P>(&mut awaited, &waker);
        awaited
    };
    meter.repeat(&mut (), BATCH, |_| unpolled::<P>(), body);
}

fn further_polls<P: Awaits>(meter: &mut Meter, _: u64) {
    let waker = Waker::from(Arc::<Woken>::default());
    let body = |_: &mut (), mut awaited: Vec<Awaited<P>>| {
        poll_all::<P>(&mut awaited, &waker);
        awaited
    };
    meter.repeat(&mut (), BATCH, |_| polled::<P>(&waker), body);
}

/// Every await is woken once, by the completion of its task.
fn wakes<P: Awaits>(meter: &mut Meter, _: u64) {
    let woken = Arc::<Woken>::default();
    let waker = Waker::from(woken.clone());
    let body = |_: &mut (), awaited: Vec<Awaited<P>>| {
        let before = woken.0.load(Relaxed);
        let complete = |((completer, task), wait): Awaited<P>| {
            P::complete(completer, &task, Value(VALUE));
            (task, wait)
        };
        let done: Vec<_> = awaited.into_iter().map(complete).collect();
        assert_eq!(woken.0.load(Relaxed) - before, BATCH, "wakes");
        done
    };
    meter.repeat(&mut (), BATCH, |_| polled::<P>(&waker), body);
}

/// None of them is woken.
fn drops<P: Awaits>(meter: &mut Meter, _: u64) {
    let woken = Arc::<Woken>::default();
    let waker = Waker::from(woken.clone());
    let prepare = |_: &mut ()| polled::<P>(&waker).into_iter().unzip();
    let body = |_: &mut (), (pairs, mut waits): (Vec<Pair<P>>, Vec<P::Wait>)| {
        waits.clear();
        (pairs, waits)
    };
    meter.repeat(&mut (), BATCH, prepare, body);
    assert_eq!(woken.0.load(Relaxed), 0, "wakes");
}
