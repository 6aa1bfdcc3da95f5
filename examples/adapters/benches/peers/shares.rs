//! Shared futures. The inner one is the one-shot of futures-channel, on both sides.

use super::operations::{Table, each, poll};
use futures::FutureExt;
use futures::channel::oneshot::{Canceled, Receiver, Sender, channel};
use std::future::Future;
use std::hint::black_box;
use std::task::Poll;
use whendone_adapters::shared::Shared;
use whendone_bench::meter::Meter;

pub const TABLE: Table = Table {
    adapter: "shared",
    peers: &["futures-util"],
    operations: &[
        ("share and drop a future", &[Some(share::<Ours>), Some(share::<Theirs>)]),
        ("clone and drop", &[Some(clone::<Ours>), Some(clone::<Theirs>)]),
        ("first poll", &[Some(first_poll::<Ours>), Some(first_poll::<Theirs>)]),
        ("further poll", &[Some(further_poll::<Ours>), Some(further_poll::<Theirs>)]),
        ("first poll of a second clone", &[Some(second_clone::<Ours>), Some(second_clone::<Theirs>)]),
        ("the inner future wakes two clones", &[Some(wake::<Ours>), Some(wake::<Theirs>)]),
        ("poll to the end", &[Some(finish::<Ours>), Some(finish::<Theirs>)]),
        ("output of a further clone", &[Some(read::<Ours>), Some(read::<Theirs>)]),
    ],
};

type Ours = Shared<Receiver<u64>>;
type Theirs = futures::future::Shared<Receiver<u64>>;

trait Share: Future<Output = Result<u64, Canceled>> + Clone + Unpin {
    fn share(future: Receiver<u64>) -> Self;
}

impl Share for Ours {
    fn share(future: Receiver<u64>) -> Self {
        Shared::new(future)
    }
}

impl Share for Theirs {
    fn share(future: Receiver<u64>) -> Self {
        future.shared()
    }
}

/// The sender that completes the inner future, and two clones.
type Pair<S> = (Option<Sender<u64>>, S, S);

fn unpolled<S: Share>() -> Pair<S> {
    let (sender, receiver) = channel();
    let shared = S::share(receiver);
    (Some(sender), shared.clone(), shared)
}

fn polled<S: Share>() -> Pair<S> {
    let mut pair = unpolled();
    poll_first(&mut pair);
    pair
}

fn both_polled<S: Share>() -> Pair<S> {
    let mut pair = polled();
    poll_second(&mut pair);
    pair
}

fn woken<S: Share>() -> Pair<S> {
    let mut pair = both_polled();
    send(&mut pair);
    pair
}

fn poll_first<S: Share>((_, first, _): &mut Pair<S>) {
    assert!(poll(first).is_pending());
}

fn poll_second<S: Share>((.., second): &mut Pair<S>) {
    assert!(poll(second).is_pending());
}

fn send<S>((sender, ..): &mut Pair<S>) {
    assert_eq!(sender.take().expect("not sent").send(3), Ok(()));
}

fn share<S: Share>(meter: &mut Meter) {
    let inner = || Some(channel::<u64>().1);
    each(meter, inner, |receiver| drop(black_box(S::share(receiver.take().expect("not shared")))));
}

fn clone<S: Share>(meter: &mut Meter) {
    each(meter, unpolled::<S>, |(_, first, _)| drop(black_box(first.clone())));
}

fn first_poll<S: Share>(meter: &mut Meter) {
    each(meter, unpolled::<S>, poll_first);
}

fn further_poll<S: Share>(meter: &mut Meter) {
    each(meter, polled::<S>, poll_first);
}

fn second_clone<S: Share>(meter: &mut Meter) {
    each(meter, polled::<S>, poll_second);
}

fn wake<S: Share>(meter: &mut Meter) {
    each(meter, both_polled::<S>, send);
}

fn finish<S: Share>(meter: &mut Meter) {
    each(meter, woken::<S>, |(_, first, _)| assert_eq!(poll(first), Poll::Ready(Ok(3))));
}

fn read<S: Share>(meter: &mut Meter) {
    let finished = || {
        let mut pair = woken::<S>();
        assert!(poll(&mut pair.1).is_ready());
        pair
    };
    each(meter, finished, |(.., second)| assert_eq!(poll(second), Poll::Ready(Ok(3))));
}
