//! Tests of a task and of the kernel that run on wasm32, which has neither threads nor unwinding.
//!
//! `.ci/run` has the command, and the words that name the tests which need either.
