//! A waker that tests of a task and of the loop watch: each clone, wake and drop of it.

use std::cell::RefCell;
use std::ptr;
use std::rc::Rc;
use std::task::{RawWaker, RawWakerVTable, Waker};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Touch {
    Clone,
    Wake,
    Drop,
}

/// A waker that reports each operation on it to this thread. A thread has one such waker at a time.
pub(crate) fn touchy_waker(touched: impl Fn(Touch) + 'static) -> Waker {
    type Touched = Rc<dyn Fn(Touch)>;
    thread_local!(static TOUCHED: RefCell<Option<Touched>> = const { RefCell::new(None) });
    fn touch(touch: Touch) {
        let touched = TOUCHED.with_borrow(Clone::clone).unwrap();
        touched(touch);
    }
    fn touch_clone(_: *const ()) -> RawWaker {
        touch(Touch::Clone);
        RAW
    }
    // A static has one address: clones wake the same, and say so.
    static VTABLE: RawWakerVTable =
        RawWakerVTable::new(touch_clone, |_| touch(Touch::Wake), |_| touch(Touch::Wake), |_| touch(Touch::Drop));
    const RAW: RawWaker = RawWaker::new(ptr::null(), &VTABLE);
    TOUCHED.set(Some(Rc::new(touched)));
    // SAFETY: the functions of the table do not use the pointer.
    unsafe { Waker::from_raw(RAW) }
}
