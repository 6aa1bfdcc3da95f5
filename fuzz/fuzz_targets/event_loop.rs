//! Bytes to a program over several tasks, played on the event loop and on a plain model of it.
#![no_main]

#[allow(dead_code, reason = "tests use the list of events")]
#[path = "../../tests/asyncio/program/mod.rs"]
mod program;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    program::check(&program::decode(bytes)).unwrap_or_else(|why| panic!("{why}"));
});
