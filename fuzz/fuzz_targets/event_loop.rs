//! Bytes to a program over several tasks, played on the event loop, against a plain model.
#![no_main]

#[path = "../event_loop/mod.rs"]
mod event_loop;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| event_loop::check(bytes));
