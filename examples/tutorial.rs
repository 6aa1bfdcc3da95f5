//! The nine programs of the asyncio tutorial on done callbacks: `cargo run --example tutorial -- N`.

use std::process::ExitCode;
use std::time::Duration;
use whendone::{SharedCallback, Task, run, sleep, spawn};

/// The tutorial's second, shortened: `TUTORIAL_SECOND_MS=1000` restores it.
fn second() -> Duration {
    let milliseconds = std::env::var("TUTORIAL_SECOND_MS").ok().and_then(|text| text.parse().ok());
    Duration::from_millis(milliseconds.unwrap_or(50))
}

type Job = Task<&'static str>;

fn start() -> Job {
    println!("main coroutine started");
    spawn(async {
        println!("executing the task");
        sleep(second()).await;
        "the task's value"
    })
}

fn say_done(_: &Job) {
    println!("Task is done");
}

fn show(task: &Job) {
    println!("Task: {task:?}");
}

fn end() {
    println!("main coroutine done");
}

async fn add() {
    let task = start();
    task.add_done_callback(say_done);
    (&task).await;
    end();
}

async fn add_two() {
    let task = start();
    task.add_done_callback(say_done);
    task.add_done_callback(show);
    (&task).await;
    end();
}

async fn remove() {
    let task = start();
    let id = task.add_done_callback(say_done);
    sleep(second() / 10).await;
    assert!(task.remove_done_callback(id), "it was there");
    (&task).await;
    end();
}

async fn remove_one_that_was_never_added() {
    let task = start();
    let never_added = SharedCallback::new(say_done);
    sleep(second() / 10).await;
    assert_eq!(task.remove_shared(&never_added), 0, "it was not there, and that is no error");
    (&task).await;
    end();
}

async fn add_after_done() {
    let task = start();
    (&task).await;
    task.add_done_callback(say_done);
    end();
}

async fn a_callback_that_fails() {
    let task = start();
    task.add_done_callback(|task| {
        say_done(task);
        panic!("something is wrong");
    });
    task.add_done_callback(show);
    (&task).await;
    end();
}

async fn a_callback_that_starts_a_task() {
    let task = start();
    task.add_done_callback(|task| {
        say_done(task);
        spawn(async { println!("callback task") })
    });
    (&task).await;
    sleep(second() / 10).await;
    end();
}

/// Programs 7 and 8 do not compile; `tests/compile_fail.rs` keeps the compiler's messages.
fn refused(source: &str, message: &str, instead: &str) {
    println!("does not compile:\n\n{}\n{}\nwrite instead:\n\n{instead}", source.trim_start(), message.trim_start());
}

fn program(number: u32) -> bool {
    match number {
        1 => run(add()),
        2 => run(add_two()),
        3 => run(remove()),
        4 => run(remove_one_that_was_never_added()),
        5 => run(add_after_done()),
        6 => run(a_callback_that_fails()),
        7 => refused(
            include_str!("../tests/compile_fail/wrong_arity.rs"),
            include_str!("../tests/compile_fail/wrong_arity.stderr"),
            "    task.add_done_callback(|_task| println!(\"Task is done\"));",
        ),
        8 => refused(
            include_str!("../tests/compile_fail/async_callback.rs"),
            include_str!("../tests/compile_fail/async_callback.stderr"),
            "    task.add_done_callback(|_task| whendone::spawn(async { println!(\"Task is done\") }));",
        ),
        9 => run(a_callback_that_starts_a_task()),
        _ => return false,
    }
    true
}

fn main() -> ExitCode {
    let argument = std::env::args().nth(1).unwrap_or_default();
    let numbers = match argument.as_str() {
        "all" => 1..=9,
        number => {
            let number = number.parse().unwrap_or(0);
            number..=number
        }
    };
    for number in numbers {
        if argument == "all" {
            println!("--- {number}");
        }
        if !program(number) {
            eprintln!("usage: cargo run --example tutorial -- N, with N from 1 to 9, or `all`");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
