//! The parts of an operation, each by itself: a lower bound for operations that need them.

use super::meter::Meter;
use super::registry::Play;
use super::rows::Scenario::{self, *};
use super::scenarios::BATCH;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::AcqRel};
use std::sync::{Mutex, OnceLock, PoisonError};

/// The parts.
pub fn floors(scenario: Scenario) -> Option<Play> {
    match scenario {
        Atomic => Some(|meter, _| {
            let counter = AtomicU64::new(0);
            each(meter, || counter.fetch_add(1, AcqRel));
        }),
        Lock => Some(|meter, _| {
            let counter = Mutex::new(0_u64);
            each(meter, || *black_box(&counter).lock().unwrap_or_else(PoisonError::into_inner) += 1);
        }),
        Once => Some(|meter, _| {
            each(meter, || {
                let cell = OnceLock::new();
                black_box(&cell).set(black_box(1_u64)).expect("it is empty");
                assert_eq!(black_box(&cell).get(), Some(&1));
            });
        }),
        Box => Some(|meter, _| each(meter, || drop(black_box(std::boxed::Box::new([1_u64; 2]))))),
        _ => None,
    }
}

fn each<R>(meter: &mut Meter, part: impl Fn() -> R) {
    let body = |(): &mut (), ()| (0..BATCH).for_each(|_| _ = black_box(part()));
    meter.repeat(&mut (), BATCH, |_| (), body);
}
