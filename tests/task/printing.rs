//! Printing: state, name, result and the number of waiting callbacks.

use std::cell::RefCell;
use std::future::IntoFuture;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{OnceLock, mpsc};
use std::{fmt, thread};
use whendone::{AnyTask, Completer, Inline, Outcome, Panic, Task};

/// R102, R103, D13
#[test]
fn a_task_prints_its_state_name_result_and_number_of_callbacks() {
    let (completer, task) = whendone::task(Inline);
    assert_eq!((format!("{task:?}").as_str(), task.name()), ("<Task pending>", None));
    let (sender, printed) = mpsc::channel();
    let id = task.add_done_callback(|_| unreachable!("it is removed"));
    assert_eq!(format!("{task:?}"), "<Task pending cb=[1 waiting]>");
    task.add_done_callback(move |task| sender.send(format!("{task:?}")));
    assert_eq!(format!("{task:?}"), "<Task pending cb=[2 waiting]>");
    assert!(task.remove_done_callback(id));
    assert_eq!(format!("{task:?} {completer:?}"), "<Task pending cb=[1 waiting]> <Completer of <Task pending>>");
    completer.complete("text").unwrap();
    assert_eq!([format!("{task:?}"), printed.recv().unwrap()], ["<Task finished result=\"text\">"; 2]);

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

/// R102, R103, D13: on one line also where a value would be printed on several.
#[test]
fn every_handle_of_a_task_prints_each_of_its_states() {
    type End = fn(Completer<u32>);
    let failed = || Outcome::Panicked(Panic::new(Box::new("it \"failed\"")));
    let fails: fn(Completer<u32>, Outcome<u32>) = |completer, outcome| completer.complete_with(outcome).unwrap();
    let ends: [(&str, &str, End); 3] = [
        ("finished", " result=3", |completer| completer.complete(3).unwrap()),
        ("cancelled", "", |completer| assert!(completer.cancel())),
        ("abandoned", "", drop),
    ];
    for (name, named) in [(None, ""), (Some("job"), " name='job'")] {
        let pair = || match name {
            None => whendone::task::<u32>(Inline),
            Some(name) => whendone::task_named(name, Inline),
        };
        for (waiting, printed) in [(0, ""), (1, " cb=[1 waiting]"), (2, " cb=[2 waiting]"), (10, " cb=[10 waiting]")] {
            let (completer, task) = pair();
            (0..waiting).for_each(|_| _ = task.add_done_callback(|_| ()));
            let short = format!("<Task pending{named}>");
            assert_eq!(format!("{completer:?}"), format!("<Completer of {short}>"));
            prints(&task, &format!("<Task pending{named}{printed}>"), &short);
        }
        let is_printed = |state: &str, rest: &str, end: &dyn Fn(Completer<u32>)| {
            let (completer, task) = pair();
            let (sender, within) = mpsc::channel();
            task.add_done_callback(move |task| {
                task.add_done_callback(|_| ());
                sender.send(format!("{task:?}"))
            });
            end(completer);
            // Within the callback another one waits. Only those of a pending task are counted.
            let printed = format!("<Task {state}{named}{rest}>");
            assert_eq!(within.recv().as_ref(), Ok(&printed));
            prints(&task, &printed, &format!("<Task {state}{named}>"));
        };
        ends.iter().for_each(|(state, rest, end)| is_printed(state, rest, end));
        is_printed("panicked", " exception=\"it \\\"failed\\\"\"", &|completer| fails(completer, failed()));
    }
}

/// Compares the texts of all kinds of handles, of which only that of a `Task` has value and callbacks.
fn prints(task: &Task<u32>, debug: &str, short: &str) {
    let handles = [format!("{task:?}"), format!("{task:#?}"), format!("{:?}", AnyTask::from(task))];
    assert_eq!(handles, [debug, debug, short]);
    let waits = [format!("{:?}", task.wait()), format!("{:?}", task.clone().into_future())];
    assert_eq!(waits, [(); 2].map(|()| format!("<Wait for {short}>")));
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
fn printing_survives_tasks_that_hold_each_other() {
    struct Holder(Task<Holder>);
    impl fmt::Debug for Holder {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "holds {:?}", self.0)
        }
    }
    let ((first, one), (second, two)) = (whendone::task_named("one", Inline), whendone::task_named("two", Inline));
    first.complete(Holder(two.clone())).unwrap();
    second.complete(Holder(one.clone())).unwrap();
    let of_two = "<Task finished name='two' result=holds <Task ...>>";
    assert_eq!(format!("{one:?}"), format!("<Task finished name='one' result=holds {of_two}>"));
    let of_one = "<Task finished name='one' result=holds <Task ...>>";
    assert_eq!(format!("{two:?}"), format!("<Task finished name='two' result=holds {of_one}>"));
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
