//! asyncio's done callbacks for Rust, from any thread, on a core whose correctness can be checked.
//!
//! A [`Task`] stands for work that will be done. Any thread may add callbacks to it, remove them,
//! await it, read its [`Outcome`] or cancel it, at any time, also from inside a callback. It is
//! completed once, by its only [`Completer`] or by the event loop that runs it. Its callbacks are then
//! handed over to its scheduler, in the order in which they were added.
//!
#![cfg_attr(feature = "event-loop", doc = "```")]
#![cfg_attr(not(feature = "event-loop"), doc = "```ignore")]
//! whendone::run(async {
//!     let task = whendone::spawn(async { "value" });
//!     task.add_done_callback(|task| println!("{task:?}")); // <Task finished name='Task-2' result="value">
//!     (&task).await;
//! });
//! ```
//!
//! # From asyncio
//!
//! | asyncio | here |
//! |---|---|
//! | `asyncio.run(main())` | [`run`]`(main())` |
//! | `asyncio.create_task(co())` | [`spawn`]`(co())` |
//! | `await task` | `(&task).await`, which gives `&Outcome<T>`; `task.await` clones it |
//! | `task.add_done_callback(f)` | [`Task::add_done_callback`], which returns an id |
//! | `task.remove_done_callback(f)` | [`Task::remove_done_callback`] by that id, or [`Task::remove_shared`] for all of one [`SharedCallback`] |
//! | `task.result()`, `task.exception()` | [`Task::outcome`], one of four [`Outcome`]s |
//! | `loop.create_future()` | [`task()`], which also gives a [`Completer`] |
//! | `asyncio.get_running_loop()` | [`handle()`] |
//! | `loop.call_soon_threadsafe(f)` | [`Handle::call_soon`] |
//! | `loop.set_exception_handler(f)` | [`EventLoop::with_exception_hook`], [`set_exception_hook`] |
//!
//! All rows, each with a program: [`from_asyncio`]. There are also `gather`, `wait_for`, `as_completed`,
//! `TaskGroup`, `shield`, `call_later`, a set of running tasks, `run_coroutine_threadsafe`, `wrap_future`
//! and what has no counterpart.
//!
//! Every operation is thread-safe and wakes the loop that it concerns ([D1]). A callback cannot be
//! `async`: spawn a task from it ([D6]). Cancelling a task does not cancel the tasks that it awaits ([D10]).
//!
//! # Threads and order
//!
//! Adding a callback happens before the callback runs. Completing a task happens before each of its
//! callbacks, and before every answer that says that the task is done ([D15]). Callbacks of one task run
//! one after another, on the loop and inline. First in, first out holds for each task; across tasks it
//! holds for the operations of one thread while no other thread hands over ([D16]); inside an inline callback,
//! among the tasks whose schedulers only queue, and among the others ([D25]).
//!
//! # Features
//!
//! `event-loop`, on by default: the event loop, on crossbeam-channel and futures-util. Without it the
//! crate has no dependencies.
//!
//! With `--cfg loom` or `--cfg shuttle`, and without the event loop, the primitives are loom's or shuttle's: so
//! a test under that model checker explores this crate together with the code built on it.
//!
//! # Platforms
//!
//! Without the loop the crate needs std's locks and thread-locals alone: it also builds for targets without
//! 64-bit atomics and for wasm32-unknown-unknown. The loop also needs a clock and a thread that may sleep:
//! on wasm32-unknown-unknown it builds, but `run` panics, since `Instant::now` does.
//!
//! With `panic = "abort"` the first panic, of a callback for example, ends the process: nothing is
//! contained or reported, and no other callback runs. What remains of [P14] is that the panic hook of the
//! process finds no lock of this crate held by its thread, so it may use tasks.
//!
//! [P14]: crate::kernel#properties
//! [D1]: crate::rules#d1
//! [D6]: crate::rules#d6
//! [D10]: crate::rules#d10
//! [D15]: crate::rules#d15
//! [D16]: crate::rules#d16
//! [D25]: crate::rules#d25
#![forbid(unsafe_code)]
// Without the loop, links to it are broken.
#![cfg_attr(not(feature = "event-loop"), allow(rustdoc::broken_intra_doc_links))]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::must_use_candidate)]
#![warn(missing_docs, unreachable_pub)]

mod callback;
mod completer;
#[cfg(feature = "event-loop")]
pub mod event_loop;
mod hook;
mod id;
mod identity;
pub mod kernel;
mod outcome;
mod panic;
mod quote;
mod report;
mod schedule;
mod serial;
mod sync;
mod task;
mod trampoline;
mod wait;
mod waiter;

pub use callback::{DoneReturn, SharedCallback};
pub use completer::{AlreadyDone, Completer, task, task_named};
pub use hook::set_exception_hook;
pub use id::TaskId;
pub use identity::AnyTask;
pub use kernel::CallbackId;
pub use outcome::{NoValue, Outcome};
pub use panic::Panic;
pub use report::{Failure, Origin, Report};
pub use schedule::{Inline, Ready, Schedule};
pub use serial::Serial;
pub use task::Task;
pub use wait::Wait;

#[cfg(feature = "event-loop")]
pub use event_loop::{Closed, EventLoop, Handle, handle, run, sleep, spawn, spawn_named, try_handle};

/// The rules and decisions that this documentation cites, by number.
#[cfg(doc)]
#[doc = include_str!("../docs/RULES.md")]
pub mod rules {}

/// The README's examples run.
#[cfg(all(doctest, feature = "event-loop"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// Each row of the table "From asyncio", as a program.
#[cfg(all(doc, any(feature = "event-loop", not(doctest))))]
#[doc = include_str!("../docs/FROM_ASYNCIO.md")]
pub mod from_asyncio {}

/// The guide's examples run.
#[cfg(all(doctest, feature = "event-loop"))]
#[doc = include_str!("../docs/GUIDE.md")]
struct Guide;
