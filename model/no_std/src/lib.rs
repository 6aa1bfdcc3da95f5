//! The kernel without std, vendored as its documentation says: its folder, and a `sync` beside it.
//! In an old crate: of edition 2018, for Rust 1.71.
#![no_std]
#![forbid(unsafe_code)]

#[path = "../../../src/kernel/mod.rs"]
pub mod kernel;
mod sync;
