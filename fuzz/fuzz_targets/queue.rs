//! Bytes to a scenario, played on the kernel's queue alone, against a plain list.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| whendone_model::fuzzing::queue::check(bytes));
