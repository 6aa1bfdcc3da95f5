//! The kernel as the state of an `asyncio.Future`: a check by CPython's own tests, and an example of vendoring. It is no
//! product, and no wheel is published.
//!
//! `whendone_future.py` derives the classes from [`future::Core`] and adds what does not touch the state.
//!
//! # Locks and Python
//!
//! The kernel has a lock, the [table](state::State) of what waits has one, and a [future](future::Core) has two small
//! ones. In none of their sections does code of Python run (P13): nothing is called, compared, created or dropped there,
//! at most a reference is counted; what a section takes out is dropped after it. That is why they cannot deadlock:
//!
//! * With a GIL, a thread that waits for a lock keeps the GIL. The thread that has the lock needs no GIL to leave the
//!   section, and cannot be made to give it up inside.
//! * Without a GIL, the garbage collector stops all threads where they call Python. No thread is stopped inside a
//!   section, so the collector itself may take the locks to visit what they guard.
//!
//! A callback is compared with another one on a copy of the queue, outside. A removal is then a removal by tag, and its
//! answer counts what the kernel took out.

#![forbid(unsafe_code)]

mod future;
#[path = "../../../src/kernel/mod.rs"]
#[allow(dead_code, unused_imports, reason = "an asyncio.Future needs only a part of the kernel")]
mod kernel;
mod state;
mod sync;

/// The module `_whendone`, to which `whendone_future.py` is what `asyncio.futures` is to `_asyncio`.
#[pyo3::pymodule(gil_used = false)]
mod _whendone {
    #[pymodule_export]
    use super::future::Core;
}
