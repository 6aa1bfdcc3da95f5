//! `Send` and `Sync` of the public types (P21).

use std::cell::Cell;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::MutexGuard;
use whendone::kernel::{self, Added, Drain, Snapshot};
use whendone::{
    AlreadyDone, AnyTask, CallbackId, Completer, Failure, Inline, NoValue, Origin, Outcome, Panic, Ready, Report,
    Serial, SharedCallback, Task, TaskId, Wait,
};

/// Two constants: whether `T` is `Send`, and whether it is `Sync`. Where the bound holds, the inherent constant takes
/// precedence over the trait's of the same name.
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

/// Makes these constants of a generic type over values that are both, only `Send`, only `Sync`, and neither.
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
type CellOfOutcome<T> = kernel::Cell<T, u32>;
type CellOfCallback<C> = kernel::Cell<u32, C>;

const ONLY_OF_VALUES_THAT_ARE_BOTH: [(bool, bool); 4] = [(true, true), (false, false), (false, false), (false, false)];
const AS_THE_VALUE: [(bool, bool); 4] = [(true, true), (true, false), (false, true), (false, false)];
/// A value that is read through a shared reference must be both, for the container to be shared.
const SENT_AS_THE_VALUE: [(bool, bool); 4] = [(true, true), (true, false), (false, false), (false, false)];
/// A value that is moved through a lock need not be `Sync`.
const BOTH_IF_IT_IS_SENT: [(bool, bool); 4] = [(true, true), (true, true), (false, false), (false, false)];

/// P21
#[test]
fn the_probe_tells_the_four_kinds_of_values_apart() {
    assert_eq!(by_value!(Itself), AS_THE_VALUE);
}

/// P21, D1
#[test]
fn a_task_crosses_threads_exactly_if_its_value_is_send_and_sync() {
    assert_eq!(by_value!(Task), ONLY_OF_VALUES_THAT_ARE_BOTH);
    assert_eq!(by_value!(Completer), ONLY_OF_VALUES_THAT_ARE_BOTH);
    assert_eq!(by_value!(WaitByReference), ONLY_OF_VALUES_THAT_ARE_BOTH);
    assert_eq!(by_value!(WaitByValue), ONLY_OF_VALUES_THAT_ARE_BOTH);
}

/// P21
#[test]
fn an_outcome_goes_wherever_its_value_goes() {
    assert_eq!(by_value!(Outcome), AS_THE_VALUE);
    assert_eq!(by_value!(AlreadyDone), AS_THE_VALUE);
}

/// P21
#[test]
fn a_kernel_cell_is_sync_for_send_sync_outcomes_and_send_callbacks() {
    assert_eq!(by_value!(CellOfOutcome), SENT_AS_THE_VALUE);
    assert_eq!(by_value!(CellOfCallback), BOTH_IF_IT_IS_SENT);
}

/// P21
#[test]
fn a_drain_goes_wherever_its_handle_and_its_callbacks_go() {
    assert_eq!(by_value!(Drain), AS_THE_VALUE);
    assert_eq!(by_value!(Added), AS_THE_VALUE);
}

/// P21, D3
#[test]
fn a_shared_callback_goes_everywhere_whatever_the_value() {
    assert_eq!(by_value!(SharedCallback), [(true, true); 4]);
}

/// P21
#[test]
fn ids_and_reports_are_send_and_sync_and_a_ready_callback_only_send() {
    assert_eq!(is_send_and_sync!(Ready), (true, false));
    assert_eq!(is_send_and_sync!(CallbackId), (true, true));
    assert_eq!(is_send_and_sync!(TaskId), (true, true));
    assert_eq!(is_send_and_sync!(AnyTask), (true, true));
    assert_eq!(is_send_and_sync!(Serial<Inline>), (true, true));
    assert_eq!(is_send_and_sync!(NoValue), (true, true));
    assert_eq!(is_send_and_sync!(Report), (true, true));
    assert_eq!(is_send_and_sync!(Panic), (true, true));
    assert_eq!(is_send_and_sync!(Failure), (true, true));
    assert_eq!(is_send_and_sync!(Origin), (true, true));
    assert_eq!(is_send_and_sync!(Inline), (true, true));
    assert_eq!(is_send_and_sync!(Snapshot), (true, true));
}

/// P21: a refused call contains a ready callback.
#[cfg(feature = "event-loop")]
#[test]
fn a_loop_its_handle_and_its_sleeps_are_sync_and_a_refused_call_is_not() {
    use whendone::event_loop::Sleep;
    use whendone::{Closed, EventLoop, Handle};
    assert_eq!(is_send_and_sync!(EventLoop), (true, true));
    assert_eq!(is_send_and_sync!(Handle), (true, true));
    assert_eq!(is_send_and_sync!(Sleep), (true, true));
    assert_eq!(is_send_and_sync!(Closed), (true, false));
}
