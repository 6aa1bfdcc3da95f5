//! A process with a hook: panics that are meant do not fail the model.
#![cfg(loom)]

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use whendone::{Inline, Report, set_exception_hook};

static TAKEN: AtomicUsize = AtomicUsize::new(0);

#[test]
fn a_hook_takes_the_panics_of_callbacks() {
    let hook = |_: &Report| {
        TAKEN.fetch_add(1, SeqCst);
    };
    set_exception_hook(hook).ok().unwrap();
    loom::model(|| {
        let (completer, task) = whendone::task(Inline);
        task.add_done_callback(|_| panic!("meant"));
        let other = loom::thread::spawn(move || completer.complete(()).unwrap());
        assert!(!task.is_cancelled());
        other.join().unwrap();
    });
    assert!(TAKEN.load(SeqCst) > 1);
}
