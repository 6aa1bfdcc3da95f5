//! asyncio's done callbacks for Rust, from any thread, on a core whose correctness can be seen.
//!
//! A [`Task`] is something that will be done. Anyone may add callbacks to it, remove them, await it,
//! read its [`Outcome`] or cancel it, on any thread, at any time, also from inside a callback. It is
//! completed once, by its one [`Completer`] or by the event loop that runs it, and then its callbacks
//! are handed, in the order in which they were added, to its scheduler.
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
//! | `task.result()`, `task.exception()` | [`Task::outcome`], which is one of four |
//! | `loop.create_future()` | [`task()`], which gives a [`Completer`] besides |
//! | `loop.call_soon_threadsafe(f)` | [`Handle::call_soon`] |
//! | `loop.set_exception_handler(f)` | [`EventLoop::with_exception_hook`], [`set_exception_hook`] |
//!
//! Everything is thread-safe and wakes the loop that it concerns. A callback cannot be `async`: spawn
//! a task from it. Cancelling a task does not cancel what it awaits.
//!
//! # Threads and order
//!
//! Adding a callback happens before it runs, and completing a task before each of its callbacks and
//! before every answer that says done (D15). Callbacks of one task run one after another, on the
//! loop and inline. First in, first out holds for each task; across tasks it holds for what one
//! thread does while no other hands over (D16).
//!
//! # Features
//!
//! `event-loop`, on by default: the event loop, on crossbeam-channel and futures. Without it the
//! crate has no dependencies.
#![forbid(unsafe_code)]
// Without the loop its links lead nowhere.
#![cfg_attr(not(feature = "event-loop"), allow(rustdoc::broken_intra_doc_links))]
#![warn(missing_docs, unreachable_pub)]

mod callback;
mod completer;
#[cfg(feature = "event-loop")]
pub mod event_loop;
mod hook;
pub mod kernel;
mod outcome;
mod panic;
mod report;
mod schedule;
mod sync;
mod task;
mod trampoline;
mod wait;
mod waiter;

pub use callback::{DoneReturn, SharedCallback};
pub use completer::{AlreadyDone, Completer, task, task_named};
pub use hook::set_exception_hook;
pub use kernel::CallbackId;
pub use outcome::Outcome;
pub use panic::Panic;
pub use report::{Failure, Origin, Report};
pub use schedule::{Inline, Ready, Schedule};
pub use task::Task;
pub use wait::Wait;

#[cfg(feature = "event-loop")]
pub use event_loop::{Closed, EventLoop, Handle, run, sleep, spawn, spawn_named};

/// The README's examples run.
#[cfg(all(doctest, feature = "event-loop"))]
#[doc = include_str!("../README.md")]
struct Readme;
