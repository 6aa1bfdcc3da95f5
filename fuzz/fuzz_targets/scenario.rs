//! Bytes to a scenario, played alone, against the specification.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| whendone_model::fuzzing::scenario::check(bytes));
