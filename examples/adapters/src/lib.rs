//! Well-known primitives of other libraries, each built on the core of whendone in one file.
//!
//! They are examples: read one, and write your own.
//!
//! # Patterns
//!
//! * Serial 0: an adapter that gives no [`CallbackId`](whendone::kernel::CallbackId) to its callers can number
//!   all its cells 0. Each id and each drain token is used only on the cell that made it.
//! * Many-shot wake: a waker waits as a callback, and each poll swaps it by its id. The module `waiting` holds this pattern.
//! * Take out by value: a cell shares its outcome by reference. An outcome that one reader may take is a
//!   `Mutex<Option<T>>`.
//! * Borrowed handle: a callback receives a reference to what it belongs to. It captures no handle, so there is no
//!   cycle.
//! * Exact timeout: a removal that succeeds proves that the callback never runs (P9). So a waiter that removes
//!   itself in time was not served, and one that fails to was.
#![forbid(unsafe_code)]
#![warn(missing_docs, unreachable_pub)]

pub mod abort_signal;
pub mod after_func;
pub mod cancellation_token;
mod machine;
pub mod oneshot;
pub mod shared;
mod waiting;
