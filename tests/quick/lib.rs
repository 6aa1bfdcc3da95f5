//! Tests of `src` that compile in seconds, for generated mutants and for seeded bugs of files that no engine compiles.
//!
//! `cargo test -p whendone-quick --test task --test event_loop` and so on runs them, `.ci/mutants` uses them.
