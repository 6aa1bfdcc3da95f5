//! Panics that tests of a task and of the loop watch: code in a thread that unwinds, and the line that a panic blames.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, resume_unwind, set_hook, take_hook};
use std::rc::Rc;
use std::sync::Once;
use std::thread;

/// Calls a function in a destructor, while this thread unwinds. A panic of the function goes to the caller.
pub(crate) fn while_unwinding<R>(call: impl FnOnce() -> R) -> R {
    struct Last<F: FnMut()>(F);
    impl<F: FnMut()> Drop for Last<F> {
        fn drop(&mut self) {
            (self.0)();
        }
    }
    let (mut call, mut answer) = (Some(call), None);
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _last = Last(|| {
            assert!(thread::panicking());
            answer = call.take().map(|call| catch_unwind(AssertUnwindSafe(call)));
        });
        // As a panic, without a message.
        resume_unwind(Box::new("unwinds"));
    }));
    assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"unwinds"));
    answer.expect("it was called").unwrap_or_else(|panic| resume_unwind(panic))
}

/// Calls a function with a panic hook of this thread alone: the process has one hook, and tests run side by side.
pub(crate) fn with_panic_hook<R>(hook: impl Fn(&PanicHookInfo<'_>) + 'static, call: impl FnOnce() -> R) -> R {
    type Hook = Rc<dyn Fn(&PanicHookInfo<'_>)>;
    thread_local!(static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) });
    static SET: Once = Once::new();
    SET.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |info| {
            let hook = HOOK.try_with(|hook| hook.borrow().clone()).ok().flatten();
            hook.map_or_else(|| others(info), |hook| hook(info));
        }));
    });
    HOOK.set(Some(Rc::new(hook)));
    let answer = call();
    HOOK.set(None);
    answer
}

/// The file and line that a call blames for its panic.
pub(crate) fn blamed<R>(call: impl FnOnce() -> R) -> (String, u32) {
    let place = Rc::new(RefCell::new(None));
    let told = place.clone();
    let hook = move |info: &PanicHookInfo<'_>| {
        let place = info.location().expect("it has one");
        *told.borrow_mut() = Some((place.file().to_owned(), place.line()));
    };
    let panicked = with_panic_hook(hook, || catch_unwind(AssertUnwindSafe(call)).is_err());
    assert!(panicked);
    place.take().expect("the hook was told")
}
