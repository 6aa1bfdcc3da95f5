//! Adapters of which no other crate is a peer.

use super::operations::{Table, each};
use std::hint::black_box;
use whendone_adapters::abort_signal::{AbortController, AbortSignal};
use whendone_adapters::after_func::Context;
use whendone_bench::meter::Meter;

pub const ABORT_SIGNAL: Table = Table {
    adapter: "abort_signal",
    peers: &[],
    operations: &[
        ("make and drop", &[Some(make)]),
        ("add and remove a listener", &[Some(add_and_remove)]),
        ("abort with one listener", &[Some(abort)]),
        ("make and drop a signal of two", &[Some(any)]),
    ],
};

pub const AFTER_FUNC: Table = Table {
    adapter: "after_func",
    peers: &[],
    operations: &[("make and drop", &[Some(make_context)]), ("register and stop", &[Some(register_and_stop)])],
};

fn make(meter: &mut Meter) {
    each(meter, || (), |()| drop(black_box(AbortController::<u64>::new())));
}

fn add_and_remove(meter: &mut Meter) {
    each(meter, AbortController::<u64>::new, |controller| {
        let listener = controller.signal().add_listener(|_| ()).expect("not aborted");
        assert!(listener.remove());
    });
}

fn abort(meter: &mut Meter) {
    let listened = || {
        let controller = AbortController::<u64>::new();
        let _ = controller.signal().add_listener(|signal| assert_eq!(signal.reason(), Some(&3)));
        controller
    };
    each(meter, listened, |controller| controller.abort(3));
}

fn any(meter: &mut Meter) {
    let two = || [AbortController::<u64>::new(), AbortController::new()];
    each(meter, two, |[one, two]| drop(black_box(AbortSignal::any([one.signal(), two.signal()]))));
}

fn make_context(meter: &mut Meter) {
    each(meter, || (), |()| drop(black_box(Context::<u64>::with_cancel())));
}

fn register_and_stop(meter: &mut Meter) {
    each(meter, Context::<u64>::with_cancel, |(context, _)| assert!(context.after_func(|_| ()).stop()));
}
