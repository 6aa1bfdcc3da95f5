//! Cancellation tokens.

use super::operations::{Table, each, poll};
use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use whendone_adapters::cancellation_token::CancellationToken;
use whendone_bench::meter::Meter;

pub const TABLE: Table = Table {
    adapter: "cancellation_token",
    peers: &["tokio-util"],
    operations: &[
        ("make and drop a token", &[Some(make::<Ours>), Some(make::<Theirs>)]),
        ("make and drop a child", &[Some(child::<Ours>), Some(child::<Theirs>)]),
        ("first poll of a wait", &[Some(first_poll::<Ours>), Some(first_poll::<Theirs>)]),
        ("further poll", &[Some(further_poll::<Ours>), Some(further_poll::<Theirs>)]),
        ("drop a wait that was polled", &[Some(leave::<Ours>), Some(leave::<Theirs>)]),
        ("cancel, nobody waits", &[Some(cancel::<Ours>), Some(cancel::<Theirs>)]),
        ("cancel and wake one", &[Some(cancel_and_wake::<Ours>), Some(cancel_and_wake::<Theirs>)]),
        ("cancel with 8 children", &[Some(cancel_children::<Ours>), Some(cancel_children::<Theirs>)]),
        ("look", &[Some(look::<Ours>), Some(look::<Theirs>)]),
    ],
};

trait Token: Clone + 'static {
    fn new() -> Self;
    fn child(&self) -> Self;
    fn cancel(&self);
    fn is_cancelled(&self) -> bool;
    fn cancelled(&self) -> impl Future<Output = ()>;
}

/// Tokens with the same methods.
macro_rules! tokens {
    ($($name:ident = $token:ty;)*) => {$(
        type $name = $token;

        impl Token for $name {
            fn new() -> Self {
                <$token>::new()
            }

            fn child(&self) -> Self {
                self.child_token()
            }

            fn cancel(&self) {
                self.cancel();
            }

            fn is_cancelled(&self) -> bool {
                self.is_cancelled()
            }

            fn cancelled(&self) -> impl Future<Output = ()> {
                self.cancelled()
            }
        }
    )*};
}

tokens! {
    Ours = CancellationToken;
    Theirs = tokio_util::sync::CancellationToken;
}

/// A token, and a task that waits for it.
type Awaited<T> = (T, Option<Pin<Box<dyn Future<Output = ()>>>>);

fn unpolled<T: Token>() -> Awaited<T> {
    let token = T::new();
    let waited = token.clone();
    (token, Some(Box::pin(async move { waited.cancelled().await })))
}

fn poll_it<T>((_, wait): &mut Awaited<T>) {
    assert!(wait.as_mut().is_some_and(|wait| poll(wait).is_pending()));
}

fn polled<T: Token>() -> Awaited<T> {
    let mut awaited = unpolled();
    poll_it(&mut awaited);
    awaited
}

fn make<T: Token>(meter: &mut Meter) {
    each(meter, || (), |()| drop(black_box(T::new())));
}

fn child<T: Token>(meter: &mut Meter) {
    each(meter, T::new, |token| drop(black_box(token.child())));
}

fn first_poll<T: Token>(meter: &mut Meter) {
    each(meter, unpolled::<T>, poll_it);
}

fn further_poll<T: Token>(meter: &mut Meter) {
    each(meter, polled::<T>, poll_it);
}

fn leave<T: Token>(meter: &mut Meter) {
    each(meter, polled::<T>, |(_, wait)| drop(wait.take()));
}

fn cancel<T: Token>(meter: &mut Meter) {
    each(meter, T::new, |token| token.cancel());
}

fn cancel_and_wake<T: Token>(meter: &mut Meter) {
    each(meter, polled::<T>, |(token, _)| token.cancel());
}

fn cancel_children<T: Token>(meter: &mut Meter) {
    let family = || {
        let token = T::new();
        let children: [T; 8] = std::array::from_fn(|_| token.child());
        (token, children)
    };
    each(meter, family, |(token, _)| token.cancel());
}

fn look<T: Token>(meter: &mut Meter) {
    each(meter, T::new, |token| assert!(!black_box(&*token).is_cancelled()));
}
