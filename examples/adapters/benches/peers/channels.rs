//! Channels for one value.

use super::operations::{Table, each, poll};
use futures::channel::oneshot as futures_oneshot;
use std::future::Future;
use std::hint::black_box;
use std::task::Poll;
use std::time::Duration;
use whendone_adapters::oneshot as ours;
use whendone_bench::meter::Meter;

pub const TABLE: Table = Table {
    adapter: "oneshot",
    peers: &["futures-channel", "oneshot"],
    operations: &[
        ("make and drop both ends", &[Some(make::<Ours>), Some(make::<Futures>), Some(make::<Oneshot>)]),
        ("send, nobody waits", &[Some(send::<Ours>), Some(send::<Futures>), Some(send::<Oneshot>)]),
        ("receive what was sent", &[Some(receive::<Ours>), Some(receive::<Futures>), Some(receive::<Oneshot>)]),
        ("first poll", &[Some(first_poll::<Ours>), Some(first_poll::<Futures>), Some(first_poll::<Oneshot>)]),
        ("further poll", &[Some(further_poll::<Ours>), Some(further_poll::<Futures>), Some(further_poll::<Oneshot>)]),
        ("send and wake", &[Some(wake::<Ours>), Some(wake::<Futures>), Some(wake::<Oneshot>)]),
        ("receive with a timeout of zero", &[Some(time_out_ours), None, Some(time_out_theirs)]),
    ],
};

trait Channel {
    type Sender;
    type Receiver: Future<Output: Received> + Unpin;
    fn channel() -> (Self::Sender, Self::Receiver);
    fn send(sender: Self::Sender, value: u64) -> bool;
}

/// The output of a receiver.
trait Received {
    fn value(self) -> Option<u64>;
}

impl<E> Received for Result<u64, E> {
    fn value(self) -> Option<u64> {
        self.ok()
    }
}

/// Channels whose ends have the same methods.
macro_rules! channels {
    ($($name:ident = $sender:ty, $receiver:ty, $channel:path;)*) => {$(
        struct $name;

        impl Channel for $name {
            type Sender = $sender;
            type Receiver = $receiver;

            fn channel() -> (Self::Sender, Self::Receiver) {
                $channel()
            }

            fn send(sender: Self::Sender, value: u64) -> bool {
                sender.send(value).is_ok()
            }
        }
    )*};
}

channels! {
    Ours = ours::Sender<u64>, ours::Receiver<u64>, ours::channel;
    Futures = futures_oneshot::Sender<u64>, futures_oneshot::Receiver<u64>, futures_oneshot::channel;
    Oneshot = oneshot::Sender<u64>, oneshot::AsyncReceiver<u64>, oneshot::async_channel;
}

type Ends<C> = (Option<<C as Channel>::Sender>, <C as Channel>::Receiver);

fn unpolled<C: Channel>() -> Ends<C> {
    let (sender, receiver) = C::channel();
    (Some(sender), receiver)
}

fn polled<C: Channel>() -> Ends<C> {
    let mut ends = unpolled::<C>();
    poll_it::<C>(&mut ends);
    ends
}

fn poll_it<C: Channel>((_, receiver): &mut Ends<C>) {
    assert!(poll(receiver).is_pending());
}

fn send_it<C: Channel>((sender, _): &mut Ends<C>) {
    assert!(C::send(sender.take().expect("not sent"), 3));
}

fn make<C: Channel>(meter: &mut Meter) {
    each(meter, || (), |()| drop(black_box(C::channel())));
}

fn send<C: Channel>(meter: &mut Meter) {
    each(meter, unpolled::<C>, send_it::<C>);
}

fn receive<C: Channel>(meter: &mut Meter) {
    let sent = || {
        let mut ends = unpolled::<C>();
        send_it::<C>(&mut ends);
        ends
    };
    each(meter, sent, |(_, receiver)| match poll(receiver) {
        Poll::Ready(received) => assert_eq!(received.value(), Some(3)),
        Poll::Pending => unreachable!("it was sent"),
    });
}

fn first_poll<C: Channel>(meter: &mut Meter) {
    each(meter, unpolled::<C>, poll_it::<C>);
}

fn further_poll<C: Channel>(meter: &mut Meter) {
    each(meter, polled::<C>, poll_it::<C>);
}

fn wake<C: Channel>(meter: &mut Meter) {
    each(meter, polled::<C>, send_it::<C>);
}

fn time_out_ours(meter: &mut Meter) {
    each(meter, ours::channel::<u64>, |(_, receiver)| assert!(receiver.recv_timeout(Duration::ZERO).is_err()));
}

fn time_out_theirs(meter: &mut Meter) {
    each(meter, oneshot::channel::<u64>, |(_, receiver)| assert!(receiver.recv_timeout(Duration::ZERO).is_err()));
}
