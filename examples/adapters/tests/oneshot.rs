//! The documented promises of the oneshot crate and of the oneshot channel of futures, as tests of our own.

mod support;

use futures::executor::block_on;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};
use support::{Count, poll};
use whendone_adapters::oneshot::{Disconnected, NotReceived, Receiver, channel};

const NO_TIME: Duration = Duration::ZERO;
const LONG: Duration = Duration::from_secs(3600);

#[test]
fn a_value_is_received_once_in_each_way() {
    for way in 0..4 {
        let (sender, mut receiver) = channel();
        assert_eq!(receiver.try_recv(), Err(NotReceived::Empty));
        sender.send("value").unwrap();
        let received = match way {
            0 => receiver.try_recv().map_err(|_| Disconnected),
            1 => receiver.recv_timeout(NO_TIME).map_err(|_| Disconnected),
            2 => block_on(&mut receiver),
            _ => {
                assert_eq!(receiver.recv(), Ok("value"));
                continue;
            }
        };
        assert_eq!(received, Ok("value"));
        assert_eq!(receiver.try_recv(), Err(NotReceived::Disconnected), "it was taken");
    }
}

#[test]
fn a_value_for_nobody_is_given_back() {
    let (sender, receiver) = channel();
    drop(receiver);
    assert!(sender.is_closed());
    assert_eq!(sender.send("value"), Err("value"));
}

#[test]
fn a_sender_that_is_dropped_disconnects() {
    let (sender, mut receiver) = channel::<u32>();
    let count = Arc::new(Count::default());
    assert!(poll(&mut receiver, &count).is_pending());
    drop(sender);
    assert_eq!((count.wakes(), poll(&mut receiver, &count)), (1, Poll::Ready(Err(Disconnected))));
    assert_eq!(receiver.recv_timeout(LONG), Err(NotReceived::Disconnected));
    assert_eq!(receiver.recv(), Err(Disconnected));
}

#[test]
fn a_closed_channel_gives_what_was_sent_before_and_refuses_the_rest() {
    let (sender, receiver) = channel();
    sender.send(3).unwrap();
    receiver.close();
    assert_eq!(receiver.try_recv(), Ok(3));
    let (sender, receiver) = channel();
    receiver.close();
    assert_eq!((sender.send(3), receiver.try_recv()), (Err(3), Err(NotReceived::Disconnected)));
}

#[test]
fn a_receiver_says_whether_it_has_a_value_and_whether_one_may_come() {
    let (sender, receiver) = channel();
    assert!(sender.is_connected_to(&receiver) && !sender.is_connected_to(&channel().1));
    let says = |receiver: &Receiver<u32>| (receiver.has_message(), receiver.is_closed());
    assert_eq!(says(&receiver), (false, false));
    sender.send(3).unwrap();
    assert_eq!(says(&receiver), (true, false));
    receiver.try_recv().unwrap();
    assert_eq!(says(&receiver), (false, true));
    let (sender, receiver) = channel();
    drop(sender);
    assert_eq!(says(&receiver), (false, true));
}

#[test]
fn a_sender_is_woken_when_the_receiver_goes() {
    let (mut sender, receiver) = channel::<u32>();
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    assert!(sender.poll_closed(&mut Context::from_waker(&waker)).is_pending());
    drop(receiver);
    assert!(count.wakes() == 1 && sender.poll_closed(&mut Context::from_waker(&waker)).is_ready());
}

#[test]
fn a_timeout_takes_its_time_and_leaves_the_channel_open() {
    let (sender, mut receiver) = channel();
    let (begun, time) = (Instant::now(), Duration::from_millis(20));
    assert_eq!(receiver.recv_timeout(time), Err(NotReceived::Empty));
    assert!(begun.elapsed() >= time);
    sender.send(3).unwrap();
    assert_eq!(receiver.recv_timeout(NO_TIME), Ok(3));
}

#[test]
fn a_value_that_nobody_takes_is_dropped_with_the_receiver() {
    let (sender, receiver) = channel();
    let value = Arc::new(());
    sender.send(value.clone()).unwrap();
    assert_eq!(Arc::strong_count(&value), 2);
    drop(receiver);
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn a_receiver_may_change_from_task_to_thread() {
    let (sender, mut receiver) = channel();
    let count = Arc::new(Count::default());
    assert!(poll(&mut receiver, &count).is_pending());
    thread::scope(|scope| {
        let received = scope.spawn(|| receiver.recv());
        sender.send(3).unwrap();
        assert_eq!(received.join().unwrap(), Ok(3));
    });
}

/// A receiver that timed out was not served, so the value is there later; none is lost and none comes twice.
#[test]
fn a_timeout_that_races_with_a_send_loses_nothing() {
    for round in 0..2000_u64 {
        let (sender, mut receiver) = channel();
        let start = Barrier::new(2);
        thread::scope(|scope| {
            let sent = scope.spawn(|| {
                start.wait();
                sender.send(round)
            });
            start.wait();
            match receiver.recv_timeout(Duration::from_nanos(round % 64 * 500)) {
                Ok(value) => assert_eq!(value, round),
                Err(NotReceived::Disconnected) => panic!("the sender sends"),
                Err(NotReceived::Empty) => assert_eq!(receiver.recv_timeout(LONG), Ok(round)),
            }
            assert_eq!(sent.join().unwrap(), Ok(()));
        });
        assert_eq!(receiver.try_recv(), Err(NotReceived::Disconnected));
    }
}

#[test]
fn a_send_that_races_with_the_drop_of_the_receiver_has_one_owner_of_the_value() {
    for _ in 0..1000 {
        let (sender, receiver) = channel();
        let (value, start) = (Arc::new(()), Barrier::new(2));
        let sent = value.clone();
        thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                drop(receiver);
            });
            start.wait();
            drop(sender.send(sent));
        });
        assert_eq!(Arc::strong_count(&value), 1);
    }
}
