//! What may be sent and shared between threads (P21).

use std::cell::Cell;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::MutexGuard;
use whendone::{CallbackId, Completer, Outcome, Panic, Ready, Report, SharedCallback, Task, Wait};

/// Tells whether `T` is `Send` and whether it is `Sync`: where the bound holds, the inherent constant goes before the
/// trait's of the same name.
struct Probe<T>(PhantomData<T>);

trait Else {
    const SEND: bool = false;
    const SYNC: bool = false;
}

impl<T> Else for Probe<T> {}

impl<T: Send> Probe<T> {
    const SEND: bool = true;
}

impl<T: Sync> Probe<T> {
    const SYNC: bool = true;
}

macro_rules! is_send_and_sync {
    ($type:ty) => {
        (Probe::<$type>::SEND, Probe::<$type>::SYNC)
    };
}

/// The same for a generic type, of values that are both, only `Send`, only `Sync`, and neither.
macro_rules! by_value {
    ($($generic:tt)*) => {
        [
            is_send_and_sync!($($generic)*<u32>),
            is_send_and_sync!($($generic)*<Cell<u32>>),
            is_send_and_sync!($($generic)*<MutexGuard<'static, u32>>),
            is_send_and_sync!($($generic)*<Rc<u32>>),
        ]
    };
}

type Itself<T> = T;
type WaitByReference<T> = Wait<T, &'static Task<T>>;
type WaitByValue<T> = Wait<T, Task<T>>;

const ONLY_OF_VALUES_THAT_ARE_BOTH: [(bool, bool); 4] = [(true, true), (false, false), (false, false), (false, false)];
const AS_THE_VALUE: [(bool, bool); 4] = [(true, true), (true, false), (false, true), (false, false)];

/// P21
#[test]
fn the_probe_tells_the_four_kinds_of_values_apart() {
    assert_eq!(by_value!(Itself), AS_THE_VALUE);
}

/// P21, D1
#[test]
fn a_task_and_what_holds_one_go_to_other_threads_exactly_if_its_value_may_be_sent_and_shared() {
    assert_eq!(by_value!(Task), ONLY_OF_VALUES_THAT_ARE_BOTH);
    assert_eq!(by_value!(Completer), ONLY_OF_VALUES_THAT_ARE_BOTH);
    assert_eq!(by_value!(WaitByReference), ONLY_OF_VALUES_THAT_ARE_BOTH);
    assert_eq!(by_value!(WaitByValue), ONLY_OF_VALUES_THAT_ARE_BOTH);
}

/// P21
#[test]
fn an_outcome_goes_wherever_its_value_goes() {
    assert_eq!(by_value!(Outcome), AS_THE_VALUE);
}

/// P21, D3
#[test]
fn a_shared_callback_goes_everywhere_whatever_the_value() {
    assert_eq!(by_value!(SharedCallback), [(true, true); 4]);
}

/// P21
#[test]
fn a_ready_callback_may_be_sent_and_not_shared_while_ids_and_reports_may_be_both() {
    assert_eq!(is_send_and_sync!(Ready), (true, false));
    assert_eq!(is_send_and_sync!(CallbackId), (true, true));
    assert_eq!(is_send_and_sync!(Report), (true, true));
    assert_eq!(is_send_and_sync!(Panic), (true, true));
}
