//! Printing: state, name, result and the number of waiting callbacks.

use super::support::queue;
use std::cell::RefCell;
use std::future::IntoFuture;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{OnceLock, mpsc};
use std::{fmt, thread};
use whendone::{Completer, Failure, Inline, SharedCallback, Task};

/// R102, R103, D13
#[test]
fn a_task_prints_its_state_name_result_and_number_of_callbacks() {
    let (completer, task) = whendone::task(Inline);
    assert_eq!((format!("{task:?}").as_str(), task.name()), ("<Task pending>", None));
    let id = task.add_done_callback(|task| assert_eq!(format!("{task:?}"), "<Task finished result=\"text\">"));
    assert_eq!(format!("{task:?}"), "<Task pending cb=[1 waiting]>");
    task.add_done_callback(|_| ());
    assert_eq!(format!("{task:?}"), "<Task pending cb=[2 waiting]>");
    assert!(task.remove_done_callback(id));
    assert_eq!(format!("{task:?} {completer:?}"), "<Task pending cb=[1 waiting]> <Completer of <Task pending>>");
    completer.complete("text").unwrap();
    assert_eq!(format!("{task:?}"), "<Task finished result=\"text\">");

    let (completer, task) = whendone::task_named("job", Inline);
    assert_eq!((format!("{task:?}").as_str(), task.name()), ("<Task pending name='job'>", Some("job")));
    task.add_done_callback(|_| ());
    assert_eq!(format!("{task:?}"), "<Task pending name='job' cb=[1 waiting]>");
    completer.complete(3).unwrap();
    assert_eq!(format!("{task:?}"), "<Task finished name='job' result=3>");

    let (completer, cancelled) = whendone::task::<u32>(Inline);
    cancelled.cancel();
    assert_eq!(format!("{cancelled:?} {completer:?}"), "<Task cancelled> <Completer of <Task cancelled>>");
    let (_, abandoned) = whendone::task_named::<u32>("job", Inline);
    assert_eq!(format!("{abandoned:?}"), "<Task abandoned name='job'>");
}

/// R103, D13: as Python's `repr` of these names.
#[test]
fn a_tasks_name_is_printed_in_quotes_and_on_one_line() {
    for (name, printed) in [
        ("job", "'job'"),
        ("it's", "\"it's\""),
        ("\"it's\"", "'\"it\\'s\"'"),
        ("\"", "'\"'"),
        ("a\nb\t\r\\", "'a\\nb\\t\\r\\\\'"),
        ("\0\u{7f}\u{a0}", "'\\x00\\x7f\\xa0'"),
        ("\u{200b}\u{2028}\u{e000}", "'\\u200b\\u2028\\ue000'"),
        ("\u{f0000}", "'\\U000f0000'"),
        ("gr\u{fc}n \u{1f980} e\u{301}", "'gr\u{fc}n \u{1f980} e\u{301}'"),
        ("><Task finished>", "'><Task finished>'"),
    ] {
        let (_completer, task) = whendone::task_named::<u32>(name, Inline);
        assert_eq!(format!("{task:?}"), format!("<Task pending name={printed}>"));
    }
}

/// R102
#[test]
fn a_done_task_prints_no_callbacks_though_some_have_not_run() {
    let (sender, printed) = mpsc::channel();
    let (completer, task) = whendone::task(Inline);
    task.add_done_callback(move |task| {
        task.add_done_callback(|_| ());
        sender.send(format!("{task:?}"))
    });
    completer.complete(3).unwrap();
    assert_eq!(printed.recv().unwrap(), "<Task finished result=3>");
}

/// R103
#[test]
fn printing_survives_a_task_that_holds_itself() {
    struct Holder(OnceLock<Task<Holder>>);
    impl fmt::Debug for Holder {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "holds {:?}", self.0.get())
        }
    }
    let (completer, task) = whendone::task::<Holder>(Inline);
    completer.complete(Holder(OnceLock::from(task.clone()))).unwrap();
    assert_eq!(format!("{task:?}"), "<Task finished result=holds Some(<Task ...>)>");
}

/// R103
#[test]
fn printing_survives_a_task_that_holds_itself_twice() {
    struct Twice([OnceLock<Task<Twice>>; 2]);
    impl fmt::Debug for Twice {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{:?} and {:?}", self.0[0].get(), self.0[1].get())
        }
    }
    let (completer, task) = whendone::task::<Twice>(Inline);
    completer.complete(Twice([(), ()].map(|()| OnceLock::from(task.clone())))).unwrap();
    assert_eq!(format!("{task:?}"), "<Task finished result=Some(<Task ...>) and Some(<Task ...>)>");
}

/// R103, P14
#[test]
fn a_task_prints_whole_side_by_side_and_after_a_panic_in_its_value() {
    struct Shy(AtomicBool);
    impl fmt::Debug for Shy {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            assert!(self.0.swap(true, SeqCst), "shy");
            f.write_str("Shy")
        }
    }
    let (completer, task) = whendone::task(Inline);
    completer.complete(Shy(AtomicBool::new(false))).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| format!("{task:?}"))).is_err());
    let (completer, pair) = whendone::task(Inline);
    completer.complete((task.clone(), task)).unwrap();
    let shy = "<Task finished result=Shy>";
    assert_eq!(format!("{pair:?}"), format!("<Task finished result=({shy}, {shy})>"));
}

/// R103
#[test]
fn a_task_can_be_printed_while_its_thread_ends() {
    thread_local!(static KEPT: RefCell<Option<Completer<()>>> = const { RefCell::new(None) });
    let (sender, printed) = mpsc::channel();
    for print_first in [true, false] {
        let (completer, task) = whendone::task(Inline);
        let (sender, own) = (sender.clone(), task.clone());
        task.add_done_callback(move |task| sender.send(format!("{task:?}")));
        let ending = thread::spawn(move || {
            let _ = print_first && format!("{own:?}").is_empty();
            KEPT.set(Some(completer));
            format!("{own:?}")
        });
        assert_eq!(ending.join().unwrap(), "<Task pending cb=[1 waiting]>");
    }
    assert_eq!(printed.try_iter().collect::<Vec<_>>(), ["<Task abandoned>"; 2]);
}

/// R102
#[test]
fn awaits_shared_callbacks_and_ready_ones_print_where_they_come_from() {
    fn callback(_: &Task<u32>) {}
    let (scheduler, queue) = queue();
    let (completer, task) = whendone::task_named("job", scheduler);
    assert_eq!(format!("{:?}", (&task).into_future()), "<Wait for <Task pending name='job'>>");
    assert!(format!("{:?}", SharedCallback::new(callback)).contains("come_from::callback"));
    task.add_done_callback(callback);
    completer.complete(3).unwrap();
    let ready = queue.recv().unwrap();
    let printed = format!("{ready:?}");
    assert!(printed.contains("come_from::callback") && printed.contains(file!()), "{printed}");
    ready.run();
}

/// D12
#[test]
fn the_report_of_a_closed_loop_prints_the_number_of_its_callbacks() {
    let printed = [0, 1, 2].map(|unrun| Failure::LoopClosed(unrun).to_string());
    let expected = ["0 callbacks", "1 callback", "2 callbacks"];
    assert_eq!(printed, expected.map(|callbacks| format!("event loop closed: {callbacks} never ran")));
}
