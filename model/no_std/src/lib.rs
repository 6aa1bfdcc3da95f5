//! The kernel in a crate without std, vendored as its documentation says: its folder, with a `sync` beside it.
//! The crate is an old one: edition 2018, Rust 1.71.
#![no_std]
#![forbid(unsafe_code)]

#[path = "../../../src/kernel/mod.rs"]
pub mod kernel;
mod sync;
