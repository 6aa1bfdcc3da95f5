//! Bytes to a text, read as a scenario, and printed.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| whendone_model::fuzzing::text::check(bytes));
