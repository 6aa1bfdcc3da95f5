//! Bytes to a small concurrent program and one schedule of it, under shuttle, against the specification.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| whendone_model::fuzzing::schedule::check(bytes));
